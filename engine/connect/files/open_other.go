//go:build !linux

package files

import (
	"os"
	"syscall"
)

func openNoLinks(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
}
