package engine

import (
	"math"

	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/component"
)

// allBodies is the weight of the semaphore for bodies being received. What
// max_in_flight does not allow of it is taken from the start, so that a reload can
// give some back, or take more.
const allBodies = math.MaxInt64 / 2

func newBodies(limit component.Size) *semaphore.Weighted {
	bodies := semaphore.NewWeighted(allBodies)
	bodies.TryAcquire(allBodies - int64(limit))
	return bodies
}

// limitBodies changes what max_in_flight allows from one limit to another. A lower
// one holds when enough bodies have been received.
func (e *engine) limitBodies(from, to component.Size) {
	if to >= from {
		e.bodies.Release(int64(to - from))
		return
	}
	e.retiring.Go(func() { _ = e.bodies.Acquire(e.abort, int64(from-to)) }) // fails at the end only
}
