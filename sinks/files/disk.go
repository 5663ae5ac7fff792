package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// disk is every change that the sink makes to a file system. before, if set, is
// asked first: tests let it fail, or end the world there.
type disk struct {
	before func(op, path string) error
}

func (d disk) ask(op, path string) error {
	if d.before == nil {
		return nil
	}
	return d.before(op, path)
}

// open opens a regular file.
func (d disk) open(path string, flag int) (*os.File, error) {
	if err := d.ask("open", path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, flag|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("open %s: not a regular file", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d disk) writeAt(f *os.File, b []byte, at int64) error {
	if err := d.ask("write", f.Name()); err != nil {
		if len(b) > 1 && d.before != nil {
			f.WriteAt(b[:len(b)/2], at) //nolint:errcheck // the half that a crash lets through
		}
		return err
	}
	_, err := f.WriteAt(b, at)
	return err
}

// cut shortens f to size, if it is longer, and gives the size it then has.
func (d disk) cut(f *os.File, size int64) (int64, error) {
	info, err := f.Stat()
	if err != nil || info.Size() <= size {
		return sizeOf(info), err
	}
	if err := d.ask("truncate", f.Name()); err != nil {
		return 0, err
	}
	return size, f.Truncate(size)
}

func sizeOf(info os.FileInfo) int64 {
	if info == nil {
		return 0
	}
	return info.Size()
}

func (d disk) sync(f *os.File) error {
	if err := d.ask("sync", f.Name()); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes names in dir durable.
func (d disk) syncDir(dir string) error {
	if err := d.ask("syncdir", dir); err != nil {
		return err
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d disk) readFile(path string) ([]byte, error) { return os.ReadFile(path) }

func (d disk) remove(path string) error {
	if _, err := os.Lstat(path); err != nil {
		return err
	}
	if err := d.ask("remove", path); err != nil {
		return err
	}
	return os.Remove(path)
}

// rename moves a file to a name that is not taken; the error is fs.ErrExist if it is.
func (d disk) rename(from, to string) error {
	if err := d.ask("rename", to); err != nil {
		return err
	}
	return renameNew(from, to)
}

// makeDir makes dir and what is missing above it, durably.
func (d disk) makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
		return nil
	}
	parent := filepath.Dir(dir)
	if err := d.makeDir(parent); err != nil {
		return err
	}
	if err := d.ask("mkdir", dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return d.syncDir(parent)
}
