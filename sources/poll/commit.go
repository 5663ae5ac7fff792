package poll

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/component"
)

// piece is a part of a run that is committed as a whole: records and the state that
// covers them.
type piece struct {
	drafts []component.Draft
	bytes  int
	weight int64 // what it takes of the committer's room
	state  []component.Put
	turns  bool // it ends a page
}

const (
	// A commit takes what has been read meanwhile, up to about so much.
	commitRecords = 1000
	commitBytes   = 1 << 20
	// waiting is how much may have been read ahead, beyond it reading waits.
	waitingPieces = 64
	waitingBytes  = 4 << 20
)

// committer hands pieces to the intake, in order, while the next ones are read. As
// many as wait go in one batch.
type committer struct {
	in     component.Intake
	room   *semaphore.Weighted // of waitingBytes
	pieces chan piece
	done   chan struct{}
	fail   context.CancelCauseFunc // ends the reading
	moved  bool                    // something new was committed, or the end of a page
	err    error
}

func newCommitter(ctx context.Context, in component.Intake, fail context.CancelCauseFunc) *committer {
	c := &committer{in: in, room: semaphore.NewWeighted(waitingBytes), pieces: make(chan piece, waitingPieces), done: make(chan struct{}), fail: fail}
	go c.run(ctx)
	return c
}

func (c *committer) run(ctx context.Context) {
	defer close(c.done)
	for p := range c.pieces {
		if c.err != nil {
			continue
		}
		c.gather(&p)
		var accepted []component.Accepted
		accepted, c.err = c.in.Accept(ctx, component.Batch{Drafts: p.drafts, State: p.state})
		c.room.Release(p.weight)
		if c.err != nil {
			c.fail(c.err)
			continue
		}
		c.moved = c.moved || p.turns || slices.ContainsFunc(accepted, isNew)
	}
}

func isNew(a component.Accepted) bool { return !a.Duplicate }

// gather adds to p what waits behind it.
func (c *committer) gather(p *piece) {
	for len(p.drafts) < commitRecords && p.bytes < commitBytes {
		select {
		case more, ok := <-c.pieces:
			if !ok {
				return
			}
			p.drafts = append(p.drafts, more.drafts...)
			p.bytes += more.bytes
			p.weight += more.weight
			p.turns = p.turns || more.turns
			p.state = latest(p.state, more.state)
		default:
			return
		}
	}
}

// latest is state with more over it.
func latest(state, more []component.Put) []component.Put {
	for _, put := range more {
		found := false
		for i := range state {
			if state[i].Key == put.Key {
				state[i], found = put, true
			}
		}
		if !found {
			state = append(state, put)
		}
	}
	return state
}

// put hands a piece over; false when nothing more is taken, see close.
func (c *committer) put(ctx context.Context, p piece) bool {
	p.weight = min(int64(p.bytes), waitingBytes)
	if c.room.Acquire(ctx, p.weight) != nil {
		return false
	}
	select {
	case c.pieces <- p:
		return true
	case <-ctx.Done():
		return false
	}
}

// close waits until all that was handed over is committed, or has failed.
func (c *committer) close() error {
	close(c.pieces)
	<-c.done
	return c.err
}

func isLater(err error) bool {
	var later *component.LaterError
	return errors.As(err, &later)
}
