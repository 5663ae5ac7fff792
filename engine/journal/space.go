package journal

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/syncd/syncd/engine/component"
	"golang.org/x/sys/unix"
)

// When the journal can take nothing, sources are asked to come again after this.
const (
	laterSpace   = 10 * time.Second
	laterBacklog = 5 * time.Second
)

const reasonDisk = "disk full"

// defaultBallast is what is kept back for settling and deleting on a full disk.
const defaultBallast = 64 << 20

// space watches the database's size and the disk's room. It belongs to the writer.
type space struct {
	disk      bool  // the disk was full; the ballast is gone
	early     bool  // settled frames go before their time
	exhausted bool  // nothing more can go
	said      bool  // early purging was logged
	unseen    int64 // bytes written since the size was last measured
	ballast   int64
}

// diskFull frees the ballast and turns appends away until there is room again.
func (s *space) diskFull(w *writer) {
	if s.disk {
		return
	}
	s.disk, s.early = true, true
	if err := os.Remove(w.j.path("ballast")); err != nil && !errors.Is(err, os.ErrNotExist) {
		w.log.Error("the ballast could not be freed", "error", err)
	}
	w.log.Error("the disk is full: nothing is accepted until there is room", "directory", w.j.dir)
	s.publish(w)
}

// measure compares the database with its limit. It is called between transactions.
func (s *space) measure(w *writer) {
	s.unseen = 0
	limit := w.j.limits.Load().maxSize
	if limit <= 0 || w.conn == nil {
		return
	}
	used, err := w.used()
	if err != nil {
		return // the next transaction meets it too, and tells
	}
	switch {
	case used >= limit:
		if !s.said {
			w.log.Warn("the journal has reached its max_size: what is settled goes before its retention", "bytes", used)
		}
		s.early, s.said = true, true
	case used < limit-limit/32:
		s.early, s.exhausted, s.said = s.disk, false, false
	}
	s.publish(w)
}

// relimit forgets what followed from the old limit.
func (s *space) relimit(w *writer) {
	s.early, s.exhausted, s.said = s.disk, false, false
	s.measure(w)
}

// used is the size of all that is in the database and beside it.
func (w *writer) used() (int64, error) {
	pages, err := w.conn.integer("PRAGMA page_count")
	if err != nil {
		return 0, err
	}
	free, err := w.conn.integer("PRAGMA freelist_count")
	return (pages-free)*pageSize + w.j.blobs.bytes.Load(), err
}

// publish tells appends whether there is room.
func (s *space) publish(w *writer) {
	var full *component.LaterError
	switch {
	case s.disk:
		full = &component.LaterError{Reason: reasonDisk, After: laterSpace}
	case s.early && s.exhausted:
		full = &component.LaterError{Reason: fmt.Sprintf("the journal has reached its max_size of %s", human(w.j.limits.Load().maxSize)), After: laterSpace}
	}
	w.j.full.Store(full)
}

// recover looks, after the disk was full, whether there is room again.
func (s *space) recover(w *writer) {
	if !s.disk {
		return
	}
	free, err := diskFree(w.j.dir)
	if err != nil || free < s.ballast+min(max(s.ballast/8, 1<<20), 16<<20) {
		return
	}
	if err := layBallast(w.j.path("ballast"), s.ballast); err != nil {
		return
	}
	s.disk, s.early, s.exhausted = false, false, false
	w.log.Info("there is room on the disk again", "directory", w.j.dir)
	s.measure(w)
	s.publish(w)
}

// startBallast lays the ballast, or finds it.
func (s *space) startBallast(w *writer) {
	path := w.j.path("ballast")
	if st, err := os.Stat(path); err == nil && st.Size() > 0 {
		s.ballast = st.Size()
		return
	}
	s.ballast = w.j.o.Ballast
	if s.ballast == 0 {
		s.ballast = defaultBallast
	}
	free, err := diskFree(w.j.dir)
	if err == nil {
		s.ballast = min(s.ballast, free/4)
	}
	s.ballast = max(s.ballast, 0)
	if err := layBallast(path, s.ballast); err != nil {
		w.log.Warn("no ballast could be laid: a full disk will also stop settling", "error", err)
	}
}

// layBallast makes a file of that size whose blocks are really there.
func layBallast(path string, size int64) error {
	if size == 0 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = fill(f, size)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

func fill(f *os.File, size int64) error {
	block := make([]byte, 1<<20)
	for size > 0 {
		n, err := f.Write(block[:min(size, int64(len(block)))])
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return f.Sync()
}

// diskFree is what an unprivileged process may still write in the directory's file system.
func diskFree(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// human writes a size as configurations do.
func human(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size {
			if n%u.size == 0 {
				return fmt.Sprintf("%d%s", n/u.size, u.name)
			}
			return fmt.Sprintf("%.1f%s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%dB", n)
}
