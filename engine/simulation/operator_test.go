package simulation

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
)

// operate retries or drops dead letters, as a person would with `dead retry` and
// `dead drop`.
func (w *world) operate(op int) {
	list, err := w.exceptions(journal.ExceptionQuery{DeadOnly: true})
	if err != nil || len(list) == 0 {
		return
	}
	for i := range 1 + w.seed.pick(3, "how many", op) {
		ex := list[w.seed.pick(len(list), "which", op, i)]
		if w.seed.chance(60, "retry", op, i) {
			w.retry(ex)
		} else {
			w.drop(ex)
		}
		list = slices.DeleteFunc(list, func(o journal.Exception) bool { return o.ID == ex.ID })
		if len(list) == 0 || !w.daemon.alive() {
			return
		}
	}
}

// exceptions lists those of flows in an order that does not depend on ids.
func (w *world) exceptions(q journal.ExceptionQuery) ([]journal.Exception, error) {
	list, err := w.daemon.journal.Exceptions(context.Background(), q)
	list = slices.DeleteFunc(list, func(ex journal.Exception) bool { return ex.Lane == journal.Lane{} })
	slices.SortFunc(list, func(a, b journal.Exception) int {
		return cmp.Or(cmp.Compare(a.Lane.Flow, b.Lane.Flow), cmp.Compare(a.Lane.Sink, b.Lane.Sink),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Position, b.Position), cmp.Compare(a.Path, b.Path))
	})
	return list, err
}

func (w *world) retry(ex journal.Exception) {
	w.trace("retry %s %d%s", ex.Lane, ex.Position, ex.Path)
	in := w.daemon
	revived, err := in.journal.Revive(context.Background(), ex.ID)
	if err != nil || !in.runner.Has(revived.Lane) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := in.runner.Retry(ctx, revived); err != nil && in.alive() && w.trouble.now() == nil {
		w.fail("retry of %s %d%s: %v", ex.Lane, ex.Position, ex.Path, err)
	}
}

func (w *world) drop(ex journal.Exception) {
	w.trace("drop %s %d%s", ex.Lane, ex.Position, ex.Path)
	n, err := w.model.number(ex.Source, ex.Position)
	if err != nil {
		w.fail("G3: an exception of %s: %v", ex.Lane, err)
		return
	}
	if ex.Lane.Sink == "" {
		w.given[given{ex.Lane.Flow, n}] = false
		if w.giveUp(ex) {
			w.given[given{ex.Lane.Flow, n}] = true
		}
		return
	}
	lane := w.model.lanes[ex.Lane]
	t := w.peers[lane.sink.index]
	t.mu.Lock()
	r := t.records[delivery{lane.flow.index, n, ex.Path}]
	if r == nil {
		// One that came through the steps late, and was never tried.
		r = &record{}
		t.records[delivery{lane.flow.index, n, ex.Path}] = r
	}
	r.dropping = true
	t.mu.Unlock()
	if w.giveUp(ex) {
		t.mu.Lock()
		r.dropped = true
		t.mu.Unlock()
	}
}

// giveUp tells whether a dead letter was dropped for sure.
func (w *world) giveUp(ex journal.Exception) bool {
	in := w.daemon
	if _, err := in.journal.Drop(context.Background(), ex.ID); err != nil || !in.alive() {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	in.runner.Dropped(ctx, ex)
	return true
}

// dropLane gives up a lane that is out of the configuration.
func (w *world) dropLane(op int) {
	var gone []journal.Lane
	for _, f := range w.plan.flows {
		for _, l := range w.plan.lanes(f) {
			if (w.version.off[l] || w.version.gone[f.name]) && w.model.lanes[l].lives() {
				gone = append(gone, l)
			}
		}
	}
	if len(gone) == 0 {
		return
	}
	l := gone[w.seed.pick(len(gone), "lane", op)]
	w.trace("drop lane %s", l)
	err := w.daemon.journal.DropLane(context.Background(), l)
	switch {
	case !w.daemon.alive():
		w.unsure[l] = true
	case err == nil:
		w.end(l)
	case w.trouble.now() == nil:
		w.fail("drop of lane %s: %v", l, err)
	}
}

// maxParts are the deliveries of an event to a sink when its flow splits it twice into three.
const maxParts = 9

// fresh offers an event that a healthy sink must get soon, whatever its
// neighbours are up to (G8).
func (w *world) fresh(op int) {
	f, t := w.healthy(op)
	if f == nil {
		return
	}
	s := w.model.sources[f.sources[w.seed.pick(len(f.sources), "fresh source", op)]]
	for range 60 {
		d, found := w.certain(f, t, w.serial())
		if !found {
			continue
		}
		if !w.submit(w.prepare(s, []int{d.n}, -1-op)) || w.doubled(d.n) {
			return
		}
		soon := time.Second + maxParts*t.plan.within // for those of one order_by key go one after the other
		sleep(soon)
		t.mu.Lock()
		r := t.records[d]
		t.mu.Unlock()
		if w.daemon.alive() && (r == nil || !r.succeeded) {
			w.fail("G8: %s did not reach %s, which is well, within %v", d, t.plan.address, soon)
		}
		return
	}
}

func (w *world) doubled(n int) bool {
	_, known := w.model.places[n]
	return !known
}

// healthy draws a lane with nothing to complain of.
func (w *world) healthy(op int) (*flowPlan, *peer) {
	if w.trouble.now() != nil || w.daemon.doom.Load() != noDoom {
		return nil, nil
	}
	stats, err := w.daemon.journal.Stats(context.Background())
	if err != nil || stats.Full != "" {
		return nil, nil
	}
	var lanes []journal.Lane
	holds := w.holding(stats)
	for _, l := range stats.Lanes {
		if l.Sink != "" && !holds[l.Flow] && l.Active && l.Backlog+l.Waiting == 0 && w.peers[w.plan.sink(l.Sink).index].well() && w.calm(l.Sink, stats) {
			lanes = append(lanes, l.Lane)
		}
	}
	for _, l := range w.daemon.runner.Lanes() {
		if l.State != flow.Running || l.LastError != "" {
			lanes = slices.DeleteFunc(lanes, func(o journal.Lane) bool { return o == l.Lane })
		}
	}
	if len(lanes) == 0 {
		return nil, nil
	}
	slices.SortFunc(lanes, func(a, b journal.Lane) int { return cmp.Compare(a.Flow+a.Sink, b.Flow+b.Sink) })
	lane := w.model.lanes[lanes[w.seed.pick(len(lanes), "healthy", op)]]
	return lane.flow, w.peers[lane.sink.index]
}

// calm tells whether no lane of the sink has work to do: lanes share its places.
func (w *world) calm(sink string, stats journal.Stats) bool {
	for _, l := range stats.Lanes {
		if l.Sink == sink && l.Active && l.Backlog+l.Waiting > 0 {
			return false
		}
	}
	return true
}

func (t *peer) well() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mood == well
}

// certain is a delivery of event n that f makes for t and that nothing can fail.
func (w *world) certain(f *flowPlan, t *peer, n int) (d delivery, found bool) {
	j := w.plan.journey(f, n)
	for _, v := range j.ways {
		if v.sink != t.plan.index {
			continue
		}
		d = delivery{f.index, n, v.path}
		if t.rejects(d) || t.stumbles(d) {
			return d, false
		}
		found = true
	}
	return d, found && !j.dies
}
