package files

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/syncd/syncd/engine/connect/files"
)

// archive is what a file holds: one document, or many.
type archive struct {
	documents []document
	hash      string // of an archive's directory, which tells it from others; "" for a single document
	close     func() error
}

// Close releases the archive.
func (a *archive) Close() error {
	if a.close == nil {
		return nil
	}
	return a.close()
}

// maxDirectory bounds what is read of an archive to find out what is in it.
const maxDirectory = 16 << 20

// openZip lists the members of an archive. They are read where they are: nothing
// is unpacked onto a disk.
func (r *run) openZip(ctx context.Context, f *file) (*archive, error) {
	at := &sections{run: r, ctx: ctx, file: f, budget: maxDirectory}
	z, err := zip.NewReader(at, f.info.Size)
	if err != nil {
		return nil, errors.Join(at.blame(fmt.Errorf("open zip: %w", err)), at.Close())
	}
	at.budget = -1
	a, sum := &archive{close: at.Close}, sha256.New()
	for _, m := range z.File {
		fmt.Fprintf(sum, "%q %d %d %d\n", m.Name, m.CRC32, m.CompressedSize64, m.UncompressedSize64)
		if !m.Mode().IsRegular() || strings.HasPrefix(path.Base(m.Name), ".") || strings.HasPrefix(m.Name, "__MACOSX/") {
			continue
		}
		a.documents = append(a.documents, document{member: m.Name, open: func(_ context.Context, offset int64) (*stream, error) {
			return r.openMember(at, m, offset)
		}})
	}
	a.hash = hex.EncodeToString(sum.Sum(nil))
	return a, nil
}

func (r *run) openMember(at *sections, m *zip.File, offset int64) (*stream, error) {
	if m.Flags&1 != 0 {
		return nil, faulty("%s is encrypted", m.Name)
	}
	in, err := m.Open()
	if err != nil {
		return nil, at.blame(fmt.Errorf("open %s: %w", m.Name, err))
	}
	s := &stream{raw: &at.raw, closes: []func() error{in.Close}}
	s.Reader = &inflated{in: in, packed: func() int64 { return int64(m.CompressedSize64) }, limit: int64(r.config.MaxUnpacked)} //nolint:gosec // as large as the file at most
	if _, err := io.CopyN(io.Discard, s, offset); err != nil {
		return nil, s.fail(fmt.Errorf("unpack %s: %w", m.Name, err))
	}
	return s, nil
}

// sections reads here and there in a file that can only be read from an offset on.
type sections struct {
	*run
	ctx    context.Context //nolint:containedctx // io.ReaderAt has none
	file   *file
	in     files.File
	at     int64
	budget int64 // bytes that may yet be read; -1: no limit
	raw    raw   // only its error
}

// ReadAt reads on where it can, and opens the file again where it cannot.
func (s *sections) ReadAt(b []byte, offset int64) (int, error) {
	if offset < 0 || offset > s.file.info.Size {
		return 0, faulty("its directory leads out of it")
	}
	if s.budget >= 0 {
		if s.budget -= int64(len(b)); s.budget < 0 {
			return 0, faulty("its directory is larger than %s", size(maxDirectory))
		}
	}
	if s.in == nil || s.at != offset {
		if err := s.reopen(offset); err != nil {
			s.raw.err = err
			return 0, err
		}
	}
	n, err := io.ReadFull(s.in, b)
	s.at += int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		if s.at < s.file.info.Size {
			s.raw.err = errChanged
			return n, errChanged
		}
		return n, io.EOF
	}
	if err != nil {
		s.raw.err = err
	}
	return n, err
}

func (s *sections) reopen(offset int64) error {
	if err := s.Close(); err != nil {
		return err
	}
	opened, err := s.openRaw(s.ctx, s.file, offset)
	if err != nil {
		return err
	}
	s.in, s.at = opened.file, offset
	return nil
}

// blame tells whose fault an error of the archive is.
func (s *sections) blame(err error) error {
	if s.raw.err != nil {
		return s.raw.err
	}
	return contentError{err}
}

// Close lets go of the file.
func (s *sections) Close() error {
	if s.in == nil {
		return nil
	}
	in := s.in
	s.in = nil
	return in.Close()
}
