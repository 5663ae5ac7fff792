package simulation

import (
	"context"
	"fmt"
	"strings"

	"github.com/syncd/syncd/engine/journal"
)

// class is what became of an event in a flow.
type class int

const (
	delivered class = iota
	filtered
	dead
	dropped
	classes
)

// verdict judges, when all is quiet, what became of every event.
type verdict struct {
	w      *world
	counts map[journal.Lane]map[exceptionKey]journal.Exception
}

type exceptionKey struct {
	n    int
	path string
}

func (w *world) judge() {
	v := verdict{w: w, counts: map[journal.Lane]map[exceptionKey]journal.Exception{}}
	list, err := w.exceptions(journal.ExceptionQuery{})
	if err != nil {
		w.fail("G3: list exceptions: %v", err)
		return
	}
	for _, ex := range list {
		n, err := w.model.number(ex.Source, ex.Position)
		if err != nil {
			w.fail("G3: an exception of %s: %v", ex.Lane, err)
		}
		if v.counts[ex.Lane] == nil {
			v.counts[ex.Lane] = map[exceptionKey]journal.Exception{}
		}
		v.counts[ex.Lane][exceptionKey{n, ex.Path}] = ex
		v.justified(ex, n)
	}
	for _, t := range w.peers {
		t.judge()
	}
	stats, err := w.daemon.journal.Stats(context.Background())
	if err != nil {
		w.fail("G3: count: %v", err)
		return
	}
	for _, f := range stats.Flows {
		for _, p := range w.plan.flows {
			if p.name == f.Flow {
				v.flow(p, f)
			}
		}
	}
}

// justified checks that a dead letter died of something.
func (v verdict) justified(ex journal.Exception, n int) {
	lane := v.w.model.lanes[ex.Lane]
	if lane == nil {
		if f := v.w.plan.flow(ex.Lane.Flow); f == nil || !v.w.plan.journey(f, n).dies {
			v.w.fail("G3: event %d is a dead letter of %s, where nothing kills it", n, ex.Lane)
		}
		return
	}
	r := v.w.peers[lane.sink.index].records[delivery{lane.flow.index, n, ex.Path}]
	if strings.HasPrefix(ex.Errors[len(ex.Errors)-1].Error, "expired:") && v.w.mayExpire(lane.sink, delivery{n: n}) {
		return
	}
	if r == nil || !r.refused && !r.expired {
		v.w.fail("G3: event %d is a dead letter of %s, where nothing refused it", n, ex.Lane)
	}
}

func (p *plan) flow(name string) *flowPlan {
	for _, f := range p.flows {
		if f.name == name {
			return f
		}
	}
	return nil
}

// flow compares the flow's counters with the sum of the verdicts.
func (v verdict) flow(f *flowPlan, stats journal.FlowStats) {
	var sum, open [classes]int64 // open: where the peers cannot tell
	for _, source := range f.sources {
		for i, n := range v.w.model.sources[source].accepted {
			if i < int(v.w.model.began[f.name].from[source]) {
				continue
			}
			possible, ended := v.event(f, n)
			is := v.only(possible)
			if is == classes && !ended {
				is = v.recorded(f, source, journal.Position(i+1))
			}
			if is == classes {
				for c, yes := range possible {
					open[c] += count(yes)
				}
				continue
			}
			if !possible[is] {
				v.w.fail("G3: %s counts event %d as %d, possible are %v", f.name, n, is, possible)
				return
			}
			sum[is]++
		}
	}
	got := [classes]int64{delivered: stats.Delivered, filtered: stats.Filtered, dead: stats.Dead, dropped: stats.Dropped}
	for c := range classes {
		if got[c] < sum[c] || got[c] > sum[c]+open[c] {
			v.w.fail("G3: the counters of %s differ from what has happened: want %v (and of those that nobody saw %v), got %v",
				f.name, sum, open, got)
			return
		}
	}
}

func count(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

func (v verdict) only(possible [classes]bool) class {
	is, n := classes, 0
	for c, yes := range possible {
		if yes {
			is, n = class(c), n+1
		}
	}
	if n != 1 {
		return classes
	}
	return is
}

// recorded is the class that the lanes' statuses say, as long as they are kept.
func (v verdict) recorded(f *flowPlan, source string, p journal.Position) class {
	by, err := v.w.daemon.journal.Statuses(context.Background(), f.name, source, p)
	if len(by) == 0 && err == nil {
		return classes
	}
	if err != nil {
		v.w.fail("G3: look up event %d of %s: %v", p, source, err)
		return classes
	}
	var all journal.Status
	for _, s := range by {
		all |= s
	}
	switch {
	case all&journal.Dropped != 0:
		return dropped
	case all&journal.Delivered != 0:
		return delivered
	}
	return filtered
}

// event tells what may have become of event n in f. Nearly always that is one
// thing; an unanswered drop leaves two, and so does a lane that has been dropped:
// what it had settled before, nobody outside knows.
func (v verdict) event(f *flowPlan, n int) (possible [classes]bool, gone bool) {
	var must, may [classes]bool
	steps := v.counts[journal.Lane{Flow: f.name}]
	_, diedInStep := steps[exceptionKey{n, ""}]
	must[dead] = diedInStep
	answered, given := v.w.given[given{f.name, n}]
	if given && !diedInStep {
		must[dropped], may[dropped] = answered, true
	}
	for _, l := range v.w.plan.lanes(f) {
		lane := v.w.model.lanes[l]
		covered, ended := lane.life(v.w.model.places[n])
		if !covered && !v.w.model.late(lane, n) {
			continue
		}
		ended = ended || !covered
		excused := ended || given || diedInStep || lane.away && v.w.model.late(lane, n)
		may[dropped], gone = may[dropped] || ended, gone || ended
		for _, y := range v.w.plan.journey(f, n).ways {
			if y.sink == lane.sink.index {
				v.way(lane, delivery{f.index, n, y.path}, excused, ended, &must, &may)
			}
		}
	}
	switch {
	case must[dead]:
		possible[dead] = true
	case must[dropped]:
		possible[dropped] = true
	default:
		possible[dropped] = may[dropped]
		possible[delivered] = must[delivered] || may[delivered]
		possible[filtered] = !must[delivered]
	}
	return possible, gone
}

// way adds what became of one delivery; excused ones need not have happened.
func (v verdict) way(l *laneModel, d delivery, excused, ended bool, must, may *[classes]bool) {
	r := v.w.peers[l.sink.index].records[d]
	_, isDead := v.counts[l.flow.lane(l.sink)][exceptionKey{d.n, d.path}]
	switch {
	case isDead:
		must[dead] = true
	case r != nil && r.dropped && !ended:
		must[dropped] = true
	case r != nil && r.dropping:
		may[dropped], may[delivered] = true, true
	case r != nil && r.succeeded && !ended:
		must[delivered] = true
	case r != nil && r.succeeded:
		may[delivered] = true
	case !excused:
		v.w.fail("G1: %s was accepted and never reached %s", d, l.sink.address)
	}
}

// judge checks a peer's final state.
func (t *peer) judge() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.plan.kind != file {
		return
	}
	count := map[delivery]int{}
	for _, d := range t.rows {
		if count[d]++; count[d] == 2 && !t.records[d].forgotten {
			t.w.fail("G4: %s has %s twice", t.plan.address, d)
		}
	}
	for d, r := range t.records {
		if r.settled && count[d] == 0 {
			t.w.fail("G4: %s lacks %s", t.plan.address, d)
		}
		r.succeeded = count[d] > 0 // what a call reported may have been undone
	}
	t.judgeOrder()
}

// judgeOrder checks that rows of one lane and source stand in the order of their
// events, those aside that were dead letters for a while.
func (t *peer) judgeOrder() {
	last := map[string]int{}
	for _, d := range t.rows {
		lane := t.lane(d)
		source := t.w.model.places[d.n].source
		at, queued := lane.lineOf(source, d.n).at[d]
		if !queued || t.records[d].refused || t.records[d].forgotten || t.w.mayExpire(t.plan, d) {
			continue
		}
		name := fmt.Sprint(d.flow, source)
		if lane.flow.hold {
			name += fmt.Sprint("/", orderKey(d.n))
		}
		if at < last[name] {
			t.w.fail("G4: %s has %s out of order", t.plan.address, d)
		}
		last[name] = at
	}
}
