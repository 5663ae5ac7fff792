package files

import (
	"errors"
	"io/fs"
	"os"
)

// renameIfFree leaves a moment in which somebody else may take the name.
func renameIfFree(from, to string) error {
	_, err := os.Lstat(to)
	switch {
	case err == nil:
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.Rename(from, to)
}
