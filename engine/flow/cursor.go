package flow

import "github.com/syncd/syncd/engine/journal"

// cursor is how far a lane is with one source.
type cursor struct {
	source  string
	low     journal.Position              // all up to here is settled
	beyond  map[journal.Position]struct{} // settled above low
	open    map[journal.Position]*item    // begun, not settled
	next    journal.Position              // loaded up to here
	frames  []*journal.Frame              // read, not loaded yet
	reached bool                          // the journal had nothing after next when last asked
}

func newCursor(p journal.Progress) *cursor {
	c := &cursor{
		source: p.Source, low: p.Low, next: p.Low,
		beyond: map[journal.Position]struct{}{},
		open:   map[journal.Position]*item{},
	}
	for _, b := range p.Beyond {
		c.settle(b)
	}
	return c
}

func (c *cursor) settle(p journal.Position) {
	delete(c.open, p)
	if p <= c.low {
		return
	}
	c.beyond[p] = struct{}{}
	for {
		if _, ok := c.beyond[c.low+1]; !ok {
			return
		}
		c.low++
		delete(c.beyond, c.low)
	}
}

func (c *cursor) isSettled(p journal.Position) bool {
	if p <= c.low {
		return true
	}
	_, ok := c.beyond[p]
	return ok
}

// amid is the event at p, which is not settled though one of its deliveries is an
// exception already; nil if it is settled.
func (c *cursor) amid(p journal.Position, path string) *item {
	if c.isSettled(p) {
		return nil
	}
	if c.open[p] == nil {
		c.open[p] = &item{cursor: c, pos: p, status: journal.Excepted, done: map[string]struct{}{}}
	}
	c.open[p].done[path] = struct{}{}
	return c.open[p]
}

// rewind makes what was begun and not settled come again. Events of which some
// deliveries have succeeded stay open, so that only the others are repeated.
func (c *cursor) rewind() {
	c.next, c.frames, c.reached = c.low, nil, false
	for p, it := range c.open {
		if len(it.done) == 0 {
			delete(c.open, p)
		}
	}
}

// peek gives the frame that holds the event after next; nil when none is read.
func (c *cursor) peek() *journal.Frame {
	for len(c.frames) > 0 && c.frames[0].Last() <= c.next {
		c.frames = c.frames[1:]
	}
	if len(c.frames) == 0 {
		return nil
	}
	return c.frames[0]
}
