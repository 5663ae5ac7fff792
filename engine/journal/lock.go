package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// lock makes this process the only one in the directory. The lock goes with the
// file's closing, so also with the process. The file holds the pid, for people.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("another syncd%s uses it: stop that one, or give this one a state directory of its own", holder(f))
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return f, nil
}

func holder(f *os.File) string {
	pid, _ := io.ReadAll(io.LimitReader(f, 20))
	if p := strings.TrimSpace(string(pid)); p != "" {
		return " (pid " + p + ")"
	}
	return ""
}
