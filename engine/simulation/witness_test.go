package simulation

import (
	"context"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// witness stands between a daemon's flows and its journal, and compares what is
// settled with what the peers have seen.
type witness struct {
	journal.Journal
	in *daemon
}

// Settle also takes a time of its own to answer, so that no two lanes learn of
// their settlements at the same moment.
func (j *witness) Settle(ctx context.Context, s journal.Settlement) error {
	turn()
	defer turn()
	w := j.in.w
	if j.in.alive() {
		for _, o := range s.Outcomes {
			w.supported(s.Lane, o)
		}
		w.dying(s)
	}
	j.in.trace("settle %s: %d outcomes, %d failed, %d resolved", s.Lane, len(s.Outcomes), len(s.Failed), len(s.Resolved))
	turn()
	err := j.Journal.Settle(ctx, s)
	sleep(w.seed.between(time.Microsecond, 3*time.Millisecond, "settle", number(s.Lane.Flow+s.Lane.Sink), int(time.Since(w.began))))
	if err == nil && j.in.alive() {
		w.acknowledged(s)
	}
	return err
}

// Exceptions takes a time of its own where a lane asks for one of its own, for the
// same reason.
func (j *witness) Exceptions(ctx context.Context, q journal.ExceptionQuery) ([]journal.Exception, error) {
	if q.Lane != nil && q.Key != nil {
		w := j.in.w
		sleep(w.seed.between(100, 100_000, "read", number(q.Lane.Flow+q.Lane.Sink), int(q.Key.Position), number(q.Key.Path)))
	}
	return j.Journal.Exceptions(ctx, q)
}

// supported checks that an outcome says no more than what has happened.
func (w *world) supported(l journal.Lane, o journal.Outcome) {
	lane := w.model.lanes[l]
	if lane == nil {
		return
	}
	n, err := w.model.number(o.Source, o.Position)
	if err != nil {
		w.fail("G3: %s settles what was never accepted: %v", l, err)
		return
	}
	var ways, succeeded int
	t := w.peers[lane.sink.index]
	j := w.plan.journey(lane.flow, n)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, v := range j.ways {
		if v.sink != lane.sink.index {
			continue
		}
		ways++
		if r := t.records[delivery{lane.flow.index, n, v.path}]; r != nil && r.succeeded {
			succeeded++
		}
	}
	switch {
	case o.Status&journal.Delivered != 0 && succeeded == 0:
		w.fail("G3: %s settles event %d as delivered; its sink never said so", l, n)
	case o.Status&journal.Nothing != 0 && ways > 0 && !j.dies:
		w.fail("G3: %s settles event %d as having nothing to deliver; it has %d", l, n, ways)
	case o.Status == journal.Delivered && succeeded < ways && !j.dies: // else the rest is its dead letter's
		w.fail("G3: %s settles event %d as delivered; %d of %d are", l, n, succeeded, ways)
	}
}

// acknowledged notes which successes are on record now.
func (w *world) acknowledged(s journal.Settlement) {
	lane := w.model.lanes[s.Lane]
	if lane == nil {
		return
	}
	t := w.peers[lane.sink.index]
	t.mu.Lock()
	defer t.mu.Unlock()
	failed := map[journal.Key]bool{}
	for _, ex := range s.Failed {
		failed[ex.Key], lane.open[ex.Key] = true, true
	}
	for _, o := range s.Resolved {
		delete(lane.open, o.Key)
	}
	settled := func(k journal.Key, n int) {
		if lane.open[k] { // from before a crash, which has forgotten its success
			return
		}
		if r := t.records[delivery{lane.flow.index, n, k.Path}]; r != nil && r.last == ok && !failed[k] {
			r.settled = true
		}
	}
	for _, o := range s.Outcomes {
		n, err := w.model.number(o.Source, o.Position)
		if err != nil {
			continue
		}
		lane.settled[n] = true
		// Where only exceptions are told of, Resolved tells which of them succeeded.
		if o.Status&journal.Delivered == 0 {
			continue
		}
		for _, v := range w.plan.journey(lane.flow, n).ways {
			if v.sink == lane.sink.index {
				settled(journal.Key{Source: o.Source, Position: o.Position, Path: v.path}, n)
			}
		}
	}
	for _, o := range s.Resolved {
		n, err := w.model.number(o.Source, o.Position)
		// As long as others of its event are open, a crash lets it come again.
		if err == nil && o.Status&journal.Delivered != 0 && lane.settled[n] {
			settled(o.Key, n)
		}
	}
}
