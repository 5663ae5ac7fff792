package journal

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// One that appends much waits for lanes that are close behind and move, never twice
// for one that stands, and not at all for one that is far behind.
func TestPaceWaitsForLanesThatMove(t *testing.T) {
	for _, c := range []struct {
		name  string
		lows  []Position
		moves bool
		waits [2]time.Duration // of two appends, one after the other
	}{
		{"nobody is behind", nil, false, [2]time.Duration{}},
		{"all are done with it", []Position{5000}, false, [2]time.Duration{}},
		{"one moves", []Position{4000}, true, [2]time.Duration{time.Millisecond}},
		{"one stands", []Position{4000}, false, [2]time.Duration{longestPace}},
		{"one stands, one moves", []Position{10, 4000}, true, [2]time.Duration{longestPace}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &SQLite{recent: newRecent()}
				j.recent.add(&Frame{Source: "s", First: 1, Events: make([]Record, 4999), Bytes: recentBytes / 2})
				p := &pace{moved: make(chan struct{}, 1)}
				lows := c.lows
				p.lows.Store(&lows)
				records := make([]Record, 50_000)
				if c.moves {
					time.AfterFunc(time.Millisecond, func() {
						next := append([]Position{}, c.lows...)
						next[len(next)-1] = 5000
						p.lows.Store(&next)
						p.moved <- struct{}{}
					})
				}
				for i, want := range c.waits {
					began := time.Now()
					j.keepPace(context.Background(), p, "s", records)
					if took := time.Since(began); took != want {
						t.Errorf("append %d waited %v, want %v", i, took, want)
					}
				}
			})
		})
	}
	p := &pace{}
	far := []Position{7}
	if p.lows.Store(&far); p.lags(8+closeBehind) || !p.lags(7+closeBehind) {
		t.Error("who is far behind is not told from who is not")
	}
}
