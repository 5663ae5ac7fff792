package engine

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// quietFor is how long nothing is committed before the daemon counts as quiet.
	quietFor = time.Second
	// worthFreeing is how much must have been allocated since the last time.
	worthFreeing = 1 << 20
)

// quiet gives memory back to the system when there was much to do and now is nothing: a
// process that idles is otherwise as large, for minutes, as it was at its busiest.
type quiet struct {
	busy     chan struct{}
	giveBack func()
}

func newQuiet(giveBack func()) quiet { return quiet{make(chan struct{}, 1), giveBack} }

// disturb is told that something has happened.
func (q *quiet) disturb() {
	select {
	case q.busy <- struct{}{}:
	default:
	}
}

// watch runs until ctx ends.
func (q *quiet) watch(ctx context.Context) {
	q.giveBack() // reading the configuration took some that is not needed again
	before := allocated()
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.busy:
		}
		if !q.settle(ctx) {
			return
		}
		if allocated()-before >= worthFreeing {
			q.giveBack()
			before = allocated()
		}
	}
}

// settle waits until nothing has happened for quietFor; false: ctx ended before that.
func (q *quiet) settle(ctx context.Context) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(quietFor):
		}
		select {
		case <-q.busy:
		default:
			return true
		}
	}
}

// giveBack gives back what it can.
func giveBack() {
	debug.FreeOSMemory()
	releaseText()
}

// allocated is how many bytes of heap the process has ever taken.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
