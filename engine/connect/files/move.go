package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// moveOver moves a file to another file system, where there is no renaming: as a copy
// under a name of its own, until it is whole.
func (l Local) moveOver(ctx context.Context, from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		if copied, err := isCopy(ctx, from, to); err != nil || !copied {
			return errors.Join(&fs.PathError{Op: "move to", Path: to, Err: fs.ErrExist}, err)
		}
		return l.Remove(ctx, from) // an earlier attempt was cut off before that
	}
	part := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".part")
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) { // of an earlier attempt
		return err
	}
	err := copyFile(ctx, from, part)
	if err == nil {
		err = renameNew(part, to)
	}
	if err != nil {
		os.Remove(part) // the next attempt does it
		return err
	}
	if err := syncDir(filepath.Dir(to)); err != nil {
		return err
	}
	return l.Remove(ctx, from)
}

// isCopy tells whether to is the same as from, time and content.
func isCopy(ctx context.Context, from, to string) (bool, error) {
	a, err := open(from)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := open(to)
	if err != nil {
		return false, err
	}
	defer b.Close()
	one, err := a.Stat()
	if err != nil {
		return false, err
	}
	other, err := b.Stat()
	if err != nil || one.Size() != other.Size() || !one.ModTime().Equal(other.ModTime()) {
		return false, err
	}
	return sameContent(&localFile{ctx, a}, b)
}

func sameContent(a, b io.Reader) (bool, error) {
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(a, p)
		m, other := io.ReadFull(b, q)
		if !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return true, nil
		case err != nil || other != nil:
			return false, errors.Join(err, other)
		}
	}
}

// open opens a regular file for reading.
func open(path string) (*os.File, error) {
	return regular(path, func(path string) (*os.File, error) {
		return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	})
}

// copyFile copies a file with its mode and time, durably but for its name.
func copyFile(ctx context.Context, from, to string) error {
	in, err := open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, &localFile{ctx, in})
	if err == nil {
		err = os.Chtimes(to, info.ModTime(), info.ModTime())
	}
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
