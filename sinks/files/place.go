package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/syncd/syncd/engine/component"
	"golang.org/x/sys/unix"
)

// explain says what to do about an error of a place, and whether it can pass by
// itself. A name that is too long is the event's own fault.
func explain(dir string, err error) error {
	switch {
	case component.IsUnwell(err):
		return err
	case errors.Is(err, syscall.ENAMETOOLONG):
		return component.Permanent(err)
	case errors.Is(err, syscall.EROFS):
		return component.Unwell(fmt.Errorf("cannot write to %s: %w%s", dir, err, advice(dir, "its file system is mounted read-only")))
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return component.Unwell(fmt.Errorf("cannot write to %s: %w%s", dir, err, advice(dir, fmt.Sprintf("user %d may not", os.Getuid()))))
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("no room in %s: %w", dir, err)
	}
	return fmt.Errorf("write to %s: %w", dir, err)
}

// advice names the cause, and under systemd, whose ProtectSystem= makes most of
// the file system read-only, the line that lifts it (systemd.exec(5)).
func advice(dir, cause string) string {
	if os.Getenv("INVOCATION_ID") == "" {
		return "; " + cause
	}
	return fmt.Sprintf("; %s, or the unit keeps it read-only: then add this line to its [Service] section (systemctl edit syncd) and restart: ReadWritePaths=%s",
		cause, quoted(existing(dir)))
}

// existing is dir or the nearest directory above it that exists: systemd refuses
// to start a unit that names one that does not.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// quoted writes a path as systemd reads it (systemd.syntax(7), specifiers in systemd.unit(5)).
func quoted(path string) string {
	path = strings.ReplaceAll(path, "%", "%%")
	if strings.ContainsAny(path, " \t\"'\\") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
	}
	return path
}

// writable tells whether files can be made in dir, or dir itself.
func writable(dir string) error {
	if err := unix.Access(existing(dir), unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "access", Path: existing(dir), Err: err}
	}
	return nil
}
