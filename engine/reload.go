package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/plan"
)

// reloads is what the engine knows of its reloads. What is no atomic belongs to who
// has the turn.
type reloads struct {
	turn      chan struct{} // held until the daemon runs, by each reload, and for good once it drains
	stale     atomic.Pointer[admin.Stale]
	pending   atomic.Pointer[pending]
	held      *hold                   // nil: the files are what is to run
	originals map[int64][]config.Text // of generations of this process, with their secrets
	seen      func(*config.Reading)   // tells the watcher what was read
}

// Reload reads the configuration again and takes it over, or says why not.
func (e *engine) Reload(ctx context.Context, o admin.ReloadOptions) (admin.Reload, error) {
	if err := e.takeTurn(ctx); err != nil {
		return admin.Reload{}, err
	}
	defer e.endTurn()
	return e.reload(e.o.Read(e.o.Config), o), nil
}

// takeTurn waits for the reload under way. A reload itself is never given up
// halfway: it waits for nothing that may take long.
func (e *engine) takeTurn(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		if e.intake.Err() != nil { // both were ready
			e.endTurn()
			return admin.ErrStopping
		}
		return nil
	case <-e.intake.Done():
		return admin.ErrStopping
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *engine) endTurn() { <-e.turn }

// reload makes the files what runs.
func (e *engine) reload(files *config.Reading, o admin.ReloadOptions) admin.Reload {
	defer e.telling()()
	before, was := e.graph.Load(), e.held
	out := e.takeOver(files, "reload", o.AllowEmpty, e.net(before, files, o.Confirm))
	if !out.OK {
		e.pin(was)
		e.failed(out, files.Diagnostics)
		return out
	}
	e.stale.Store(nil)
	switch {
	case out.Generation == before.generation: // and what waits to be kept goes on waiting
		if p := e.pending.Load(); p != nil {
			out.KeepBy = &p.by
		} else {
			e.pin(nil)
		}
	case o.Confirm > 0:
		out.KeepBy = e.awaitKeep(o.Confirm)
	default:
		e.settleKeep()
		e.pin(nil)
	}
	return out
}

// telling has the manager know that a reload begins, and when it is done, how the
// daemon stands then.
func (e *engine) telling() (done func()) {
	if e.o.Manager == nil {
		return func() {}
	}
	e.o.Manager.Reloading("reloading")
	return func() { e.o.Manager.Ready(e.statusLine(context.Background())) }
}

// takeOver makes r what runs. last is called when all is open and nothing has been
// touched, nil: nothing is; its error is why not.
func (e *engine) takeOver(r *config.Reading, origin string, allowEmpty bool, last func() error) admin.Reload {
	old := e.graph.Load()
	if e.seen != nil {
		e.seen(r)
	}
	out := admin.Reload{Generation: old.generation, Diagnostics: rendered(r.Diagnostics), Changes: []admin.Change{}, Daemon: []string{}}
	p, err := compare(old, r, allowEmpty)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Changes, out.Kept, out.Daemon = changes(p), p.Count(plan.Keep), notNil(p.Daemon)
	if e.same(r) {
		out.OK = true
		e.log.Info("configuration read again: nothing has changed", "generation", old.generation)
		return out
	}
	a, err := e.assemble(e.abort, r, old, p, origin)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Changes, out.Kept = changes(p), p.Count(plan.Keep) // assembling may find more to restart
	read := time.Since(r.Time)
	if err := e.swap(a, last); err != nil {
		out.Error = err.Error()
		return out
	}
	commit, swap := a.committed.Sub(r.Time)-read, a.swapped.Sub(a.committed)
	out.OK, out.Generation = true, a.graph.generation
	out.ReadMS, out.CommitMS, out.SwapMS = milliseconds(read), milliseconds(commit), milliseconds(swap)
	e.log.Info("configuration taken over", "generation", a.graph.generation, "origin", origin, "changes", p.Summary(),
		"read", read.Round(time.Microsecond), "commit", commit.Round(time.Microsecond), "swap", swap.Round(time.Microsecond))
	e.logChanges(p)
	e.logMistakes(r.Diagnostics, config.Warning)
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// compare plans the way from old to r. The error says why it cannot be gone.
func compare(old *graph, r *config.Reading, allowEmpty bool) (*plan.Plan, error) {
	if r.Config == nil {
		return nil, errors.New(headline(r.Diagnostics))
	}
	p := plan.Between(old.cfg, r.Config)
	switch {
	case isEmpty(r.Config) && !isEmpty(old.cfg) && !allowEmpty:
		return nil, errors.New("the configuration is empty, which is taken for a mistake (a checkout halfway?): syncd reload --allow-empty stops everything")
	case len(p.Fixed) > 0:
		return nil, fmt.Errorf("%s of the daemon cannot change while it runs: restart it, or take the change back", strings.Join(p.Fixed, " and "))
	}
	return p, nil
}

func isEmpty(c *config.Config) bool {
	return len(c.Sources)+len(c.Flows)+len(c.Sinks)+len(c.Connections) == 0
}

func sameTexts(a, b []config.Text) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || string(a[i].Text) != string(b[i].Text) {
			return false
		}
	}
	return true
}

// swap takes a's graph over: from its Configure on nothing can fail. The flows change
// between two events: none is handled both by those of before and by the new ones.
func (e *engine) swap(a *assembly, last func() error) error {
	if last != nil {
		if err := last(); err != nil {
			return errors.Join(err, a.discard())
		}
	}
	halted := e.haltBefore(a)
	var retired <-chan struct{}
	_, err := e.configure(context.WithoutCancel(e.abort), a, func() {
		a.committed = time.Now()
		a.apply()
		retired = e.runner.Swap(a.graph.list(), a.graph.sinks)
		e.graph.Store(a.graph)
		e.begin(a)
		a.swapped = time.Now()
	})
	if err != nil {
		for _, s := range halted {
			e.launch(s)
		}
		return errors.Join(err, a.discard())
	}
	e.adjust(a.old.cfg.Daemon, a.graph.cfg.Daemon)
	e.retire(a, retired)
	return nil
}

// begin starts the listeners and sources that are new.
func (e *engine) begin(a *assembly) {
	for _, l := range a.ports {
		e.serve(l)
	}
	for address, s := range a.graph.sources {
		if a.old.sources[address] != s {
			e.launch(s)
		}
	}
}

// haltBefore stops the sources that go or are replaced and have a checkpoint, so
// that it never has two owners. Those that listeners serve have none, and go on
// until the routes lead elsewhere.
func (e *engine) haltBefore(a *assembly) []*source {
	var halted []*source
	for address, s := range a.old.sources {
		if a.graph.sources[address] != s && s.routes == nil {
			s.halt()
			halted = append(halted, s)
		}
	}
	return halted
}

// adjust makes the daemon itself follow its settings.
func (e *engine) adjust(old, next config.Daemon) {
	if old.Journal != next.Journal {
		e.journal.SetLimits(int64(next.Journal.MaxSize), next.Journal.Retention)
	}
	if old.MaxInFlight != next.MaxInFlight {
		e.limitBodies(old.MaxInFlight, next.MaxInFlight)
	}
	if old.Log != next.Log && e.o.SetLog != nil {
		e.o.SetLog(next.Log)
	}
}

// retire ends what the old graph has and the new one has not, when nobody uses it
// any more.
func (e *engine) retire(a *assembly, lanes <-chan struct{}) {
	for address, s := range a.old.sources {
		if a.graph.sources[address] != s {
			s.halt()
		}
	}
	idle := e.leave(a)
	e.retiring.Go(func() {
		idle.Wait()
		<-lanes
		if err := closeAll(a.old.without(a.graph)); err != nil {
			e.log.Warn("closing what has gone failed", "error", err)
		}
	})
}

// leave gives up the ports of the listeners that go. The group is done when their
// last requests are.
func (e *engine) leave(a *assembly) *sync.WaitGroup {
	var idle sync.WaitGroup
	for address, l := range a.old.listeners {
		if a.graph.serves(l) {
			continue
		}
		l.Free()
		idle.Go(func() {
			if err := l.Shutdown(e.abort); err != nil {
				e.log.Warn("requests of a listener that goes were cut off", "listener", address, "error", err)
			}
		})
	}
	return &idle
}

func changes(p *plan.Plan) []admin.Change {
	list := []admin.Change{}
	for _, c := range p.Changes {
		if c.Action != plan.Keep {
			list = append(list, admin.Change{Address: string(c.Address), Action: string(c.Action), Reasons: notNil(c.Reasons), State: c.State, From: string(c.From)})
		}
	}
	return list
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// Plan tells what a reload of the configuration at path ("" is the daemon's own)
// would do, and does nothing.
func (e *engine) Plan(ctx context.Context, path string) (admin.Plan, error) {
	if path == "" {
		path = e.o.Config
	}
	r := e.o.Read(path)
	out := admin.Plan{Changes: []admin.Change{}, Daemon: []string{}, Diagnostics: rendered(r.Diagnostics)}
	p, err := compare(e.graph.Load(), r, false)
	if err != nil {
		out.Error = err.Error()
		return out, nil
	}
	out.Changes, out.Kept, out.Daemon = changes(p), p.Count(plan.Keep), notNil(p.Daemon)
	return out, e.countWaiting(ctx, out.Changes)
}

// countWaiting says how much waits on lanes whose flow or sink goes.
func (e *engine) countWaiting(ctx context.Context, list []admin.Change) error {
	stats, err := e.journal.Stats(ctx)
	if err != nil {
		return fmt.Errorf("count what waits: %w", err)
	}
	for i, c := range list {
		if c.Action != string(plan.Stop) {
			continue
		}
		var waits int64
		for _, l := range stats.Lanes {
			if component.Address(l.Flow) == component.Address(c.Address) && l.Sink != "" || l.Sink == c.Address {
				waits += l.Backlog + l.Waiting
			}
		}
		if waits > 0 {
			list[i].State = fmt.Sprintf("%d deliveries wait; %s", waits, c.State)
		}
	}
	return nil
}
