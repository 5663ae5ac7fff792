// Package watch tells when something that a configuration reads has changed.
//
// It watches directories, never files, since most editors put a new file in the
// old one's place, and it follows every symlink on the way as the kernel does.
// An event only makes it look: what counts is whether the files now read
// differently, so that neither a touch nor an editor's swap file is reported.
package watch

import (
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// How long a series of changes must be over before it is reported (quiet), and
// how long one that does not end is waited for (bound).
const (
	quiet = 100 * time.Millisecond
	bound = time.Second
)

// How often files are looked at without an event: seldom, for file systems that
// send none (NFS, a mount over a directory), and often where the kernel refuses to watch.
const (
	safety  = 30 * time.Second
	polling = 2 * time.Second
)

// Watcher watches the files it was last told of. All methods are safe for
// concurrent use.
type Watcher struct {
	log     *slog.Logger
	orders  chan order
	changes chan []string
	stop    chan struct{}
	stopped chan struct{}

	// What follows belongs to run.
	dirs  *dirs
	burst *burst
	what  order
	base  map[string]stamp  // as last reported or, before that, read
	now   *look             // the last one
	heard func(name string) // for tests: an event that counts
}

// order is what to watch.
type order struct {
	root  string
	files []string
	texts map[string][]byte
	read  time.Time
	done  chan struct{}
}

// New makes a watcher, of nothing so far. It never fails: where the kernel does
// not help, files are polled, and the log says what would help.
func New(log *slog.Logger) *Watcher {
	w := newWatcher(log, newBurst(quiet, bound))
	go w.run()
	return w
}

func newWatcher(log *slog.Logger, b *burst) *Watcher {
	return &Watcher{
		log: log, dirs: newDirs(log), burst: b, now: &look{}, heard: func(string) {},
		orders: make(chan order), changes: make(chan []string, 1),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
}

// Changes gives the paths that have changed, sorted, once they have been quiet
// for a moment. What changes before a report is taken is added to it.
func (w *Watcher) Changes() <-chan []string { return w.changes }

// Set says what to watch from now on, and returns when it is watched: root, the
// path of the configuration (a file, or a directory with all *.hcl below it, also
// those to come), and the other files that were read or looked for. Relative
// paths are relative to the working directory.
//
// Reading began at read, and of some files texts says what they held, by their
// absolute paths. A file that may have changed since is reported, so that no change
// between reading and watching is missed.
func (w *Watcher) Set(root string, files []string, texts map[string][]byte, read time.Time) {
	o := order{root: absolute(root), texts: texts, read: read, done: make(chan struct{})}
	for _, f := range files {
		o.files = append(o.files, absolute(f))
	}
	select {
	case w.orders <- o:
		<-o.done
	case <-w.stopped:
	}
}

// absolute leaves a path as it is where there is no working directory any more.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Close stops watching. It must be called once.
func (w *Watcher) Close() {
	close(w.stop)
	<-w.stopped
}

func (w *Watcher) run() {
	defer close(w.stopped)
	defer w.dirs.close()
	defer w.burst.end()
	poll := time.NewTimer(safety)
	defer poll.Stop()
	for {
		select {
		case <-w.stop:
			return
		case o := <-w.orders:
			w.adopt(o)
			poll.Reset(w.dirs.every())
			close(o.done)
		case e := <-w.dirs.events():
			w.event(e)
		case err := <-w.dirs.errors():
			w.dirs.lost(err)
			w.burst.note()
		case <-w.burst.over():
			w.burst.end()
			w.compare()
		case <-poll.C:
			if w.settle(); len(w.now.differences(w.base)) > 0 {
				w.burst.note()
			}
			poll.Reset(w.dirs.every())
		}
	}
}

// event takes what the kernel tells. A directory or a link that comes or goes is
// followed at once, so that what happens behind it counts for the same burst.
func (w *Watcher) event(e fsnotify.Event) {
	if !w.now.concerns(e) {
		return
	}
	w.burst.note()
	w.heard(e.Name)
	if e.Has(fsnotify.Create|fsnotify.Remove|fsnotify.Rename) && !isConfig(filepath.Base(e.Name)) {
		w.dirs.drop(e.Name) // it may be another one, even with the same inode number
		w.settle()
	}
}

// compare reports what has changed since the last time.
func (w *Watcher) compare() {
	w.settle()
	changed := w.now.differences(w.base)
	w.base = w.now.stamps
	if len(changed) > 0 {
		w.report(changed)
	}
}

// report hands over what has changed, together with what nobody has taken yet.
func (w *Watcher) report(changed []string) {
	select {
	case before := <-w.changes:
		changed = slices.Compact(slices.Sorted(slices.Values(append(changed, before...))))
	default:
	}
	w.changes <- changed // nobody else sends, so there is room
}

// rounds bounds how often settle looks again at directories that come and go.
const rounds = 10

// settle looks at everything with all directories on the way watched: what
// changed before a watch was in place is seen by looking once more.
func (w *Watcher) settle() {
	for range rounds {
		w.now = takeLook(w.what, w.now)
		if !w.dirs.watch(w.now.dirs) {
			return
		}
	}
	w.burst.note() // once more when it has calmed down
}

// adopt changes what is watched. A file whose text was read is compared with that;
// another that was watched before with how it looked then, since the last report may
// be older than the reading that it led to.
func (w *Watcher) adopt(o order) {
	sameRoot := o.root == w.what.root
	w.what = o
	w.settle()
	base := maps.Clone(w.now.stamps)
	for path, s := range w.base {
		if _, still := base[path]; still || sameRoot && s.below {
			base[path] = s
		}
	}
	for path, s := range w.now.stamps {
		_, known := w.base[path]
		_, read := o.texts[path]
		switch {
		case s.holds(o.texts[path]):
			base[path] = s
		case read && s.sums, !known && s.changedSince(o.read):
			base[path] = stamp{err: "not seen as it was read"}
		}
	}
	w.base, w.what.texts = base, nil
	if len(w.now.differences(base)) > 0 {
		w.burst.note()
	}
}
