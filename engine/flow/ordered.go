package flow

import (
	"context"
	"errors"
	"slices"

	"github.com/syncd/syncd/engine/component"
)

// What an ordered sink has done is on record by the State of its calls, which
// covers whole calls, while the journal knows whole events. So all deliveries of an
// event go into one call, and a call that ended amid an event never was: the sink
// forgets it, and everything in it comes again.

// continues tells whether the next delivery is of the same event as the last of batch.
func (l *lane) continues(batch []*delivery) bool {
	next := l.freed
	if len(next) == 0 {
		next = l.ready
	}
	if l.ordered == nil || len(batch) == 0 || len(next) == 0 {
		return false
	}
	last := batch[len(batch)-1].item
	return last != nil && next[0].item == last
}

// mayCall tells whether the next call of an ordered sink is allowed now: when the last
// one has been settled, or meanwhile if the sink takes it, it is a whole one, and nobody
// else waits for his turn. Who waits for rate_limit does not hold the turn meanwhile.
func (l *lane) mayCall() bool {
	switch {
	case l.inflight > 0:
		return false
	case l.sent == nil || !l.turned:
		return l.sent == nil && !l.turned
	}
	return l.piped != nil && l.sink.pace == nil && !l.probing && l.single == 0 && l.filled() && l.sink.asking.Load() == 0 && l.piped.Pipelines()
}

// pipelining tells whether a call is under way while the last one is being settled.
func (l *lane) pipelining() bool {
	return l.ordered != nil && l.sent != nil && l.inflight > 0 && l.early == nil
}

// ends takes the report of a call. That of an ordered sink's waits until the last call
// has been settled, lest what it did not do is taken back together with that.
func (l *lane) ends(abort context.Context, f *finished) {
	if l.pipelining() {
		l.early = f
		return
	}
	l.finish(abort, f)
}

// turnSettled goes on when what the lane has done in its turn is on disk.
func (l *lane) turnSettled(abort context.Context) {
	switch f := l.early; {
	case f != nil:
		l.early = nil
		l.finish(abort, f)
	case l.inflight == 0 && l.turned:
		if s, ok := l.sink.Sink.(component.Settler); ok {
			s.Settled()
		}
		l.releaseTurn()
	}
}

// undoEarly gives up a call together with the settlement before it.
func (l *lane) undoEarly() {
	if f := l.early; f != nil {
		l.early = nil
		l.inflight--
		l.undo(f)
	}
}

// crashed handles a panic in a call: what it did is unknown, so it is forgotten,
// and its events come again one by one. One that panics alone is a dead letter.
func (l *lane) crashed(f *finished) bool {
	var p *panicError
	if f.result.Errors == nil || !errors.As(f.result.Errors[0], &p) {
		return false
	}
	l.ordered.Forget()
	n := events(f.batch)
	if n == 1 {
		return false
	}
	l.single = n
	l.undo(f)
	l.rewind()
	return true
}

// torn handles a call that left an event between its deliveries.
func (l *lane) torn(abort context.Context, f *finished) bool {
	if !slices.ContainsFunc(f.result.Errors, func(err error) bool { return err != nil }) {
		return false
	}
	ended, open := map[*item]bool{}, map[*item]bool{}
	var cause error
	for i, d := range f.batch {
		err := f.result.Errors[i]
		of := ended
		if err != nil && (abort.Err() != nil || !component.IsPermanent(err)) {
			of = open
			cause = err
		}
		of[d.item] = true
	}
	delete(ended, nil)
	for it := range ended {
		if open[it] {
			l.ordered.Forget()
			l.stop(cause)
			l.undo(f)
			return true
		}
	}
	return false
}

// undo gives a whole call back.
func (l *lane) undo(f *finished) {
	for _, d := range f.batch {
		l.giveBack(d)
	}
	l.releaseTurn()
}

// events counts the events, or exceptions, in a batch.
func events(batch []*delivery) int {
	same := func(a, b *delivery) bool { return a.item != nil && a.item == b.item }
	return len(slices.CompactFunc(slices.Clone(batch), same))
}
