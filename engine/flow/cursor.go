package flow

import "github.com/syncd/syncd/engine/journal"

// cursor is how far a lane is with one source.
type cursor struct {
	source  string
	low     journal.Position           // all up to here is settled
	beyond  ahead                      // settled above low
	open    map[journal.Position]*item // begun, not settled
	next    journal.Position           // loaded up to here
	frames  []*journal.Frame           // read, not loaded yet
	reached bool                       // the journal had nothing after next when last asked
}

func newCursor(p journal.Progress) *cursor {
	c := &cursor{
		source: p.Source, low: p.Low, next: p.Low,
		open: map[journal.Position]*item{},
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
	if p == c.low+1 && len(c.beyond.words) == 0 {
		c.low++
		return
	}
	c.beyond.add(p, c.low)
	c.low = c.beyond.pass(c.low)
}

func (c *cursor) isSettled(p journal.Position) bool {
	return p <= c.low || c.beyond.has(p)
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

// adopt takes over items that a predecessor has begun.
func (c *cursor) adopt(items map[journal.Position]*item) {
	for p, it := range items {
		if !c.isSettled(p) {
			it.cursor = c
			c.open[p] = it
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
