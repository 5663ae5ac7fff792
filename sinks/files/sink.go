// Package files is the sink that writes events to files of this machine, each
// record exactly once.
//
// How far a file counts is committed together with the settlement of the events
// in it. Whatever stands behind that after a crash or a failed write was never
// settled: it is cut off before the next record is written, and its events come
// again. Files that roll are written under a name of their own and renamed when a
// settlement covers all that they hold; a part that is on record and gone has
// been published.
package files

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// Kind declares sink "files".
var Kind = component.SinkKind("files", "Writes events to files, as CSV, NDJSON or JSON.", newConfig, open)

const (
	maxBatch = 512
	// maxTargets bounds the paths whose progress is kept in memory.
	maxTargets = 1024
	// maxParts bounds the files that are waiting for more; beyond it the oldest is published.
	maxParts = 512
)

type sink struct {
	cfg   *Config
	log   *slog.Logger
	now   func() time.Time
	state component.State
	disk  disk

	mu      sync.Mutex
	fields  []string           // of the flow's last map
	targets map[string]*target // by path
	sent    []*target          // in the result of the last call, which may not be settled yet
	parts   index
	buf     []byte // of the last call, for the next
	record  []byte
	wake    chan struct{}
	stop    func()
}

var (
	_ component.Ordered    = (*sink)(nil)
	_ component.Settler    = (*sink)(nil)
	_ component.FieldOrder = (*sink)(nil)
	_ component.Closer     = (*sink)(nil)
)

func open(env component.Env, cfg *Config) (component.Sink, error) {
	s := &sink{
		cfg: cfg, log: env.Log, now: env.Now, state: env.State,
		targets: map[string]*target{}, wake: make(chan struct{}, 1), stop: func() {},
	}
	if path, ok := cfg.Path.Literal(); ok {
		if err := writable(filepath.Dir(path)); err != nil {
			s.log.Warn("the sink cannot write yet", "error", explain(filepath.Dir(path), err))
		}
	}
	if cfg.Roll != nil && cfg.Roll.Every > 0 {
		s.startTimer()
	}
	return s, nil
}

// MaxBatch is how many records share one sync.
func (s *sink) MaxBatch() int { return maxBatch }

// UseFields gives the order of CSV columns for which the configuration has none.
func (s *sink) UseFields(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fields = names
}

// Forget drops what is in memory: the files are compared with what is on record
// before they are written again.
func (s *sink) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.targets)
	s.sent, s.parts = nil, index{}
}

// Settled publishes what the last settlement completed.
func (s *sink) Settled() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	s.nudge()
}

// Deliver appends each event to its file, in order, and syncs each file once.
func (s *sink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	errs := make([]error, len(ds))
	failed := s.parts.load(ctx, s)
	for _, g := range s.group(ds, errs) {
		err := failed
		if err == nil {
			err = s.write(ctx, g)
		}
		if err != nil {
			g.fail(explain(filepath.Dir(g.path), err))
		}
	}
	if !slices.Contains(errs, nil) {
		return component.Result{Errors: errs}
	}
	return component.Result{Errors: errs, State: s.puts()}
}

// group is the deliveries of one path.
type group struct {
	path    string
	bodies  []any
	results []*error
}

// fail gives err to all that have not failed by themselves.
func (g *group) fail(err error) {
	for _, r := range g.results {
		if *r == nil {
			*r = err
		}
	}
}

func (s *sink) group(ds []component.Delivery, errs []error) []*group {
	var groups []*group
	for i := range ds {
		path, err := s.path(ds[i].Event)
		if err != nil {
			errs[i] = component.Permanent(err)
			continue
		}
		n := slices.IndexFunc(groups, func(g *group) bool { return g.path == path })
		if n < 0 {
			n = len(groups)
			groups = append(groups, &group{path: path})
		}
		groups[n].bodies = append(groups[n].bodies, ds[i].Event.Body)
		groups[n].results = append(groups[n].results, &errs[i])
	}
	return groups
}

func (s *sink) path(e *component.Event) (string, error) {
	path, ok := s.cfg.Path.Literal()
	if !ok {
		var err error
		if path, err = s.cfg.Path.Eval(e.Input()); err != nil {
			return "", fmt.Errorf("fill path: %w", err)
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("resolve path: %w", err)
	}
	if path == filepath.Dir(path) {
		return "", errors.New("fill path: it names no file")
	}
	return path, nil
}

// puts is what the settlement is to commit: all that differs from what is on record.
func (s *sink) puts() []component.Put {
	var puts []component.Put
	for _, t := range s.targets {
		if t.now.equal(t.kept) {
			continue
		}
		s.sent = append(s.sent, t)
		puts = append(puts, t.put())
	}
	slices.SortFunc(puts, func(a, b component.Put) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	if s.cfg.Roll != nil {
		puts = append(puts, s.parts.put()...)
	}
	return puts
}

// settle takes note that what the last call returned is on disk, and publishes.
func (s *sink) settle() {
	for _, t := range s.sent {
		t.kept = t.now.clone()
		s.dropIntent(t)
		if err := s.publish(t); err != nil {
			s.log.Error("a complete file cannot be published yet", "path", t.path, "error", explain(t.dir, err))
		}
	}
	s.sent = nil
	s.evict()
}

// evict forgets paths of which everything is on record.
func (s *sink) evict() {
	for path, t := range s.targets {
		if len(s.targets) <= maxTargets {
			return
		}
		if t.now.equal(t.kept) && !t.isWaiting() {
			delete(s.targets, path)
		}
	}
}

// Close stops the timer. What waits in parts stays there for the next start.
func (s *sink) Close() error {
	s.stop()
	return nil
}
