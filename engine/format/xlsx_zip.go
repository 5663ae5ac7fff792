package format

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/flate"
)

// zipWriter appends an archive (APPNOTE.TXT 6.3) piece by piece. archive/zip cannot
// leave one unfinished and go on with it after a restart.
type zipWriter struct{ out []byte }

const (
	zipLocal     = 0x04034b50
	zipCentral   = 0x02014b50
	zipEnd       = 0x06054b50
	zipSizes     = 0x08074b50
	zipSizeLater = 1 << 3 // flag: checksum and sizes follow the data
	zipDate      = 1<<5 | 1
)

// zipEntry is what the directory says of a file in the archive.
type zipEntry struct {
	name         string
	flags        uint16
	method       uint16 // 0 stored, 8 deflated
	crc          uint32
	packed, size uint32
	offset       uint32
}

// whole appends a file that is all there.
func (z *zipWriter) whole(name string, text []byte) {
	n := uint32(len(text)) //nolint:gosec // a few KiB
	z.header(zipEntry{name: name, crc: crc32.ChecksumIEEE(text), packed: n, size: n})
	z.out = append(z.out, text...)
}

// open appends the beginning of a file that follows.
func (z *zipWriter) open(name string) {
	z.header(zipEntry{name: name, flags: zipSizeLater, method: 8})
}

func (z *zipWriter) header(e zipEntry) {
	z.out = binary.LittleEndian.AppendUint32(z.out, zipLocal)
	z.out = e.append(z.out)
	z.out = append(append(z.out, 0, 0), e.name...)
}

// append appends the fields that a local header and the directory share.
func (e *zipEntry) append(dst []byte) []byte {
	le := binary.LittleEndian
	for _, v := range []uint16{20, e.flags, e.method, 0, zipDate} {
		dst = le.AppendUint16(dst, v)
	}
	for _, v := range []uint32{e.crc, e.packed, e.size} {
		dst = le.AppendUint32(dst, v)
	}
	return le.AppendUint16(dst, uint16(len(e.name))) //nolint:gosec // a short name
}

// Finish appends the end of the sheet and the archive's directory.
func (w *XLSXWriter) Finish(document io.Reader) ([]byte, error) {
	in := bufio.NewReaderSize(document, inputSize)
	var entries []zipEntry
	var at int64
	for {
		e, err := readLocal(in, at)
		if err != nil {
			return nil, fmt.Errorf("finish workbook: %w", err)
		}
		entries = append(entries, e)
		at += 30 + int64(len(e.name))
		if e.flags&zipSizeLater != 0 {
			break
		}
		if _, err := in.Discard(int(e.packed)); err != nil {
			return nil, fmt.Errorf("finish workbook: %w", err)
		}
		at += int64(e.packed)
	}
	tail := appendDeflated(nil, []byte(sheetEnd), true)
	sheet := &entries[len(entries)-1]
	if err := sheet.measure(in, tail); err != nil {
		return nil, fmt.Errorf("finish workbook: %w", err)
	}
	if at += int64(sheet.packed) + 16; at > math.MaxUint32 {
		return nil, errors.New("finish workbook: it is larger than 4 GiB; roll by rows or size")
	}
	le := binary.LittleEndian
	out := le.AppendUint32(tail, zipSizes)
	for _, v := range []uint32{sheet.crc, sheet.packed, sheet.size} {
		out = le.AppendUint32(out, v)
	}
	return appendDirectory(out, entries, uint32(at)), nil //nolint:gosec // checked above
}

// readLocal reads the header of the file at an offset in the archive.
func readLocal(in io.Reader, at int64) (zipEntry, error) {
	var b [30]byte
	if _, err := io.ReadFull(in, b[:]); err != nil {
		return zipEntry{}, err
	}
	le := binary.LittleEndian
	if le.Uint32(b[:]) != zipLocal {
		return zipEntry{}, errors.New("this is not what we have written")
	}
	name := make([]byte, le.Uint16(b[26:]))
	if _, err := io.ReadFull(in, name); err != nil {
		return zipEntry{}, err
	}
	return zipEntry{
		name: string(name), flags: le.Uint16(b[6:]), method: le.Uint16(b[8:]), crc: le.Uint32(b[14:]),
		packed: le.Uint32(b[18:]), size: le.Uint32(b[22:]), offset: uint32(at), //nolint:gosec // near the beginning
	}, nil
}

// measure finds checksum and sizes of the data in in, of which tail is yet to be
// written.
func (e *zipEntry) measure(in io.Reader, tail []byte) error {
	packed := &counter{}
	sum, plain := crc32.NewIEEE(), &counter{}
	data := io.TeeReader(io.MultiReader(in, bytes.NewReader(tail)), packed)
	if _, err := io.Copy(io.MultiWriter(sum, plain), flate.NewReader(data)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, data); err != nil {
		return err
	}
	if packed.n > math.MaxUint32 || plain.n > math.MaxUint32 {
		return errors.New("it is larger than 4 GiB; roll by rows or size")
	}
	e.crc, e.packed, e.size = sum.Sum32(), uint32(packed.n), uint32(plain.n)
	return nil
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// appendDirectory appends the archive's directory, which begins at an offset.
func appendDirectory(dst []byte, entries []zipEntry, at uint32) []byte {
	le := binary.LittleEndian
	start := len(dst)
	for _, e := range entries {
		dst = le.AppendUint32(dst, zipCentral)
		dst = le.AppendUint16(dst, 20)
		dst = e.append(dst)
		dst = append(dst, make([]byte, 12)...) // no extras, no comment, first disk, no attributes
		dst = le.AppendUint32(dst, e.offset)
		dst = append(dst, e.name...)
	}
	size := uint32(len(dst) - start) //nolint:gosec // a few hundred bytes
	n := uint16(len(entries))        //nolint:gosec // six
	dst = le.AppendUint32(dst, zipEnd)
	for _, v := range []uint16{0, 0, n, n} {
		dst = le.AppendUint16(dst, v)
	}
	dst = le.AppendUint32(le.AppendUint32(dst, size), at)
	return append(dst, 0, 0)
}
