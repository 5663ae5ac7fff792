package files

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/syncd/syncd/engine/connect/files"
)

// document is one stream of records: what a file holds, or a member of an archive.
type document struct {
	member string // of an archive; else ""
	// open gives it from an offset on, unpacked.
	open func(ctx context.Context, offset int64) (*stream, error)
}

// stream is a document being read.
type stream struct {
	io.Reader
	raw    *raw
	file   files.File // nil for a member, which has none to itself
	closes []func() error
}

// Close releases what was opened for it.
func (s *stream) Close() error {
	var errs []error
	for i := len(s.closes) - 1; i >= 0; i-- {
		errs = append(errs, s.closes[i]())
	}
	return errors.Join(errs...)
}

// documents are what f holds, in order. Archives are told by their names.
func (r *run) documents(ctx context.Context, f *file) (*archive, error) {
	switch r.packing(f) {
	case ".zip":
		return r.openZip(ctx, f)
	case ".gz":
		return single(r.unpacked(f, gunzip)), nil
	case ".zst":
		return single(r.unpacked(f, unzstd)), nil
	}
	return single(func(ctx context.Context, offset int64) (*stream, error) { return r.openRaw(ctx, f, offset) }), nil
}

// packing is how a file is packed, by its name; "": it is not.
func (r *run) packing(f *file) string {
	ext := strings.ToLower(path.Ext(f.info.Name))
	if r.config.Format.Raw != nil || !slices.Contains([]string{".gz", ".zst", ".zip"}, ext) {
		return ""
	}
	return ext
}

func single(open func(context.Context, int64) (*stream, error)) *archive {
	return &archive{documents: []document{{open: open}}}
}

// openRaw opens the file itself, as long as it is what its name was found to be.
func (r *run) openRaw(ctx context.Context, f *file, offset int64) (*stream, error) {
	in, err := r.fs.Open(ctx, f.full, offset)
	if err != nil {
		return nil, err
	}
	s := &stream{file: in, closes: []func() error{in.Close}}
	if err := s.unchanged(f); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.raw = &raw{in: in, size: f.info.Size - offset}
	s.Reader = s.raw
	return s, nil
}

// unchanged is errChanged when the open file is not what f says.
func (s *stream) unchanged(f *file) error {
	if s.file == nil {
		return nil
	}
	i, err := s.file.Info()
	if err != nil {
		return err
	}
	if i.Size != f.info.Size || !i.ModTime.Equal(f.info.ModTime) || i.ID != f.info.ID {
		return errChanged
	}
	return nil
}

type unpacker func(io.Reader) (io.ReadCloser, error)

func gunzip(in io.Reader) (io.ReadCloser, error) { return gzip.NewReader(in) }

// maxWindow is what the zstd program itself takes without being told to.
const maxWindow = 128 << 20

func unzstd(in io.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// unpacked opens a compressed file. What stands before the offset is unpacked and
// thrown away: there is no way into the middle.
func (r *run) unpacked(f *file, unpack unpacker) func(context.Context, int64) (*stream, error) {
	return func(ctx context.Context, offset int64) (*stream, error) {
		s, err := r.openRaw(ctx, f, 0)
		if err != nil {
			return nil, err
		}
		out, err := unpack(s.raw)
		if err != nil {
			return nil, s.fail(fmt.Errorf("unpack: %w", err))
		}
		s.closes = append(s.closes, out.Close)
		s.Reader = &inflated{in: out, packed: func() int64 { return s.raw.n }, limit: int64(r.config.MaxUnpacked)}
		if _, err := io.CopyN(io.Discard, s, offset); err != nil {
			return nil, s.fail(fmt.Errorf("unpack: %w", err))
		}
		return s, nil
	}
}

// fail closes the stream that failed with err.
func (s *stream) fail(err error) error { return errors.Join(s.whose(err), s.Close()) }

// whose tells a trouble of the place from a fault of what the file holds.
func (s *stream) whose(err error) error {
	if s.raw.err != nil {
		return s.raw.err
	}
	return contentError{err}
}

// A bomb unpacks to many times its size. Tables of much the same rows may well
// shrink to a hundredth; what is small unpacked harms nobody.
const (
	bombRatio = 250
	bombSize  = 100 << 20
)

// inflated is what comes out of a compressed stream, within limits.
type inflated struct {
	in     io.Reader
	packed func() int64 // bytes that have gone in
	n      int64
	limit  int64
}

func (i *inflated) Read(b []byte) (int, error) {
	n, err := i.in.Read(b)
	i.n += int64(n)
	switch {
	case i.n > i.limit:
		return 0, faulty("unpacked it is larger than %s, which max_unpacked allows", size(i.limit))
	case i.n > bombSize && i.n/bombRatio > i.packed():
		return 0, faulty("it unpacks to more than %d times its size: this looks like a bomb", bombRatio)
	}
	return n, err
}

func size(n int64) string {
	for _, u := range []struct {
		n    int64
		name string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.n && n%u.n == 0 {
			return fmt.Sprintf("%d %s", n/u.n, u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
