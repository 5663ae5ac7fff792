package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// SocketName is the socket's file name in the directory that holds it.
const SocketName = "syncd.sock"

// maxPath is the longest path that fits into sockaddr_un, unix(7), less its final NUL.
const maxPath = 107

// SocketPath is where a daemon listens: in $RUNTIME_DIRECTORY if the service
// manager gave one, else in the state directory.
func SocketPath(stateDir string) string {
	if dir := runtimeDir(); dir != "" {
		return filepath.Join(dir, SocketName)
	}
	return filepath.Join(stateDir, SocketName)
}

// runtimeDir is the first of $RUNTIME_DIRECTORY, which systemd.exec(5) separates by colons.
func runtimeDir() string {
	dir, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":")
	return dir
}

// Listen opens the socket at path, for its owner only (mode 0600). A socket that a
// dead daemon left behind is replaced; one that answers is an error.
func Listen(path string) (net.Listener, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("listen on %s: the path has %d bytes and a unix socket may have %d; set RUNTIME_DIRECTORY to a short directory for the socket, or choose a shorter state_dir", path, len(path), maxPath)
	}
	l, err := listen(path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(path); err != nil {
			return nil, err
		}
		l, err = listen(path)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return l, nil
}

// listen gives the socket its mode before bind makes the file, so that nobody else
// can connect in between. Systems that refuse that get it right after.
func listen(path string) (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
	}}
	l, err := lc.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func removeStale(path string) error {
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return fmt.Errorf("listen on %s: another daemon answers there; stop it first, or give this one a state_dir of its own", path)
	}
	if fi, err := os.Lstat(path); err == nil && fi.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("listen on %s: a file that is no socket stands in the way; move it away", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace stale socket: %w", err)
	}
	return nil
}
