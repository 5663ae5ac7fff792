package simulation

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// length is the number of operations of a history.
const length = 200

// run lives through the history of a seed, in a bubble of virtual time. The
// answer is the first broken promise, and the trace if it was asked for. plant
// makes a fault to be found; nil: none.
func run(t *testing.T, s seed, plant func() *fault, logging bool) (story string, failure error) {
	synctest.Test(t, func(*testing.T) {
		var f *fault
		if plant != nil {
			f = plant()
		}
		w, err := newWorld(s, f)
		if err != nil {
			failure = err
			return
		}
		defer os.RemoveAll(w.dir)
		w.logging = logging
		w.live()
		failure, story = w.failed(), w.story()
	})
	return story, failure
}

// live is a history from its first start to the last verdict.
func (w *world) live() {
	w.begin()
	for op := range length {
		if w.failed() != nil {
			break
		}
		w.step(op)
		if w.seed.chance(15, "check", op) {
			w.check()
		}
	}
	if w.failed() == nil {
		w.heal()
		w.settle()
		w.conclude()
	}
	if w.daemon != nil {
		w.daemon.crash()
	}
	sleep(10 * time.Second) // for what a fault left running
}

// heal ends all trouble: what has not been given up must arrive now.
func (w *world) heal() {
	w.daemon.doom.Store(noDoom)
	w.trouble.begin(nil, 0)
	for _, t := range w.peers {
		t.mu.Lock()
		t.mood, t.cured = well, w.seed.chance(50, "cured", t.plan.index)
		t.mu.Unlock()
	}
	v := w.version.clone()
	clear(v.gone)
	for _, f := range w.plan.flows {
		v.fixed[f.name] = w.seed.chance(50, "fixed at last", f.index)
		for j, l := range w.plan.lanes(f) {
			if v.off[l] && w.seed.chance(70, "back at last", f.index, j) {
				v.off[l] = false
			}
		}
	}
	if w.seed.chance(50, "healed by a reload") {
		w.takeOver(v, -1, 0)
	} else {
		w.adopt(v)
		w.restart(-1)
	}
	for l, off := range w.version.off {
		if off && w.model.lanes[l].lives() {
			if err := w.daemon.journal.DropLane(context.Background(), l); err != nil {
				w.fail("drop of lane %s: %v", l, err)
			}
			w.end(l)
		}
	}
}

// settle waits until nothing is left to do, retrying dead letters once on the way.
func (w *world) settle() {
	w.quiet()
	if w.failed() != nil {
		return
	}
	list, err := w.exceptions(journal.ExceptionQuery{DeadOnly: true})
	if err != nil {
		w.fail("list dead letters: %v", err)
	}
	for _, ex := range list {
		w.retry(ex)
	}
	w.quiet()
	w.unhold()
}

// unhold gives up the dead letters behind which events wait.
func (w *world) unhold() {
	for range 1000 {
		stats, err := w.daemon.journal.Stats(context.Background())
		if err != nil || w.failed() != nil {
			w.fail("count: %v", err)
			return
		}
		held := map[string]bool{}
		for _, f := range stats.Flows {
			held[f.Flow] = f.Pending > 0
		}
		list, err := w.exceptions(journal.ExceptionQuery{DeadOnly: true})
		list = slices.DeleteFunc(list, func(ex journal.Exception) bool { return !held[ex.Lane.Flow] })
		if err != nil || len(list) == 0 {
			break
		}
		w.drop(list[0])
		w.quiet()
	}
	w.quiet()
}

// holding are the flows that may have events which wait behind dead letters.
func (w *world) holding(stats journal.Stats) map[string]bool {
	holds := map[string]bool{}
	for _, l := range stats.Lanes {
		if f := w.plan.flow(l.Flow); f != nil && f.hold && l.Dead > 0 {
			holds[l.Flow] = true
		}
	}
	return holds
}

// quiet waits until no lane has a backlog or anything waiting.
func (w *world) quiet() {
	var rest string
	for wait := time.Second; wait < time.Hour && w.failed() == nil; wait *= 2 {
		sleep(wait)
		w.revive()
		stats, err := w.daemon.journal.Stats(context.Background())
		if err != nil {
			w.fail("count: %v", err)
			return
		}
		if rest = left(stats, w.holding(stats)); rest == "" {
			return
		}
	}
	w.fail("G1: all is well, and yet there is no end: %s", rest)
}

func left(stats journal.Stats, holding map[string]bool) string {
	for _, l := range stats.Lanes {
		if l.Waiting+l.Backlog > 0 && !holding[l.Flow] {
			return fmt.Sprintf("%+v", l)
		}
	}
	for _, f := range stats.Flows {
		if f.Pending > 0 && !holding[f.Flow] {
			return fmt.Sprintf("%+v", f)
		}
	}
	return ""
}

// conclude judges, and again after a last restart: what counts is on disk.
func (w *world) conclude() {
	if w.failed() != nil {
		return
	}
	w.check()
	w.judge()
	if w.daemon.retired != nil {
		select {
		case <-w.daemon.retired:
		default:
			w.fail("G5: all is quiet, and yet what was retired is not over")
		}
	}
	if w.failed() != nil {
		return
	}
	w.restart(-2)
	sleep(10 * time.Second)
	w.revive()
	w.check()
	w.judge()
}
