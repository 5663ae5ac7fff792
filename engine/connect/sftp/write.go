package sftp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/pkg/sftp"
	"github.com/syncd/syncd/engine/connect/files"
)

// Create makes path.
func (c *Client) Create(ctx context.Context, path string) (files.Writer, error) {
	w, err := once(ctx, c, func(s *session) (*writer, error) {
		f, err := s.sftp.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if isRefusal(err) {
			err = taken(s.sftp, path, err)
		}
		if err != nil {
			return nil, err
		}
		return &writer{handle{ctx, c, s, f}}, nil
	}, closeWriter)
	if err != nil {
		return nil, named("create", path, err)
	}
	return w, nil
}

func closeWriter(w *writer) { w.Close() }

// Append goes on with path.
func (c *Client) Append(ctx context.Context, path string, offset int64) (files.Writer, error) {
	w, err := once(ctx, c, func(s *session) (*writer, error) {
		f, i, err := regular(s.sftp, path, os.O_WRONLY)
		if err != nil {
			return nil, err
		}
		if err := cut(f, i.Size(), offset); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return &writer{handle{ctx, c, s, f}}, nil
	}, closeWriter)
	if err != nil {
		return nil, named("append to", path, err)
	}
	return w, nil
}

// cut leaves f at offset, its end.
func cut(f *sftp.File, size, offset int64) error {
	switch {
	case size < offset:
		return &files.ShortError{Path: f.Name(), Offset: offset, Size: size}
	case size > offset:
		if err := f.Truncate(offset); err != nil {
			return err
		}
	}
	_, err := f.Seek(offset, io.SeekStart)
	return err
}

type writer struct{ handle }

// Write sends b, in several packets at a time.
func (w *writer) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, named("write", w.f.Name(), err)
	}
	own := bytes.Clone(b) // which may still be on its way when the caller has gone
	n, err := call(w.ctx, w.s, w.c, func(*session) (int, error) { return w.f.Write(own) }, nil)
	if err != nil {
		return n, named("write", w.f.Name(), err)
	}
	return n, nil
}

// Sync has the server write to its disk, if it can (fsync@openssh.com).
func (w *writer) Sync() error {
	_, err := call(w.ctx, w.s, w.c, func(s *session) (struct{}, error) {
		if _, ok := s.sftp.HasExtension("fsync@openssh.com"); !ok {
			return struct{}{}, nil
		}
		return struct{}{}, w.f.Sync()
	}, nil)
	return named("sync", w.f.Name(), err)
}
