package flow

import (
	"math/rand/v2"
	"testing"

	"github.com/syncd/syncd/engine/journal"
)

// In whatever order events are settled, a cursor knows which are.
func TestCursorSettlesInAnyOrder(t *testing.T) {
	const from, events, window = 61, 2000, 300
	r := rand.New(rand.NewPCG(1, 2))
	c := newCursor(journal.Progress{Low: from})
	settled := map[journal.Position]bool{}
	low := journal.Position(from)
	for low < from+events {
		p := min(low+1+journal.Position(r.IntN(window)), from+events)
		if r.IntN(5) == 0 {
			p = low + 1
		}
		c.settle(p)
		for settled[p] = true; settled[low+1]; low++ {
		}
		if c.low != low {
			t.Fatalf("after %d: low is %d, want %d", p, c.low, low)
		}
		for q := low; q < low+2*window; q++ {
			if want := q <= low || settled[q]; c.isSettled(q) != want {
				t.Fatalf("after %d: %d is settled: %t, want %t", p, q, !want, want)
			}
		}
	}
	if n := len(c.beyond.words); n > 1 {
		t.Errorf("%d words are kept of what is all below low", n)
	}
}
