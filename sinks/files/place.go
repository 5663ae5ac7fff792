package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/unit"
	"golang.org/x/sys/unix"
)

// explain says what to do about an error of the place of a path, and whether it can
// pass by itself. A name that is too long is the event's own fault.
func (s *sink) explain(at string, err error) error {
	dir := path.Dir(at)
	if s.cfg.Connection.IsSet() {
		return explainRemote(fmt.Sprintf("%s at %s", dir, s.cfg.Connection.Address), err)
	}
	return explain(dir, err)
}

// explainRemote: what the server forbids, it forbids for all.
func explainRemote(place string, err error) error {
	switch {
	case component.IsUnwell(err), component.IsPermanent(err):
		return err
	case errors.Is(err, fs.ErrPermission):
		return component.Unwell(fmt.Errorf("cannot write to %s: %w; the user of the connection may not", place, err))
	}
	return fmt.Errorf("write to %s: %w", place, err)
}

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
	return fmt.Sprintf("; %s, or the unit keeps it read-only: then add this line to its [Service] section (systemctl edit syncd) and restart: %s",
		cause, unit.Allow(unit.Existing(dir)))
}

// writable tells whether files can be made in dir, or dir itself.
func writable(dir string) error {
	if err := unix.Access(unit.Existing(dir), unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "access", Path: unit.Existing(dir), Err: err}
	}
	return nil
}
