package files

import (
	"context"

	"github.com/syncd/syncd/engine/connect/files"
)

// faulty is a file system of which before is asked ahead of every change: it lets it
// fail, or ends the world there.
type faulty struct {
	files.FS
	before func(op, path string) error
}

func (f faulty) Create(ctx context.Context, path string) (files.Writer, error) {
	if err := f.before("create", path); err != nil {
		return nil, err
	}
	w, err := f.FS.Create(ctx, path)
	return f.wrap(w, path, err)
}

func (f faulty) Append(ctx context.Context, path string, offset int64) (files.Writer, error) {
	if info, err := f.Stat(ctx, path); err == nil && info.Size > offset {
		if err := f.before("cut", path); err != nil {
			return nil, err
		}
	}
	w, err := f.FS.Append(ctx, path, offset)
	return f.wrap(w, path, err)
}

func (f faulty) wrap(w files.Writer, path string, err error) (files.Writer, error) {
	if err != nil {
		return nil, err
	}
	return faultyWriter{w, f, path}, nil
}

func (f faulty) Rename(ctx context.Context, from, to string) error {
	if err := f.before("rename", to); err != nil {
		return err
	}
	return f.FS.Rename(ctx, from, to)
}

func (f faulty) Remove(ctx context.Context, path string) error {
	if _, err := f.Stat(ctx, path); err != nil {
		return err
	}
	if err := f.before("remove", path); err != nil {
		return err
	}
	return f.FS.Remove(ctx, path)
}

func (f faulty) MakeDir(ctx context.Context, dir string) error {
	if _, err := f.Stat(ctx, dir); err == nil {
		return nil
	}
	if err := f.before("mkdir", dir); err != nil {
		return err
	}
	return f.FS.MakeDir(ctx, dir)
}

type faultyWriter struct {
	files.Writer
	f    faulty
	path string
}

// Write lets half of it through where it fails.
func (w faultyWriter) Write(b []byte) (int, error) {
	if err := w.f.before("write", w.path); err != nil {
		n, _ := w.Writer.Write(b[:len(b)/2])
		return n, err
	}
	return w.Writer.Write(b)
}

func (w faultyWriter) Sync() error {
	if err := w.f.before("sync", w.path); err != nil {
		return err
	}
	return w.Writer.Sync()
}
