// Package files is the sink that writes events to files, of this machine or at a
// connection, each record exactly once.
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
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/row"
)

//go:embed page.md
var page string

// Kind declares sink "files".
var Kind = component.SinkKind("files", "Writes events to files: CSV, NDJSON, JSON, XML, Excel and other formats.", newConfig, open).WithPage(page)

const (
	maxBatch = 2048
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
	fs    files.FS
	life  context.Context // ends when the sink is closed
	fixed string          // the path, where that is the same for all

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
	_ component.Pipelined  = (*sink)(nil)
	_ component.Settler    = (*sink)(nil)
	_ component.FieldOrder = (*sink)(nil)
	_ component.Shaped     = (*sink)(nil)
	_ component.Closer     = (*sink)(nil)
)

func open(env component.Env, cfg *Config) (component.Sink, error) {
	if _, err := cfg.Format.NewWriter(nil); err != nil {
		return nil, err
	}
	s, err := newSink(env, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Roll != nil && (cfg.Roll.Every > 0 || cfg.Connection.IsSet()) {
		s.startTimer()
	}
	return s, nil
}

func newSink(env component.Env, cfg *Config) (*sink, error) {
	s := &sink{
		cfg: cfg, log: env.Log, now: env.Now, state: env.State,
		fs: files.Local{}, targets: map[string]*target{}, wake: make(chan struct{}, 1),
	}
	s.life, s.stop = context.WithCancel(context.Background())
	if cfg.Connection.IsSet() {
		var err error
		s.fs, err = component.Connect[files.FS](env, cfg.Connection)
		return s, err
	}
	if path, ok := cfg.Path.Literal(); ok {
		if err := writable(filepath.Dir(path)); err != nil {
			s.log.Warn("the sink cannot write yet", "error", s.explain(path, err))
		}
		s.fixed, _ = s.path(nil) // an error comes with each delivery
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

// Pipelines while nothing but the ends of files moves: what is begun, completed or let
// go of waits until it is on record.
func (s *sink) Pipelines() bool {
	if s.cfg.Roll != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := func(t *target) bool { return t.intent != "" || t.isWaiting() }
	return len(s.targets) <= maxTargets && !slices.ContainsFunc(s.sent, begun)
}

// Settled publishes what the last settlement completed.
func (s *sink) Settled() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.life)
	s.nudge()
}

// Deliver appends each event to its file, in order, and syncs each file once.
func (s *sink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(ctx)
	errs := make([]error, len(ds))
	failed := s.parts.load(ctx, s)
	for _, g := range s.group(ds, errs) {
		err := failed
		if err == nil {
			err = s.write(ctx, g)
		}
		if err != nil {
			g.fail(s.explain(g.path, err))
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
			room := len(ds) - i
			if s.fixed == "" {
				room = 0 // few may have this path
			}
			groups = append(groups, &group{path: path, bodies: make([]any, 0, room), results: make([]*error, 0, room)})
		}
		groups[n].bodies = append(groups[n].bodies, s.body(ds[i].Event))
		groups[n].results = append(groups[n].results, &errs[i])
	}
	return groups
}

// TakesRows says that JSON is written of rows as of objects.
func (s *sink) TakesRows() {}

// body is what is written of an event: only JSON is written of rows as they are.
func (s *sink) body(e *component.Event) any {
	r, ok := e.Body.(*row.Row)
	if !ok {
		return e.Body
	}
	switch s.cfg.Format.Name() {
	case "ndjson", "json":
		return r
	}
	return r.Map()
}

func (s *sink) path(e *component.Event) (string, error) {
	if s.fixed != "" {
		return s.fixed, nil
	}
	at, ok := s.cfg.Path.Literal()
	if !ok {
		var err error
		if at, err = s.cfg.Path.Eval(e.Input()); err != nil {
			return "", fmt.Errorf("fill path: %w", err)
		}
	}
	if at = path.Clean(at); at == path.Dir(at) {
		return "", errors.New("fill path: it names no file")
	}
	return at, nil
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

// settle takes note that what the last call returned is on disk, or that it will be before
// what comes now (see Pipelines), and publishes.
func (s *sink) settle(ctx context.Context) {
	for _, t := range s.sent {
		t.kept = t.now.clone()
		s.dropIntent(ctx, t)
		if err := s.publish(ctx, t); err != nil {
			s.log.Error("a complete file cannot be published yet", "path", t.path, "error", s.explain(t.path, err))
		}
	}
	s.sent = nil
	s.evict()
}

// evict forgets paths of which everything is on record.
func (s *sink) evict() {
	for at, t := range s.targets {
		if len(s.targets) <= maxTargets {
			return
		}
		if t.now.equal(t.kept) && !t.isWaiting() {
			delete(s.targets, at)
		}
	}
}

// Close stops the timer. What waits in parts stays there for the next start.
func (s *sink) Close() error {
	s.stop()
	return nil
}
