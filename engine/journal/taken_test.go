package journal_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/syncd/syncd/engine/journal"
)

// Until a configuration is taken, nothing can be read that a lane which is new with it
// takes: no event is for both the lanes of before and the new ones.
func TestTaken(t *testing.T) {
	j := openIn(t, t.TempDir(), journal.Options{})
	var group sync.WaitGroup
	var stopped atomic.Bool
	for range 8 {
		group.Go(func() {
			for !stopped.Load() {
				if err := appendOne(j, "x"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 50 {
		read, takes := 0, 0
		lane := journal.Lane{Flow: "flow.f", Sink: "sink.log." + strconv.Itoa(n)}
		progress, err := j.Configure(t.Context(), journal.Topology{
			Generation: int64(n + 1),
			Flows:      []journal.Flow{{Name: lane.Flow, Sources: []string{"shop"}, Sinks: []string{lane.Sink}}},
			Taken:      func() { takes++; read = len(stored(t, j)) },
		})
		if err != nil || takes != 1 {
			t.Fatalf("taken %d times, %v", takes, err)
		}
		for _, p := range progress {
			if p.Lane == lane && p.Low < journal.Position(read) {
				t.Errorf("configuration %d: the new lane begins after %d, and %d events could be read before", n, p.Low, read)
			}
		}
	}
	stopped.Store(true)
	group.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}
