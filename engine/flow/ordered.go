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
