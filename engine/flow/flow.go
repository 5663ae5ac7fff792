// Package flow runs flows: it reads the journal, applies the steps, feeds the
// lanes to the sinks, delivers, and settles what became of each event.
//
// A Runner has Flows; a flow has a Program (its steps) and a lane for each sink
// that it reaches. Every lane goes through the journal at its own pace and is
// owned by one goroutine; lanes at the same place share one pass through the
// steps. What a lane has done is settled in the journal in batches.
package flow

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/journal"
)

// Spec is a flow to run.
type Spec struct {
	Name        string // address
	Sources     []string
	Program     *Program
	OrderBy     expr.Expr
	Concurrency int // deliveries at a time on each lane; 0: as many as the sink takes
}

// Sink is a sink as lanes use it; all lanes to one sink share it.
type Sink struct {
	component.Sink
	Address component.Address
	Common  component.SinkCommon

	calls chan struct{} // a place for each call, over all lanes
	turn  chan struct{} // held by a lane of an Ordered sink until its settlement is on disk
}

// NewSink makes s ready for lanes.
func NewSink(addr component.Address, s component.Sink, common component.SinkCommon) *Sink {
	return &Sink{
		Sink: s, Address: addr, Common: common,
		calls: make(chan struct{}, common.Concurrency),
		turn:  make(chan struct{}, 1),
	}
}

// Options is what a Runner needs of the world.
type Options struct {
	Journal journal.Journal
	Log     *slog.Logger
	Now     func() time.Time // stored timestamps, UTC
	// Jitter gives numbers in [0,1) that spread retries.
	Jitter func() float64
}

// Runner runs flows. Make one with New, then Run it once.
type Runner struct {
	o     Options
	flows []*flow
	lanes map[journal.Lane]*lane
}

// flow is one flow at run time.
type flow struct {
	Spec
	o      Options
	steps  *stepsLane
	memo   memo
	deaths deaths
	again  sync.Mutex // held while a dead letter is retried
}

// New prepares the flows to go on where progress (what Journal.Configure gave)
// stands. sinks holds every sink that a program reaches.
func New(o Options, specs []Spec, sinks map[component.Address]*Sink, progress []journal.Progress) (*Runner, error) {
	r := &Runner{o: o, lanes: map[journal.Lane]*lane{}}
	at := map[journal.Lane][]journal.Progress{}
	for _, p := range progress {
		at[p.Lane] = append(at[p.Lane], p)
	}
	for _, s := range specs {
		f := &flow{Spec: s, o: o}
		f.steps = newStepsLane(f, at)
		r.flows = append(r.flows, f)
		for _, addr := range s.Program.Sinks() {
			sink := sinks[addr]
			if sink == nil {
				return nil, fmt.Errorf("run %s: no sink %s", s.Name, addr)
			}
			id := journal.Lane{Flow: s.Name, Sink: string(addr)}
			r.lanes[id] = newLane(f, sink, id, at[id])
		}
	}
	return r, nil
}

// Run delivers until ctx ends, then finishes what has begun and settles it.
// When abort ends, deliveries under way are given up too; they come again after
// a restart.
func (r *Runner) Run(ctx, abort context.Context) error {
	waiting, err := r.waiting(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	var lanes sync.WaitGroup
	for id, l := range r.lanes {
		for _, ex := range waiting[id] {
			l.resume(ex)
		}
		lanes.Go(func() { l.run(ctx, abort) })
	}
	for _, f := range r.flows {
		f.steps.begin()
		for _, ex := range waiting[f.steps.id] {
			if err := r.again(ctx, f, ex); err != nil {
				f.o.Log.Error("retry of a dead letter failed", "flow", f.Name, "event", ex.EventID, "error", err)
			}
		}
	}
	lanes.Wait()
	for _, f := range r.flows {
		f.steps.drain()
	}
	return nil
}

// waiting reads the exceptions that wait for a retry, by lane, without their envelopes.
func (r *Runner) waiting(ctx context.Context) (map[journal.Lane][]journal.Exception, error) {
	all, err := r.o.Journal.Exceptions(ctx, journal.ExceptionQuery{AliveOnly: true, Bare: true})
	if err != nil {
		return nil, fmt.Errorf("read what waits for a retry: %w", err)
	}
	by := map[journal.Lane][]journal.Exception{}
	for _, ex := range all {
		by[ex.Lane] = append(by[ex.Lane], ex)
	}
	return by, nil
}

// Has tells whether a flow that runs has the lane.
func (r *Runner) Has(id journal.Lane) bool { return r.lanes[id] != nil || r.owner(id) != nil }

// owner is the flow whose steps lane id is.
func (r *Runner) owner(id journal.Lane) *flow {
	for _, f := range r.flows {
		if f.steps.id == id {
			return f
		}
	}
	return nil
}

// Retry takes up an exception that Journal.Revive has just made wait, of a lane
// that the runner has.
func (r *Runner) Retry(ctx context.Context, ex journal.Exception) error {
	if l := r.lanes[ex.Lane]; l != nil {
		return l.revive(ctx, ex)
	}
	return r.again(ctx, r.owner(ex.Lane), ex)
}

// LaneStatus is what a lane is doing.
type LaneStatus struct {
	Lane      journal.Lane
	State     State
	LastError string
	Probe     time.Time // of a stopped lane
}

// Lanes tells what the lanes are doing, in no order.
func (r *Runner) Lanes() []LaneStatus {
	out := make([]LaneStatus, 0, len(r.lanes))
	for _, l := range r.lanes {
		out = append(out, *l.shown.Load())
	}
	return out
}
