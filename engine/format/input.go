package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxRecord bounds a record: what is longer is a fault of that record.
const MaxRecord = 16 << 20

// MaxRaw is what is kept of the text of a record that cannot be read.
const MaxRaw = 64 << 10

const (
	inputSize = 128 << 10
	// maxKept bounds the room that a long record leaves behind.
	maxKept = 1 << 20
)

var errTooLong = fmt.Errorf("longer than %d MiB, which is the most that a record may have", MaxRecord>>20)

// input is the part of a document that is in memory, as UTF-8: what begins at pos
// has not been consumed. It reads no further ahead than its room, which grows for
// a long record only.
type input struct {
	src  io.Reader
	code *transcoder // nil: the document is UTF-8
	buf  []byte
	pos  int
	base int64 // offset of buf[0] in the text
	err  error // why nothing follows buf
	line int64 // that pos stands in, from 1
	// notText is what the function of that name says.
	notText string
}

// newInput reads r in the encoding that a byte order mark tells, else in the one
// of that name; "" is UTF-8. Errors: *CharsetError, and what reading its first
// bytes fails of.
func newInput(r io.Reader, charset string) (*input, error) {
	in := &input{src: r, buf: make([]byte, 0, inputSize), line: 1}
	name, mark, err := in.sniff(charset)
	if err != nil {
		return nil, err
	}
	in.pos = mark
	in.notText = notText(in.buf)
	if isUTF8(name) {
		return in, nil
	}
	code, err := newTranscoder(name)
	if err != nil {
		return nil, err
	}
	code.src = io.MultiReader(bytes.NewReader(bytes.Clone(in.buf[mark:])), errReader{r, &in.err})
	code.from = int64(mark)
	return &input{src: code, code: code, buf: in.buf[:0], line: 1}, nil
}

// errReader gives the end that was met while sniffing once more.
type errReader struct {
	r   io.Reader
	err *error
}

func (e errReader) Read(p []byte) (int, error) {
	if *e.err != nil {
		return 0, *e.err
	}
	return e.r.Read(p)
}

// resume goes on with rest, which begins at a record's end.
func (in *input) resume(rest io.Reader, at Place) {
	in.buf, in.pos, in.base, in.err = in.buf[:0], 0, at.End, nil
	in.line = max(at.EndLine, 1)
	in.src = rest
	if in.code != nil {
		in.code.resume(rest, at.End)
		in.src, in.base = in.code, 0
	}
}

// fill reads more; false: nothing follows, and in.err says why.
func (in *input) fill() bool {
	if in.err != nil {
		return false
	}
	in.makeRoom()
	for range 100 {
		n, err := in.src.Read(in.buf[len(in.buf):cap(in.buf)])
		in.buf = in.buf[:len(in.buf)+n]
		in.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	in.err = io.ErrNoProgress
	return false
}

func (in *input) makeRoom() {
	room := cap(in.buf)
	if room-len(in.buf) >= inputSize/4 {
		return
	}
	rest := in.buf[in.pos:]
	switch {
	case len(rest) > room/2:
		in.buf = append(make([]byte, 0, 2*room), rest...)
	case room > maxKept && len(rest) < inputSize/2:
		in.buf = append(make([]byte, 0, inputSize), rest...)
	default:
		in.buf = in.buf[:copy(in.buf[:room], rest)]
	}
	in.base, in.pos = in.base+int64(in.pos), 0
}

// lineEnd gives the length of the text from pos to the end, its line break
// included, of the line that holds the byte from bytes behind pos. Errors: io.EOF
// when nothing stands there, errTooLong, and what reading fails of.
func (in *input) lineEnd(from int) (int, error) {
	for seen := from; ; {
		if rest := in.buf[in.pos:]; seen < len(rest) {
			if n := bytes.IndexByte(rest[seen:], '\n'); n >= 0 {
				return seen + n + 1, nil
			}
			seen = len(rest)
		}
		if seen > MaxRecord {
			return seen, errTooLong
		}
		if in.fill() {
			continue
		}
		if !errors.Is(in.err, io.EOF) {
			return 0, in.err
		}
		if seen == from {
			return 0, io.EOF
		}
		return seen, nil
	}
}

// text is the next n bytes.
func (in *input) text(n int) []byte { return in.buf[in.pos : in.pos+n] }

// advance consumes n bytes that hold so many line breaks.
func (in *input) advance(n int, breaks int64) {
	in.pos += n
	in.line += breaks
}

// skipLine consumes the rest of a line, however long it is.
func (in *input) skipLine() error {
	for {
		rest := in.buf[in.pos:]
		if n := bytes.IndexByte(rest, '\n'); n >= 0 {
			in.advance(n+1, 1)
			return nil
		}
		in.pos = len(in.buf)
		if !in.fill() {
			if errors.Is(in.err, io.EOF) {
				return nil
			}
			return in.err
		}
	}
}

// offset of pos in the document.
func (in *input) offset() int64 {
	at := in.base + int64(in.pos)
	if in.code != nil {
		return in.code.offset(at)
	}
	return at
}

// cut is a copy of text for a RecordError.
func cut(text []byte) []byte { return bytes.Clone(text[:min(len(text), MaxRaw)]) }

// trimBreak takes the line break from the end of a line.
func trimBreak(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
		if n > 1 && line[n-2] == '\r' {
			line = line[:n-2]
		}
	}
	return line
}
