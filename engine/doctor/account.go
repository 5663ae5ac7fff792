package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// account is who runs the daemon.
type account struct {
	name string
	self bool // this process's own user
	uid  int  // -1: one that systemd makes up at the start
	gids []int
}

// whoRuns is the running daemon's user, else the unit's, else our own.
func (e *exam) whoRuns() account {
	switch {
	case e.daemon != nil:
		if a, ok := processAccount(fmt.Sprintf("/proc/%d/status", e.daemon.PID)); ok {
			return a
		}
	case e.Unit != nil:
		return unitAccount(e.Unit.Value("User"), e.Unit.Is("DynamicUser"), append(e.Unit.Words("SupplementaryGroups"), e.Unit.Words("Group")...))
	}
	return account{name: "this user", self: true, uid: os.Getuid()}
}

// processAccount reads proc_pid_status(5).
func processAccount(path string) (account, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return account{}, false
	}
	a := account{uid: -1}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		fields := numbers(value)
		switch {
		case key == "Uid" && len(fields) > 1:
			a.uid = fields[1] // the effective one
		case key == "Gid" && len(fields) > 1:
			a.gids = append(a.gids, fields[1])
		case key == "Groups":
			a.gids = append(a.gids, fields...)
		}
	}
	a.name = "user " + strconv.Itoa(a.uid)
	if u, err := user.LookupId(strconv.Itoa(a.uid)); err == nil {
		a.name = u.Username
	}
	return a, a.uid >= 0
}

func numbers(s string) (list []int) {
	for _, f := range strings.Fields(s) {
		if n, err := strconv.Atoi(f); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// unitAccount is the user that a unit names; a dynamic one need not exist yet.
func unitAccount(name string, dynamic bool, groups []string) account {
	if name == "" && !dynamic {
		return account{name: "root", uid: 0}
	}
	a := account{name: name, uid: -1}
	if u, err := user.Lookup(name); err == nil {
		a.uid, _ = strconv.Atoi(u.Uid)
		own, _ := u.GroupIds()
		a.gids = numbers(strings.Join(own, " "))
	}
	if a.name == "" {
		a.name = "the service's dynamic user"
	}
	for _, name := range groups {
		if g, err := user.LookupGroup(name); err == nil {
			a.gids = append(a.gids, numbers(g.Gid)...)
		}
	}
	return a
}

// Permissions of a file for one class of users.
const (
	mayRead  = 4
	mayWrite = 2
	mayEnter = 1
)

// may tells whether the account has the permissions on path, by its mode alone,
// which an ACL may extend. Directories above it are looked at, too.
func (a account) may(path string, want uint32) error {
	if a.self {
		if err := unix.Access(path, want); err != nil {
			return &fs.PathError{Op: "access", Path: path, Err: err}
		}
		return nil
	}
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if err := a.mode(dir, mayEnter); err != nil {
			return err
		}
	}
	return a.mode(path, want)
}

func (a account) mode(path string, want uint32) error {
	info, err := os.Stat(path)
	if err != nil || a.uid == 0 {
		return err
	}
	st := info.Sys().(*syscall.Stat_t)
	bits := uint32(info.Mode().Perm())
	switch {
	case int(st.Uid) == a.uid:
		bits >>= 6
	case slices.Contains(a.gids, int(st.Gid)):
		bits >>= 3
	}
	if bits&want != want {
		return &fs.PathError{Op: "access", Path: path, Err: fs.ErrPermission}
	}
	return nil
}
