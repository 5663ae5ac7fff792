package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncd/syncd/engine/component"
	"golang.org/x/sys/unix"
)

// Options of Open. The zero value is usable.
type Options struct {
	// Now is the clock for what is stored; nil: time.Now. Waiting uses package time.
	Now func() time.Time
	// Log gets what an operator must know; nil: nobody does.
	Log *slog.Logger
	// MaxSize is, until SetLimits, the size of the database in bytes at which settled events go before
	// their Retention and then, if that does not help, appends are turned away; 0: no limit.
	MaxSize int64
	// Retention is how long settled events are kept, until SetLimits.
	Retention time.Duration
	// Ballast is the size of the file that is given up when the disk is full, so
	// that settling can go on; 0: 64 MiB. It never takes more than a quarter of the
	// room there is at the first start. Negative: none.
	Ballast int64
	// Blob is the size of payloads, in bytes, that are files beside the database; 0: 1 MiB.
	Blob int
	// Committed is called after each commit, and must not block; nil: nobody cares.
	Committed func()
	// Hooks are for tests of faults.
	Hooks Hooks
}

// Hooks are called by the writer within its transactions; nil ones are not.
type Hooks struct {
	// BeforeCommit is called when all is written but the commit: its error is the
	// commit's. An error that wraps ENOSPC is a full disk.
	BeforeCommit func() error
	// AfterCommit is called when the transaction is on disk and nobody knows yet.
	// After an error nobody ever will: the journal stops, as killed.
	AfterCommit func() error
}

// SQLite is a Journal in one database file.
type SQLite struct {
	dir   string
	o     Options
	lock  *os.File
	write *writer
	queue *queue
	done  chan struct{} // closed when the writer has ended

	readers  *readers
	recent   *recent
	watchers watchers
	ports    ports
	full     atomic.Pointer[component.LaterError]
	limits   atomic.Pointer[limits]
	topology atomic.Pointer[Topology]          // as configured last
	names    atomic.Pointer[map[string]string] // of what moved then, by the old ones
	buffers  buffers
	blobs    *blobs
	shared   shared
	idle     sync.Pool // of *appendTask; of this journal only, for their channels

	closing sync.Once
	closed  atomic.Bool
	killed  atomic.Bool
	result  error // of Close
}

var _ Journal = (*SQLite)(nil)

// Open opens the journal in dir, making both if need be, and starts its writer.
// Only one process at a time may have it open.
func Open(dir string, o Options) (*SQLite, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Blob == 0 {
		o.Blob = defaultBlob
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &SQLite{dir: abs, o: o, queue: newQueue(), done: make(chan struct{}), readers: newReaders(), recent: newRecent(), buffers: newBuffers(),
		watchers: watchers{bySource: map[string]map[chan struct{}]bool{}}, ports: ports{byName: map[string]*port{}}}
	j.limits.Store(&limits{o.MaxSize, o.Retention})
	j.idle.New = func() any { return &appendTask{job: newJob()} }
	w, err := j.open()
	if err != nil {
		if j.lock != nil {
			j.lock.Close()
		}
		return nil, fmt.Errorf("open journal in %s: %w", abs, err)
	}
	j.write = w
	go w.run()
	return j, nil
}

func (j *SQLite) open() (*writer, error) {
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return nil, j.unusable(err)
	}
	var err error
	if j.lock, err = lock(j.path("lock")); err != nil {
		return nil, j.unusable(err)
	}
	if err := inspect(j.file()); err != nil {
		return nil, j.unusable(err)
	}
	if j.blobs, err = openBlobs(j.path(blobDir)); err != nil {
		return nil, j.unusable(err)
	}
	w := &writer{j: j, log: j.o.Log}
	if w.conn, err = j.dialWriter(); err != nil {
		return nil, j.unusable(err)
	}
	if err := w.load(); err != nil {
		w.conn.close()
		return nil, j.unusable(err)
	}
	return w, nil
}

// load brings the database to our schema and reads from it what the writer needs.
func (w *writer) load() error {
	if err := prepare(w.conn); err != nil {
		return err
	}
	if err := w.ready(); err != nil {
		return err
	}
	w.due.discarded = true // perhaps: a look tells
	w.space.startBallast(w)
	w.space.measure(w)
	return nil
}

// dialWriter opens the connection that may write. Autocheckpoint at 1000 pages and
// pages of 4 KiB were measured to be best, or as good as any.
func (j *SQLite) dialWriter() (*conn, error) {
	return dial(j.file(), "page_size(4096)", "auto_vacuum(INCREMENTAL)", "journal_mode(WAL)", "wal_autocheckpoint(1000)", "journal_size_limit(67108864)")
}

func (j *SQLite) path(name string) string { return filepath.Join(j.dir, name) }

func (j *SQLite) file() string { return j.path("journal.db") }

func (j *SQLite) recycle(t *appendTask) {
	t.payloads.unpin(j.blobs)
	j.buffers.keep(t.buf)
	t.reset()
	j.idle.Put(t)
}

// inspect makes the file if there is none, and refuses one that is no database.
func inspect(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	// https://www.sqlite.org/fileformat.html#magic_header_string
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if !bytes.Equal(head[:n], []byte(magic)) {
		return damaged(file, errors.New("it is not a database"))
	}
	return nil
}

// damaged tells what to do about a file that is not as it was written.
func damaged(file string, err error) error {
	return fmt.Errorf("%s is damaged (%w): it is left as it is. Stop syncd and copy the whole directory away; then put back a backup, "+
		"or save what can be saved with: sqlite3 journal.db .recover. Starting with an empty directory gives up what waits in this one", file, err)
}

// unusable adds to an error of the file system what to do about it.
func (j *SQLite) unusable(err error) error {
	switch {
	case isDamaged(err):
		return damaged(j.file(), err)
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%w: choose another state directory; under systemd add ReadWritePaths=%s to the unit", err, j.dir)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: the directory must be writable by the user that runs syncd (uid %d): change its owner, or choose another state directory", err, os.Getuid())
	}
	return err
}

// Close implements Journal.
func (j *SQLite) Close() error {
	j.closing.Do(func() {
		j.queue.close()
		j.result = j.release()
	})
	return j.result
}

// Abandon stops as a kill would, for tests: what is not committed yet never will
// be, and whoever waits for an answer gets ErrClosed.
func (j *SQLite) Abandon() {
	j.killed.Store(true)
	j.closing.Do(func() {
		j.queue.rouse()
		_ = j.release() // a kill closes nothing cleanly either
	})
}

// release waits for the writer and closes all files.
func (j *SQLite) release() error {
	<-j.done
	j.closed.Store(true)
	j.readers.close()
	var err error
	if c := j.write.conn; c != nil {
		err = c.close()
	}
	if cerr := j.lock.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}
