// Package flow runs flows: it reads the journal, applies the steps, feeds the
// lanes to the sinks, delivers, and settles what became of each event.
//
// A Runner has Flows; a flow has a Program (its steps) and a lane for each sink
// that it reaches. Every lane goes through the journal at its own pace and is
// owned by one goroutine; lanes at the same place share one pass through the
// steps. What a lane has done is settled in the journal in batches.
//
// Another configuration is taken over while all runs, by Swap: what is the same
// goes on, what is not has a successor.
package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/journal"
)

// Spec is a flow to run.
type Spec struct {
	Name        string // address
	Origin      string // the address that it had first; "": Name
	Sources     []string
	Program     *Program
	OrderBy     expr.Expr
	Hold        bool // events of a dead letter's order_by key wait until it is retried or dropped
	Concurrency int  // deliveries at a time on each lane; 0: as many as the sink takes
}

func (s *Spec) origin() string { return cmp.Or(s.Origin, s.Name) }

// same tells whether o is the same flow. The identical Program says that nothing
// which was written of the flow has changed, order_by included.
func (s *Spec) same(o *Spec) bool {
	return s.Program == o.Program && s.Name == o.Name && s.origin() == o.origin() &&
		s.Concurrency == o.Concurrency && slices.Equal(s.Sources, o.Sources)
}

// Sink is a sink as lanes use it; all lanes to one sink share it.
type Sink struct {
	component.Sink
	Address component.Address
	Origin  component.Address // the address that it had first; "": Address
	Common  component.SinkCommon

	calls chan struct{} // a place for each call, over all lanes
	turn  chan struct{} // held by a lane of an Ordered sink until its settlement is on disk
	// asking are the lanes that wait for their turn.
	asking atomic.Int32
	// leaving are the turns of those that must have come to an end before the first call.
	leaving []chan struct{}
	left    atomic.Bool // they have

	pace *rate.Limiter // of rate_limit; nil: none
}

// NewSink makes s ready for lanes.
func NewSink(addr component.Address, s component.Sink, common component.SinkCommon) *Sink {
	sink := &Sink{
		Sink: s, Address: addr, Common: common,
		calls: make(chan struct{}, common.Concurrency),
		turn:  make(chan struct{}, 1),
	}
	if r := common.RateLimit; r.IsSet() {
		sink.pace = rate.NewLimiter(rate.Limit(float64(r.N)/r.Per.Seconds()), r.N)
	}
	return sink
}

// After makes s the successor of old, which is the same place in the world: if they
// are Ordered, they are never called at the same time, and s only when what old did
// last is on disk. Call it before s has lanes.
func (s *Sink) After(old *Sink) *Sink {
	s.turn = old.turn
	s.inherit(old)
	return s
}

// Await has s, if it is Ordered, begin when what old did last is on disk: old leaves
// with the Swap that brings s, and may be the same place in the world under another
// name. Call it before s has lanes.
func (s *Sink) Await(old *Sink) {
	s.leaves(old.turn)
	s.inherit(old)
}

// inherit has s wait for whom old has not seen the end of. They have been retired
// before, so that one that holds no turn is over.
func (s *Sink) inherit(old *Sink) {
	if old.left.Load() {
		return
	}
	for _, turn := range old.leaving {
		select {
		case turn <- struct{}{}:
			<-turn
		default:
			s.leaves(turn)
		}
	}
}

func (s *Sink) leaves(turn chan struct{}) {
	if turn != s.turn && !slices.Contains(s.leaving, turn) {
		s.leaving = append(s.leaving, turn)
	}
}

// await returns when those that s has to wait for have come to their end; they begin
// nothing any more. false: the context ended before that, or retired was closed. No
// turn may be held meanwhile: they may wait for s in the same way.
func (s *Sink) await(ctx context.Context, retired <-chan struct{}) bool {
	if s.left.Load() {
		return true
	}
	for _, turn := range s.leaving {
		select {
		case turn <- struct{}{}:
			<-turn
		case <-ctx.Done():
			return false
		case <-retired:
			return false
		}
	}
	s.left.Store(true)
	return true
}

func (s *Sink) origin() string { return string(cmp.Or(s.Origin, s.Address)) }

// Options is what a Runner needs of the world.
type Options struct {
	Journal journal.Journal
	// Progress tells how far a lane of the topology that the journal was last
	// configured with has come with each of its sources, as its last settlement has
	// left it. Errors: journal.ErrNotFound for a lane that is not of the topology.
	Progress func(ctx context.Context, id journal.Lane) ([]journal.Progress, error)
	Log      *slog.Logger
	Now      func() time.Time // stored timestamps, UTC
	// Jitter gives numbers in [0,1) that spread retries.
	Jitter func() float64
}

// Runner runs flows. Make one with New, then Run it once; meanwhile Swap changes
// what it runs.
type Runner struct {
	o      Options
	roster atomic.Pointer[roster]

	mu         sync.Mutex // of Run and Swap, who change the roster and what is below
	ctx, abort context.Context
	stopped    bool // nothing begins any more
	seats      map[journal.Lane]*seat
	members    sync.WaitGroup  // flows and lanes that have not ended
	retired    <-chan struct{} // what the last Swap gave
}

// roster is who is in charge now. It is never changed, but replaced.
type roster struct {
	flows map[string]*flow
	lanes map[journal.Lane]*lane
}

// Check tells what makes specs impossible to run. Every sink that a program reaches
// must be there, and each must reach one at least: it is the lanes to sinks that read
// the journal, and a flow without any would leave all its events pending.
func Check(specs []Spec, sinks map[component.Address]*Sink) error {
	for _, s := range specs {
		if len(s.Program.Sinks()) == 0 {
			return fmt.Errorf("run %s: it leads to no sink", s.Name)
		}
		for _, addr := range s.Program.Sinks() {
			if sinks[addr] == nil {
				return fmt.Errorf("run %s: no sink %s", s.Name, addr)
			}
		}
	}
	return nil
}

// New prepares the flows to go on where progress (what Journal.Configure gave)
// stands. Errors are those of Check.
func New(o Options, specs []Spec, sinks map[component.Address]*Sink, progress []journal.Progress) (*Runner, error) {
	if err := Check(specs, sinks); err != nil {
		return nil, err
	}
	over := make(chan struct{})
	close(over)
	r := &Runner{o: o, seats: map[journal.Lane]*seat{}, retired: over}
	s, begun, _ := r.assemble(&roster{}, specs, sinks)
	for _, f := range begun.flows {
		f.from = &place{}
	}
	for _, l := range begun.lanes {
		l.from = &place{}
	}
	for _, p := range progress {
		if f := s.flows[p.Lane.Flow]; f != nil {
			f.from.progress = append(f.from.progress, p)
		}
		if l := s.lanes[p.Lane]; l != nil {
			l.from.progress = append(l.from.progress, p)
		}
	}
	r.roster.Store(s)
	return r, nil
}

// Run delivers until ctx ends, then finishes what has begun and settles it.
// When abort ends, deliveries under way are given up too; they come again after
// a restart.
func (r *Runner) Run(ctx, abort context.Context) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	err := r.begin(ctx, running, abort)
	if err == nil {
		<-ctx.Done()
	}
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	stop()
	r.members.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// begin starts all that New has prepared, until running ends.
func (r *Runner) begin(ctx, running, abort context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ctx, r.abort = running, abort
	var all party
	s := r.roster.Load()
	for _, f := range s.flows {
		if f.Program.dead == nil {
			continue
		}
		if err := r.redo(ctx, f); err != nil {
			return err
		}
	}
	waiting, err := r.waiting(ctx)
	if err != nil {
		return err
	}
	for _, f := range s.flows {
		all.flows = append(all.flows, f)
		if f.from != nil {
			f.from.waiting = waiting[journal.Lane{Flow: f.Name}]
		}
	}
	for id, l := range s.lanes {
		all.lanes = append(all.lanes, l)
		if l.from != nil {
			l.from.waiting = waiting[id]
		}
	}
	r.start(all)
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
func (r *Runner) Has(id journal.Lane) bool {
	s := r.roster.Load()
	return s.lanes[id] != nil || id.Sink == "" && s.flows[id.Flow] != nil
}

// Retry takes up an exception that Journal.Revive has just made wait. One whose lane
// has left meanwhile waits in the journal until the lane is back, or until the next
// start.
func (r *Runner) Retry(ctx context.Context, ex journal.Exception) error {
	var err error
	if ex.Lane.Sink != "" {
		err = r.ask(ctx, ex.Lane, func(l *lane) { l.revive(ex) })
	} else {
		err = r.again(ctx, ex)
	}
	if errors.Is(err, errLeft) {
		return nil
	}
	return err
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
	lanes := r.roster.Load().lanes
	out := make([]LaneStatus, 0, len(lanes))
	for _, l := range lanes {
		out = append(out, *l.shown.Load())
	}
	return out
}
