package simulation

import (
	"context"
	"encoding/json"
	"testing/synctest"

	"github.com/syncd/syncd/engine/journal"
)

// cursor is what the source stored with its last batch.
func (w *world) cursor(in *daemon, s *sourceModel) (n int, err error) {
	raw, found, err := in.journal.Get(context.Background(), s.name, "cursor")
	if err != nil || !found {
		return 0, err
	}
	return n, json.Unmarshal(raw, &n)
}

// reconcile compares, after a start, the journal with what the outside knows: a
// cursor that has moved tells a source that its last batch arrived though it was
// not answered; anything else breaks G2.
func (w *world) reconcile(in *daemon) {
	for _, name := range w.plan.sources {
		s := w.model.sources[name]
		n, err := w.cursor(in, s)
		switch {
		case err != nil:
			w.fail("G2: read the cursor of %s: %v", name, err)
		case n == s.offered:
		case s.open != nil && n == s.offered+len(s.open.numbers):
			w.model.arrived(s.open)
		default:
			w.fail("G2: the cursor of %s is at %d, not at %d", name, n, s.offered)
		}
		s.open = nil
	}
	stats, err := in.journal.Stats(context.Background())
	if err != nil {
		w.fail("G3: count: %v", err)
		return
	}
	w.learnLanes(stats)
	w.learnExceptions(in)
	w.checkSources(stats)
	if w.seed.chance(25, "contents", w.daemons) {
		w.checkContents(in)
	}
}

// learnLanes finds out whether lanes whose drop was not answered are gone.
func (w *world) learnLanes(stats journal.Stats) {
	there := map[journal.Lane]bool{}
	for _, l := range stats.Lanes {
		there[l.Lane] = true
	}
	for l := range w.unsure {
		if !there[l] {
			w.end(l)
		}
	}
	clear(w.unsure)
}

// learnExceptions finds out which exceptions are on record.
func (w *world) learnExceptions(in *daemon) {
	list, err := in.journal.Exceptions(context.Background(), journal.ExceptionQuery{Bare: true})
	if err != nil {
		w.fail("G3: list exceptions: %v", err)
		return
	}
	for _, l := range w.model.lanes {
		clear(l.open)
	}
	for _, ex := range list {
		if l := w.model.lanes[ex.Lane]; l != nil {
			l.open[ex.Key] = true
		}
	}
}

// checkSources compares what was accepted with what was offered and acknowledged.
func (w *world) checkSources(stats journal.Stats) {
	counts := map[string]journal.SourceStats{}
	for _, s := range stats.Sources {
		counts[s.Source] = s
	}
	for name, s := range w.model.sources {
		c := counts[name]
		if int(c.Unrouted) != s.unrouted || int(c.Dead) != len(s.dead) {
			w.fail("G3: %s has %d unrouted events and %d dead letters, want %d and %d", name, c.Unrouted, c.Dead, s.unrouted, len(s.dead))
		}
		if int(c.Accepted) != len(s.accepted) || int(c.Duplicates) != s.doubles {
			w.fail("G2: %s has %d events and %d duplicates, %d and %d were offered (cursor %d)",
				name, c.Accepted, c.Duplicates, len(s.accepted), s.doubles, s.offered)
		}
	}
}

// checkContents reads back every event: those accepted, in their order, and none else.
func (w *world) checkContents(in *daemon) {
	for name, s := range w.model.sources {
		at := journal.Position(0)
		for {
			frames, err := in.journal.Read(context.Background(), name, at, 1<<20)
			if err != nil {
				w.fail("G1: read %s: %v", name, err)
				return
			}
			if len(frames) == 0 {
				break
			}
			for _, f := range frames {
				w.checkFrame(s, f, at)
				at = f.Last()
			}
		}
		if int(at) != len(s.accepted) && at > 0 { // none is kept if a full disk made all settled ones go
			w.fail("G1: %s has %d events, %d were accepted", name, at, len(s.accepted))
		}
	}
}

func (w *world) checkFrame(s *sourceModel, f *journal.Frame, after journal.Position) {
	for i := range f.Events {
		p := f.First + journal.Position(i)
		if p <= after {
			continue
		}
		n, err := w.model.number(s.name, p)
		if err != nil {
			w.fail("G1: %v", err)
			return
		}
		if id := f.Events[i].ID; int(id[0])<<16|int(id[1])<<8|int(id[2]) != n {
			w.fail("G1: event %d of %s is %s instead of number %d", p, s.name, id, n)
		}
	}
}

// check looks at the counters of the running daemon, at a moment when nothing moves.
func (w *world) check() {
	if !w.daemon.alive() {
		return
	}
	synctest.Wait()
	stats, err := w.daemon.journal.Stats(context.Background())
	if err != nil {
		w.fail("G3: count: %v", err)
		return
	}
	w.checkSources(stats)
	for _, f := range stats.Flows {
		w.checkFlow(f)
	}
	w.checkLanes(stats)
}

// checkFlow compares the sum of a flow's outcomes with what its sources accepted.
func (w *world) checkFlow(f journal.FlowStats) {
	want := 0
	for _, p := range w.plan.flows {
		if p.name != f.Flow {
			continue
		}
		for _, s := range p.sources {
			want += len(w.model.sources[s].accepted) - int(w.model.began[p.name].from[s])
		}
	}
	sum := f.Delivered + f.Filtered + f.Dead + f.Dropped + f.Pending
	if f.Accepted != sum || int(f.Accepted) != want {
		w.fail("G3: %s has %d events of %d accepted, its outcomes sum up to %d: %+v", f.Flow, f.Accepted, want, sum, f)
	}
}

// checkLanes compares the lanes' counts of exceptions with the exceptions.
func (w *world) checkLanes(stats journal.Stats) {
	list, err := w.exceptions(journal.ExceptionQuery{})
	if err != nil {
		w.fail("G3: list exceptions: %v", err)
		return
	}
	waiting, dead := map[journal.Lane]int64{}, map[journal.Lane]int64{}
	for _, ex := range list {
		if ex.Dead {
			dead[ex.Lane]++
		} else {
			waiting[ex.Lane]++
		}
	}
	for _, l := range stats.Lanes {
		if l.Waiting != waiting[l.Lane] || l.Dead != dead[l.Lane] {
			w.fail("G3: %s counts %d waiting and %d dead, there are %d and %d", l.Lane, l.Waiting, l.Dead, waiting[l.Lane], dead[l.Lane])
		}
	}
}
