package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/syncd/syncd/engine/unit"
	"golang.org/x/sys/unix"
)

const (
	// leastRoom is the size of the journal's reserve, below which it cannot work well.
	leastRoom = 64 << 20
	// leastInodes is what a file system should have left; syncd needs a dozen, and
	// one for each output file.
	leastInodes = 1000
)

// Magic numbers of statfs(2) that are not in package unix, or named oddly there.
const (
	magicCIFS = 0xff534d42
	magicSMB2 = 0xfe534d42
	magicFUSE = 0x65735546
	magicCeph = 0x00c36400
)

// unfit tells what is wrong with a journal on that kind of file system: SQLite's
// write-ahead log needs locks, shared memory and syncs that hold.
func unfit(magic int64) (what string, l Level) {
	switch magic {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		return "is in memory (tmpfs): all that was accepted is lost when the machine stops", Error
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, magicCIFS, magicSMB2, magicCeph, unix.AFS_SUPER_MAGIC, unix.V9FS_MAGIC:
		return "is on a network file system, where locks and syncs cannot be trusted", Error
	case magicFUSE:
		return "is on a FUSE file system: whether its syncs hold depends on it", Warning
	}
	return "", OK
}

// checkState looks at the state directory, and at the room that the journal has.
func (e *exam) checkState() {
	if e.cfg == nil {
		return
	}
	const check = "state"
	dir := absolute(e.cfg.Daemon.StateDir)
	there, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.warn(check, dir+" cannot be looked at by this user", "Run syncd doctor as root.")
		return
	case errors.Is(err, fs.ErrNotExist):
		e.checkNewState(dir)
	case err != nil:
		e.fail(check, err.Error(), "Mend it, or choose another state_dir.")
		return
	case !there.IsDir():
		e.fail(check, dir+" is not a directory", "Move it away, or choose another state_dir.")
		return
	default:
		e.checkOldState(dir)
	}
	e.checkRoom(dir)
}

func (e *exam) checkNewState(dir string) {
	const check = "state"
	parent := unit.Existing(dir)
	if e.madeByUnit(dir) {
		e.ok(check, dir+" is not there yet; systemd makes it at the start")
		return
	}
	if err := e.who.may(parent, mayWrite|mayEnter); err != nil {
		e.fail(check, fmt.Sprintf("%s is not there, and %s may not make it in %s", dir, e.who.name, parent), "Make it, and give it to that user.")
		return
	}
	e.ok(check, dir+" is not there yet; it is made at the start")
}

func (e *exam) checkOldState(dir string) {
	const check = "state"
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err == nil {
		if what, l := unfit(st.Type); l != OK {
			e.add(Finding{l, check, dir + " " + what, "Choose a state_dir on a local disk."})
			return
		}
	}
	if e.Unit != nil && e.Unit.Access(dir) != unit.Writable {
		e.fail(check, fmt.Sprintf("%s keeps %s read-only for the service", e.Unit.Name, dir), e.lift(dir))
		return
	}
	// systemd gives what it makes to the service's user at each start.
	if err := e.who.may(dir, mayWrite|mayEnter); err != nil && !e.madeByUnit(dir) {
		e.fail(check, fmt.Sprintf("%s may not write to %s: %v", e.who.name, dir, err), "Give it to that user: chown -R.")
		return
	}
	e.ok(check, dir+" is there and can be written")
}

// madeByUnit tells whether the directory is the unit's StateDirectory=, or in it.
func (e *exam) madeByUnit(dir string) bool {
	if e.Unit == nil {
		return false
	}
	rel, err := filepath.Rel(e.Unit.Environment()["STATE_DIRECTORY"], dir)
	return err == nil && filepath.IsLocal(rel)
}

// checkRoom compares the room on the disk with what the journal may grow to.
func (e *exam) checkRoom(dir string) {
	var st unix.Statfs_t
	if unix.Statfs(unit.Existing(dir), &st) != nil {
		return
	}
	used := int64(0)
	for _, name := range []string{"journal.db", "journal.db-wal", "ballast"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			used += info.Size()
		}
	}
	inodes := int64(-1)
	if st.Files > 0 { // some file systems make them as needed
		inodes = int64(st.Ffree)
	}
	e.add(room(dir, int64(st.Bavail)*st.Bsize, inodes, used, int64(e.cfg.Daemon.Journal.MaxSize)))
}

// room judges so many bytes and inodes that are free; -1 inodes: no matter.
func room(dir string, free, inodes, used, maxSize int64) Finding {
	const check = "disk"
	const advice = "Make room, or lower daemon { journal { max_size } }: a full disk turns senders away."
	switch {
	case free < leastRoom:
		return Finding{Error, check, fmt.Sprintf("only %s are free for %s", size(free), dir), advice}
	case inodes >= 0 && inodes < leastInodes:
		return Finding{Error, check, fmt.Sprintf("only %d files can still be made on the disk of %s (inodes)", inodes, dir), "Remove small files; df -i shows how many."}
	case free < maxSize-used:
		return Finding{Warning, check, fmt.Sprintf("%s are free for %s, and the journal may grow by %s (max_size)", size(free), dir, size(maxSize-used)), advice}
	}
	return Finding{OK, check, fmt.Sprintf("%s are free for %s", size(free), dir), ""}
}

// size writes bytes as people read them.
func size(n int64) string {
	f := float64(n)
	for _, u := range []string{"B", "KiB", "MiB"} {
		if f < 1024 {
			return fmt.Sprintf("%.0f %s", f, u)
		}
		f /= 1024
	}
	return fmt.Sprintf("%.1f GiB", f)
}

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}
