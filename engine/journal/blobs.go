package journal

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/syncd/syncd/engine/component"
)

const (
	blobDir = "blobs"
	// defaultBlob is what would have a frame of its own anyway.
	defaultBlob = maxBytes
	// unfinished begins the names of files that are still being written.
	unfinished = ".new-"
)

var blobName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// blobs are payloads and envelopes that are files beside the database, named by the SHA-256
// of what they hold: a mail to ten recipients is one file. It is on disk before the commit
// that names it, and goes some time after the last frame or exception that did. Such a
// frame holds one event.
type blobs struct {
	dir   string
	bytes atomic.Int64 // of all files

	mu       sync.Mutex
	pins     map[string]int  // by name: appends on their way that need it
	doubtful map[string]bool // no frame may need them
}

// openBlobs looks at what is there: a kill may have left files that no frame names.
func openBlobs(dir string) (*blobs, error) {
	b := &blobs{dir: dir, pins: map[string]int{}, doubtful: map[string]bool{}}
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read what is beside the database: %w", err)
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), unfinished) {
			if err := os.Remove(b.path(e.Name())); err != nil {
				return nil, fmt.Errorf("remove what a kill has left: %w", err)
			}
			continue
		}
		if !blobName.MatchString(e.Name()) {
			continue // not ours
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("read what is beside the database: %w", err)
		}
		b.bytes.Add(info.Size())
		b.doubtful[e.Name()] = true
	}
	return b, nil
}

func (b *blobs) path(name string) string { return filepath.Join(b.dir, name) }

// put has raw on disk when it returns, and keeps it there until it is unpinned.
func (b *blobs) put(raw []byte) (name string, err error) {
	sum := sha256.Sum256(raw)
	name = hex.EncodeToString(sum[:])
	b.pin(name)
	if err := b.write(name, raw); err != nil {
		b.unpin(name)
		return "", fmt.Errorf("write a large payload beside the database: %w", err)
	}
	return name, nil
}

func (b *blobs) write(name string, raw []byte) error {
	if _, err := os.Stat(b.path(name)); err == nil {
		return syncDir(b.dir) // whoever wrote it may not have come to that yet
	}
	if err := b.make(); err != nil {
		return err
	}
	f, err := os.CreateTemp(b.dir, unfinished)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = b.place(f.Name(), name, int64(len(raw)))
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return syncDir(b.dir)
}

// make makes the directory, if this is the first.
func (b *blobs) make() error {
	err := os.Mkdir(b.dir, 0o700)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return syncDir(filepath.Dir(b.dir))
}

// place gives a finished file its name. Of several that hold the same, one stays.
func (b *blobs) place(from, name string, size int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := os.Stat(b.path(name)); err != nil {
		b.bytes.Add(size)
	}
	return os.Rename(from, b.path(name))
}

// read gives what put was given.
func (b *blobs) read(name string) ([]byte, error) {
	raw, err := os.ReadFile(b.path(name))
	if err != nil {
		return nil, fmt.Errorf("read a large payload: %w", err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != name {
		return nil, fmt.Errorf("%s is damaged (its name is the SHA-256 of what it held): put it back from a backup", b.path(name))
	}
	return raw, nil
}

func (b *blobs) pin(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pins[name]++
}

// unpin leaves the file to the frame that names it, if there is one.
func (b *blobs) unpin(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pins[name]--; b.pins[name] == 0 {
		delete(b.pins, name)
	}
	b.doubtful[name] = true
}

// doubt has collect look whether any frame needs the files.
func (b *blobs) doubt(names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range names {
		b.doubtful[n] = true
	}
}

// collect removes doubtful files that nobody needs. Only the writer calls it, between
// transactions: what an append has pinned cannot be committed meanwhile.
func (b *blobs) collect(needed func(name string) (bool, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.doubtful {
		if b.pins[name] > 0 {
			continue
		}
		yes, err := needed(name)
		if err != nil {
			return err
		}
		if !yes {
			if err := b.remove(name); err != nil {
				return fmt.Errorf("remove a large payload: %w", err)
			}
		}
		delete(b.doubtful, name)
	}
	return nil
}

func (b *blobs) remove(name string) error {
	info, err := os.Stat(b.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.Remove(b.path(name))
	}
	if err == nil {
		b.bytes.Add(-info.Size())
	}
	return err
}

// blobNames are those of the large ones among what is to be stored.
type blobNames struct {
	names  []string // by place, "" for what is not large; nil: none is
	pinned []string
}

// put writes what is large into files.
func (b *blobNames) put(j *SQLite, n int, content func(i int) []byte) error {
	var last []byte // of the last that is pinned
	for i := range n {
		raw := content(i)
		if len(raw) < j.o.Blob {
			continue
		}
		if !sameMemory(last, raw) {
			name, err := j.blobs.put(raw)
			if isFull(err) {
				return &component.LaterError{Reason: reasonDisk, After: laterSpace}
			}
			if err != nil {
				return err
			}
			b.pinned, last = append(b.pinned, name), raw
		}
		if b.names == nil {
			b.names = make([]string, n)
		}
		b.names[i] = b.pinned[len(b.pinned)-1]
	}
	return nil
}

// sameMemory tells whether a and b are one payload, as for the recipients of one mail.
func sameMemory(a, b []byte) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

func (b *blobNames) of(i int) string {
	if b.names == nil {
		return ""
	}
	return b.names[i]
}

func (b *blobNames) unpin(from *blobs) {
	for _, name := range b.pinned {
		from.unpin(name)
	}
}

// syncDir has the directory's entries on disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// letGo takes up some of the files that exceptions need no more.
func (w *writer) letGo() error {
	var names []string
	err := w.conn.query("SELECT name FROM unneeded LIMIT ?", []any{int64(letGoFiles)}, func(r []driver.Value) error {
		names = append(names, text(r[0]))
		return nil
	})
	for _, name := range names {
		if err == nil {
			err = w.conn.exec("DELETE FROM unneeded WHERE name = ?", name)
		}
	}
	if err != nil {
		return fmt.Errorf("let go of files: %w", err)
	}
	w.txn.unnamed = append(w.txn.unnamed, names...)
	w.due.unneeded = len(names) == letGoFiles
	return nil
}

// collect removes files that nothing names any more.
func (w *writer) collect() {
	if w.conn == nil {
		return
	}
	err := w.j.blobs.collect(func(name string) (bool, error) {
		n, err := w.conn.integer("SELECT EXISTS (SELECT 1 FROM frames WHERE blob = ?) OR EXISTS (SELECT 1 FROM exceptions WHERE blob = ?)", name, name)
		return n != 0, err
	})
	if err != nil && !w.uncollected {
		w.log.Error("what is not needed any more stays beside the database", "directory", w.j.blobs.dir, "error", err)
	}
	w.uncollected = err != nil
}
