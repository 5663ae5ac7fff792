package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Local is this machine's disk.
type Local struct{}

var _ FS = Local{}

// ReadDir lists dir.
func (Local) ReadDir(ctx context.Context, dir string) ([]Info, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var infos []Info
	for {
		if err := ended(ctx, "readdir", dir); err != nil {
			return nil, err
		}
		entries, err := f.ReadDir(512)
		for _, e := range entries {
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			infos = append(infos, localInfo(info))
		}
		if errors.Is(err, io.EOF) {
			return infos, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// Stat tells of path.
func (Local) Stat(ctx context.Context, path string) (Info, error) {
	if err := ended(ctx, "stat", path); err != nil {
		return Info{}, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return Info{}, err
	}
	return localInfo(info), nil
}

// RealPath resolves path.
func (Local) RealPath(ctx context.Context, path string) (string, error) {
	if err := ended(ctx, "resolve", path); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// Open reads path.
func (Local) Open(ctx context.Context, path string, offset int64) (File, error) {
	if err := ended(ctx, "open", path); err != nil {
		return nil, err
	}
	f, err := regular(path, openNoLinks)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &localFile{ctx, f}, nil
}

// Create makes path.
func (Local) Create(ctx context.Context, path string) (Writer, error) {
	if err := ended(ctx, "create", path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &localWriter{ctx, f, true}, nil
}

// Append goes on with path.
func (Local) Append(ctx context.Context, path string, offset int64) (Writer, error) {
	if err := ended(ctx, "append to", path); err != nil {
		return nil, err
	}
	f, err := regular(path, openToWrite)
	if err != nil {
		return nil, err
	}
	if err := cut(f, offset); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &localWriter{ctx, f, false}, nil
}

// cut leaves f at offset, its end.
func cut(f *os.File, offset int64) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.Size() < offset:
		return &ShortError{Path: f.Name(), Offset: offset, Size: info.Size()}
	case info.Size() > offset:
		if err := f.Truncate(offset); err != nil {
			return err
		}
	}
	_, err = f.Seek(offset, io.SeekStart)
	return err
}

// Rename moves from to to, also to another file system.
func (l Local) Rename(ctx context.Context, from, to string) error {
	if err := ended(ctx, "rename", from); err != nil {
		return err
	}
	switch err := renameNew(from, to); {
	case errors.Is(err, syscall.EXDEV):
		return l.moveOver(ctx, from, to)
	case err != nil:
		return err
	}
	if err := syncDir(filepath.Dir(to)); err != nil || filepath.Dir(from) == filepath.Dir(to) {
		return err
	}
	return syncDir(filepath.Dir(from))
}

// Remove removes path.
func (Local) Remove(ctx context.Context, path string) error {
	if err := ended(ctx, "remove", path); err != nil {
		return err
	}
	if err := syscall.Unlink(path); err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	return syncDir(filepath.Dir(path))
}

// MakeDir makes dir.
func (l Local) MakeDir(ctx context.Context, dir string) error {
	if err := ended(ctx, "mkdir", dir); err != nil {
		return err
	}
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	parent := filepath.Dir(dir)
	if err := l.MakeDir(ctx, parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// regular opens a regular file. What is none is not even opened, for that alone can
// have effects; in the moment between it may become one, and opening does not wait.
func regular(path string, open func(string) (*os.File, error)) (*os.File, error) {
	if info, err := os.Lstat(path); err != nil {
		return nil, err
	} else if m := info.Mode(); !m.IsRegular() && m&fs.ModeSymlink == 0 {
		return nil, &NotRegularError{path, m}
	}
	f, err := open(path)
	if errors.Is(err, syscall.ELOOP) {
		return nil, &NotRegularError{path, fs.ModeSymlink}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &NotRegularError{path, info.Mode()}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func openToWrite(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
}

// syncDir makes names in dir durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func ended(ctx context.Context, op, path string) error {
	if err := ctx.Err(); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

func localInfo(info fs.FileInfo) Info {
	i := Info{Name: info.Name(), Size: info.Size(), Mode: info.Mode(), ModTime: info.ModTime()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		i.ID = strconv.FormatUint(uint64(st.Dev), 36) + "." + strconv.FormatUint(st.Ino, 36) //nolint:unconvert // Dev has other types elsewhere
	}
	return i
}

type localFile struct {
	ctx context.Context
	f   *os.File
}

func (f *localFile) Read(b []byte) (int, error) {
	if err := ended(f.ctx, "read", f.f.Name()); err != nil {
		return 0, err
	}
	return f.f.Read(b)
}

func (f *localFile) Info() (Info, error) {
	info, err := f.f.Stat()
	if err != nil {
		return Info{}, err
	}
	return localInfo(info), nil
}

func (f *localFile) Close() error { return f.f.Close() }

type localWriter struct {
	ctx   context.Context
	f     *os.File
	isNew bool // its name is not durable yet
}

func (w *localWriter) Write(b []byte) (int, error) {
	if err := ended(w.ctx, "write", w.f.Name()); err != nil {
		return 0, err
	}
	return w.f.Write(b)
}

func (w *localWriter) Sync() error {
	if err := w.f.Sync(); err != nil || !w.isNew {
		return err
	}
	w.isNew = false
	return syncDir(filepath.Dir(w.f.Name()))
}

func (w *localWriter) Close() error { return w.f.Close() }
