package simulation

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// world is one history: what is outside the daemon, and the daemon that runs now.
type world struct {
	seed    seed
	dir     string // of the journal; the only thing of ours that a crash leaves
	fault   *fault // planted on purpose; nil: none
	plan    *plan
	model   *model
	peers   []*peer
	version version
	daemon  *daemon
	daemons int          // started so far
	serials int          // of events
	edits   atomic.Int64 // of the configuration

	clock   atomic.Int64 // by how much the wall clock is off, in nanoseconds
	peak    time.Time    // the latest that it has shown
	trouble trouble      // of the disk
	purges  bool         // settled events go before the end
	given   map[given]bool
	unsure  map[journal.Lane]bool // an operator's drop of these was not answered

	mu      sync.Mutex
	failure error
	began   time.Time
	log     []string // nil: not kept
	logging bool
}

// given names an event that an operator gave up where it had died in a step.
type given struct {
	flow string
	n    int
}

// trouble is a disk that fails for a while.
type trouble struct {
	mu    sync.Mutex
	until time.Time
	err   error
}

func (t *trouble) begin(err error, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err, t.until = err, time.Now().Add(d)
}

// now is the error that a commit meets.
func (t *trouble) now() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.until) {
		return t.err
	}
	return nil
}

func newWorld(s seed, f *fault) (*world, error) {
	parent := "/dev/shm" // memory: what is searched here is the order of things, not the disk
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	dir, err := os.MkdirTemp(parent, "syncd-simulation-")
	if err != nil {
		return nil, err
	}
	p := newPlan(s)
	w := &world{
		seed: s, dir: dir, fault: f, plan: p, model: newModel(p),
		version: newVersion(),
		given:   map[given]bool{}, unsure: map[journal.Lane]bool{}, began: time.Now(),
	}
	for _, k := range p.sinks {
		w.peers = append(w.peers, newPeer(w, k))
	}
	for _, f := range p.flows[1:] {
		w.version.gone[f.name] = f.late
	}
	return w, nil
}

// latest is the furthest that the daemon's clock may have shown.
func (w *world) latest() time.Time { return later(w.peak, w.wall()) }

// wall is the daemon's clock for timestamps.
func (w *world) wall() time.Time { return time.Now().Add(time.Duration(w.clock.Load())).UTC() }

// fail notes the first broken promise.
func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failure == nil {
		w.failure = fmt.Errorf("after %s: %w", time.Since(w.began), fmt.Errorf(format, args...))
	}
}

func (w *world) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}

// trace keeps a line for the comparison of two runs of one seed.
func (w *world) trace(format string, args ...any) {
	if !w.logging {
		return
	}
	line := fmt.Sprintf("%15d ", time.Since(w.began)) + fmt.Sprintf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, line)
}

// story is the trace in the order of virtual time. What happens at one moment
// happens in no order.
func (w *world) story() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.log)
	return strings.Join(w.log, "\n")
}

var discard = slog.New(slog.DiscardHandler)
