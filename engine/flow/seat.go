package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// seat is the place of a lane over all its generations, found by the origins of its
// flow and sink. Who takes the estate has the seat until he leaves his own; so there
// are never two who deliver. A flow has that of its steps lane.
type seat struct {
	estate  chan *estate
	control chan func(*lane) // served by who has the seat
}

// seat finds, or makes, that of id.
func (r *Runner) seat(id journal.Lane) *seat {
	s := r.seats[id]
	if s == nil {
		s = &seat{estate: make(chan *estate, 1), control: make(chan func(*lane))}
		s.estate <- &estate{}
		r.seats[id] = s
	}
	return s
}

// vacant tells whether nobody has the seat, and nobody misses anything without it.
func (s *seat) vacant() bool {
	select {
	case e := <-s.estate:
		s.estate <- e
		return len(e.items) == 0
	default:
		return false
	}
}

// take waits until the seat is free; false: the term ended before that.
func (s *seat) take(t *term) (*estate, bool) {
	select {
	case e := <-s.estate:
		return e, true
	case <-t.life.Done():
		return nil, false
	}
}

// estate is what a lane leaves beside what is in the journal.
type estate struct {
	sink     *Sink
	breaker  breaker
	items    map[string]map[journal.Position]*item // events of which some deliveries have ended, by source
	retries  map[journal.Key]*retry                // that wait
	unstored map[journal.Key]*retry                // that wait for their item's end
}

// leaves is what l leaves behind.
func (l *lane) leaves() *estate {
	l.lapse()
	e := &estate{
		sink: l.sink, breaker: l.breaker, items: l.foreign,
		retries: map[journal.Key]*retry{}, unstored: l.unstored,
	}
	l.eachWaiting(func(r *retry) { e.retries[r.ex.Key] = r })
	for _, c := range l.cursors {
		c.rewind()
		if len(c.open) > 0 {
			e.items[c.source] = c.open
		}
	}
	return e
}

// goOn puts the lane where its last one has come to, by what is on disk and what that
// one has left.
func (l *lane) goOn(e *estate) bool {
	if l.from == nil {
		var ok bool
		if l.from, ok = insist(&l.o, &l.term, func() (*place, error) { return l.o.place(l.life, l.id) }); !ok {
			return false
		}
	}
	for _, p := range l.from.progress {
		if l.f.steps.cursors[p.Source] != nil {
			l.cursors = append(l.cursors, newCursor(p))
		}
	}
	l.inherit(e)
	delivered, ok := l.resumeBatches()
	if !ok || !l.resumeHolds() {
		return false
	}
	over := e.over()
	for key := range over {
		l.inHand[key] = false
	}
	for _, ex := range l.from.waiting {
		switch {
		case over[ex.Key]:
		case delivered[ex.Key]:
			l.wasDelivered(ex)
		default:
			l.resume(ex, e.retries[ex.Key])
		}
	}
	l.from = nil
	l.expectMembers()
	clear(l.busy)
	l.holdWaiting()
	l.show()
	return true
}

// inherit takes over what the last one in the seat has left, before what waits in the
// journal is resumed.
func (l *lane) inherit(e *estate) {
	same := e.sink == l.sink
	for _, r := range e.retries {
		e.refresh(r, same)
	}
	for _, r := range e.unstored {
		e.refresh(r, same)
	}
	switch {
	case same && e.breaker.down():
		l.breaker = e.breaker
		l.state, l.probing = Stopped, false
	case same:
		l.failing = e.breaker.failing
	}
	l.foreign = map[string]map[journal.Position]*item{}
	for source, items := range e.items {
		c := l.cursor(source)
		if c == nil {
			l.foreign[source] = items
			continue
		}
		c.adopt(items)
	}
	if e.unstored != nil {
		l.unstored = e.unstored
	}
}

// refresh prepares what waits for the next one in the seat. The time in which nobody
// could try it does not count against retry.for; another sink is tried at once.
func (e *estate) refresh(r *retry, same bool) {
	switch late := time.Since(r.next); {
	case e.breaker.down() && same: // counted when the lane goes on
	case e.breaker.down():
		r.since = r.since.Add(time.Since(e.breaker.stopped))
	case late > 0:
		r.since = r.since.Add(late)
	}
	if !same {
		r.next = time.Now()
	}
}

// over are the exceptions that stand in the journal as waiting though they have come
// to an end: that is stored with the end of their event.
func (e *estate) over() map[journal.Key]bool {
	keys := map[journal.Key]bool{}
	for _, items := range e.items {
		for _, it := range items {
			for _, r := range it.resolved {
				keys[r.Key] = true
			}
			for _, ex := range it.failed {
				keys[ex.Key] = true
			}
		}
	}
	return keys
}

// place is where a lane goes on, by what is on disk.
type place struct {
	progress []journal.Progress
	waiting  []journal.Exception // for a retry; without their envelopes
}

// place reads that of a lane.
func (o *Options) place(ctx context.Context, id journal.Lane) (*place, error) {
	progress, err := o.Progress(ctx, id)
	if err != nil {
		return nil, err
	}
	waiting, err := o.Journal.Exceptions(ctx, journal.ExceptionQuery{Lane: &id, AliveOnly: true, Bare: true})
	if err != nil {
		return nil, fmt.Errorf("read what waits for a retry: %w", err)
	}
	return &place{progress, waiting}, nil
}

// insist reads something until that works; false: the term ended before that.
func insist[T any](o *Options, t *term, read func() (T, error)) (v T, ok bool) {
	for first := true; ; first = false {
		v, err := read()
		if err == nil {
			return v, true
		}
		// A lane that the journal does not know any more is about to be retired.
		if t.life.Err() == nil && !(first && errors.Is(err, journal.ErrNotFound)) {
			o.Log.Error("cannot read where a flow goes on; it waits", "error", err)
		}
		select {
		case <-time.After(settleRetry):
		case <-t.life.Done():
			return v, false
		}
	}
}

// errLeft says that a lane or flow has left, or is stopping, with nobody after it.
var errLeft = errors.New("it runs no longer")

// ask has do run by who is in charge of the lane, and waits for it.
func (r *Runner) ask(ctx context.Context, id journal.Lane, do func(*lane)) error {
	done := make(chan struct{})
	for {
		s := r.roster.Load()
		l := s.lanes[id]
		if l == nil {
			return errLeft
		}
		select {
		case l.seat.control <- func(l *lane) { do(l); close(done) }:
			<-done
			return nil
		case <-l.ended:
			if r.roster.Load() == s {
				return errLeft
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
