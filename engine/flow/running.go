package flow

import (
	"sync"

	"github.com/syncd/syncd/engine/journal"
)

// flow is one flow at run time, until it is changed. Its lanes begin when it is
// ready; it ends when they evaluate nothing any more, and before its successor
// begins.
type flow struct {
	Spec
	term
	r    *Runner
	o    Options
	seat *seat
	from *place // with the progress of its lanes; nil: to be read

	ready      chan struct{}  // closed when steps is there
	evaluating sync.WaitGroup // lanes that may
	steps      *stepsLane
	memo       memo
	shape      lastShape
	deaths     deaths
	again      chan struct{} // held while a dead letter is retried
}

func newFlow(r *Runner, s Spec) *flow {
	return &flow{
		Spec: s, term: newTerm(), r: r, o: r.o, ready: make(chan struct{}), again: make(chan struct{}, 1),
		seat: r.seat(journal.Lane{Flow: s.origin()}),
	}
}

// run keeps the steps lane: it takes it over, retries the dead letters that have been
// left, and hands it on when it is retired.
func (f *flow) run() {
	defer close(f.ended)
	defer f.cancel()
	e, ok := f.seat.take(&f.term)
	if !ok {
		return
	}
	defer func() { f.seat.estate <- e }()
	if f.from == nil {
		if f.from, ok = insist(&f.o, &f.term, f.place); !ok {
			return
		}
	}
	f.steps = newStepsLane(f, f.from.progress)
	f.steps.begin()
	close(f.ready)
	for _, ex := range f.from.waiting {
		if err := f.retry(f.life, ex); err != nil && f.life.Err() == nil {
			f.o.Log.Error("retry of a dead letter failed", "flow", f.Name, "event", ex.EventID, "error", err)
		}
	}
	f.from = nil
	<-f.life.Done()
	f.evaluating.Wait()
	f.again <- struct{}{} // the last retry has ended, and none begins any more
	f.steps.drain(f.r.ctx.Done())
}

// place reads where the flow goes on.
func (f *flow) place() (*place, error) {
	p, err := f.o.place(f.life, journal.Lane{Flow: f.Name})
	if err != nil {
		return nil, err
	}
	for _, sink := range f.Program.Sinks() {
		more, err := f.o.Progress(f.life, journal.Lane{Flow: f.Name, Sink: string(sink)})
		if err != nil {
			return nil, err
		}
		p.progress = append(p.progress, more...)
	}
	return p, nil
}
