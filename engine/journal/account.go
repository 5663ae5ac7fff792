package journal

import (
	"database/sql/driver"
	"fmt"
)

// class is what became of an event as a flow sees it.
type class int

const (
	pending class = iota
	dead
	dropped
	delivered
	filtered
)

// entry gathers what the tracks of a feed say of one event.
type entry struct {
	status  Status
	pending bool // some track has not settled it
	waiting bool // an exception waits for its retry
	dead    bool // an exception is a dead letter
}

// excepted tells that an exception is open, whose end decides.
func (e *entry) excepted() bool { return e.waiting || e.dead }

// class is the first that applies.
func (e *entry) class() class {
	switch {
	case e.pending || e.waiting:
		return pending
	case e.dead:
		return dead
	case e.status&Dropped != 0:
		return dropped
	case e.status&Delivered != 0:
		return delivered
	}
	return filtered
}

// hear adds what one track has stored for p.
func (e *entry) hear(t *track, p Position, stored Status) {
	status, takes, settled := t.judge(p, stored)
	if !takes {
		return
	}
	e.status |= status
	e.pending = e.pending || !settled
}

// tally gathers the entries of the positions after from, up to to, as the tables
// say. Entry i is of position from+1+i.
func tally(c *conn, f *feed, from, to Position) ([]entry, error) {
	entries := make([]entry, to-from)
	stored := make([]Status, to-from)
	for _, t := range f.tracks {
		clear(stored)
		err := eachOutcomes(c, t.id, from+1, to, func(o *outcomes) error {
			for p := max(o.first, from+1); p <= min(o.last(), to); p++ {
				stored[p-from-1] = o.at(p).status
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read outcomes: %w", err)
		}
		for i := range entries {
			entries[i].hear(t, from+1+Position(i), stored[i])
		}
		if t.ended() {
			continue
		}
		err = eachExcepted(c, t.id, from+1, to, func(p Position, isDead bool) {
			e := &entries[p-from-1]
			e.dead, e.waiting = e.dead || isDead, e.waiting || !isDead
		})
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// eachExcepted gives the track's events that have open exceptions, and whether
// all of those are dead letters.
func eachExcepted(c *conn, track int64, from, to Position, each func(p Position, dead bool)) error {
	const query = "SELECT position, min(dead) FROM exceptions WHERE " + ofTrack + " AND position >= ? AND position <= ? GROUP BY position"
	err := c.query(query, []any{track, from, to}, func(r []driver.Value) error {
		each(pos(r[0]), num(r[1]) != 0)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read exceptions: %w", err)
	}
	return nil
}

// fold puts what all lanes of a flow have settled into its counters: enough of it
// to be worth it, or all when a purge waits for that.
func (w *writer) fold() error {
	least := Position(foldAt)
	if w.due.purge || w.space.early {
		least = 1
	}
	budget := Position(foldEvents)
	for _, f := range w.model.feeds {
		to := f.settled()
		if f.folded >= to || to-f.folded < least {
			continue
		}
		if budget == 0 {
			w.due.more = true
			return nil
		}
		if to-f.folded > budget {
			to = f.folded + budget
			w.due.more = true
		}
		budget -= to - f.folded
		entries, err := tally(w.conn, f, f.folded, to)
		if err != nil {
			return fmt.Errorf("count outcomes: %w", err)
		}
		for i := range entries {
			f.count(&entries[i])
		}
		f.folded = to
		w.txn.touchFeed(f)
	}
	return nil
}

// counter is where events of the entry's class are counted.
func (f *feed) counter(e *entry) *int64 {
	switch e.class() {
	case delivered:
		return &f.delivered
	case dropped:
		return &f.dropped
	}
	return &f.filtered
}

// count adds the event to its counter; with open exceptions it is in none.
func (f *feed) count(e *entry) {
	if !e.excepted() {
		*f.counter(e)++
	}
}

// uncount takes back what count added. Of an event whose outcomes are purged
// nobody knows any more which counter that was: then it is one that has some.
func (f *feed) uncount(e *entry) {
	if e.excepted() {
		return
	}
	for _, c := range []*int64{f.counter(e), &f.delivered, &f.dropped} {
		if *c > 0 {
			*c--
			return
		}
	}
}

// entryAt is the entry of one event as the transaction at hand has left it.
func (w *writer) entryAt(f *feed, p Position) (entry, error) {
	var e entry
	for _, t := range f.tracks {
		o, err := w.row(t, p)
		if err != nil {
			return e, err
		}
		var stored Status
		if o != nil {
			stored = o.at(p).status
		}
		e.hear(t, p, stored)
		if t.ended() || t.exceptions == 0 {
			continue
		}
		err = eachExcepted(w.conn, t.id, p, p, func(_ Position, isDead bool) {
			e.dead, e.waiting = e.dead || isDead, e.waiting || !isDead
		})
		if err != nil {
			return e, err
		}
	}
	return e, nil
}

// recount holds the entries of events that are in a feed's counters already, as
// they were before a task, so that the counters can follow what it changes.
type recount struct {
	feed   *feed
	at     Position
	before entry
}

// remember notes the event unless it is not counted yet, or noted.
func (w *writer) remember(list []recount, f *feed, p Position) ([]recount, error) {
	if p > f.folded || p <= f.start || p > f.end {
		return list, nil
	}
	for i := range list {
		if list[i].feed == f && list[i].at == p {
			return list, nil
		}
	}
	e, err := w.entryAt(f, p)
	if err != nil {
		return list, err
	}
	return append(list, recount{f, p, e}), nil
}

// settleCounts moves the remembered events to the counters of what they are now.
func (w *writer) settleCounts(list []recount) error {
	for i := range list {
		r := &list[i]
		now, err := w.entryAt(r.feed, r.at)
		if err != nil {
			return err
		}
		r.feed.uncount(&r.before)
		r.feed.count(&now)
		w.txn.touchFeed(r.feed)
	}
	return nil
}
