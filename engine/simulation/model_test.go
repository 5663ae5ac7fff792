package simulation

import (
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// model is what the outside world knows: what was acknowledged, and what must
// become of it.
type model struct {
	plan    *plan
	sources map[string]*sourceModel
	places  map[int]place // of accepted events, by number
	times   map[int]time.Time
	lanes   map[journal.Lane]*laneModel
	began   map[string]span // the events that a flow takes: those after from
}

type place struct {
	source string
	pos    journal.Position
}

// sourceModel is a source's own memory: it knows what it has offered, and after a
// crash learns from its cursor how much of that arrived.
type sourceModel struct {
	name     string
	offered  int   // inputs that are covered by the cursor
	accepted []int // event numbers, by position-1
	doubles  int
	unrouted int
	dead     map[string]bool  // dead letters of its own
	ids      map[string]known // by dedupe key
	open     *offer           // not acknowledged; a crash hides what became of it
}

// known is a dedupe key that was seen.
type known struct {
	id    string
	until time.Time // of the wall clock
}

// offer is a batch handed to the journal.
type offer struct {
	source   *sourceModel
	append   journal.Append
	numbers  []int
	keys     []string
	ids      []string
	fresh    []bool // not a duplicate, as far as the model knows
	at       time.Time
	unrouted bool   // no flow takes the source
	dead     string // a dead letter of the source that comes with it, by path
	ended    string // one that ends with it
	bogus    bool   // it ends one that is not there
}

// laneModel is a lane's lives: dropped by an operator, it may be made anew.
type laneModel struct {
	flow    *flowPlan
	sink    *sinkPlan
	runs    []span
	line    map[string]*line     // of deliveries that must keep their order
	settled map[int]bool         // events, as the journal acknowledged
	open    map[journal.Key]bool // exceptions that are on record
	away    bool                 // it was out of the configuration once
}

// span is the events of each source that a lane takes: those after from, up to
// to, which is set when the lane is dropped.
type span struct{ from, to map[string]journal.Position }

func newModel(p *plan) *model {
	m := &model{
		plan: p, sources: map[string]*sourceModel{}, places: map[int]place{}, times: map[int]time.Time{},
		lanes: map[journal.Lane]*laneModel{}, began: map[string]span{},
	}
	for _, s := range p.sources {
		m.sources[s] = &sourceModel{name: s, ids: map[string]known{}, dead: map[string]bool{}}
	}
	for _, f := range p.flows {
		for _, l := range p.lanes(f) {
			m.lanes[l] = &laneModel{flow: f, sink: p.sink(l.Sink), line: map[string]*line{}, settled: map[int]bool{}, open: map[journal.Key]bool{}}
		}
	}
	return m
}

func (p *plan) sink(address string) *sinkPlan {
	for _, s := range p.sinks {
		if s.address == address {
			return s
		}
	}
	return nil
}

func (f *flowPlan) takes(source string) bool {
	for _, s := range f.sources {
		if s == source {
			return true
		}
	}
	return false
}

// begins notes where the journal has lanes begin that had no life: now, or where
// their flow begins, that being new.
func (w *world) begins(progress []journal.Progress) {
	at := map[journal.Lane]map[string]journal.Position{}
	for _, p := range progress {
		if at[p.Lane] == nil {
			at[p.Lane] = map[string]journal.Position{}
		}
		at[p.Lane][p.Source] = p.Low
	}
	for l, from := range at {
		lane := w.model.lanes[l]
		if lane == nil || lane.lives() {
			continue
		}
		began, old := w.model.began[l.Flow]
		if !old && lane.flow.oldest {
			began = span{from: from}
		} else if !old {
			began = span{from: w.model.heads()}
		}
		w.addLife(l, from, began.from, old)
	}
	for l, from := range at {
		if lane := w.model.lanes[l]; lane != nil && w.model.began[l.Flow].from == nil {
			w.model.began[l.Flow] = span{from: from}
		}
	}
}

// addLife adds a life to the lane, which begins after from.
func (w *world) addLife(l journal.Lane, from, flow map[string]journal.Position, old bool) {
	want := flow
	if old {
		want = w.model.heads()
	}
	lane := w.model.lanes[l]
	for _, source := range lane.flow.sources {
		if from[source] != want[source] {
			w.fail("G3: %s begins after event %d of %s instead of %d", l, from[source], source, want[source])
		}
		if !old && lane.flow.oldest && from[source] > 0 && !w.purges {
			w.fail("G3: %s begins after event %d of %s, all are kept", l, from[source], source)
		}
	}
	lane.runs = append(lane.runs, span{from: from})
}

func (l *laneModel) lives() bool {
	n := len(l.runs)
	return n > 0 && l.runs[n-1].to == nil
}

// end notes that an operator dropped the lane. It has forgotten what it had done.
func (w *world) end(l journal.Lane) {
	lane := w.model.lanes[l]
	lane.runs[len(lane.runs)-1].to = w.model.heads()
	t := w.peers[lane.sink.index]
	t.mu.Lock()
	defer t.mu.Unlock()
	for d, r := range t.records {
		if d.flow == lane.flow.index {
			r.forgotten, r.dropped, r.okIn = true, false, 0
		}
	}
}

func (m *model) heads() map[string]journal.Position {
	h := map[string]journal.Position{}
	for name, s := range m.sources {
		h[name] = journal.Position(len(s.accepted))
	}
	return h
}

// late tells whether the lane may come to an event that it does not take: a dead
// letter of a step that is retried goes the ways that there are then.
func (m *model) late(l *laneModel, n int) bool {
	return len(l.runs) > 0 && m.plan.journey(l.flow, n).dies
}

// life is the lane's life that the event at p belongs to: whether there is one,
// and whether it has ended.
func (l *laneModel) life(p place) (covered, ended bool) {
	for _, r := range l.runs {
		if p.pos > r.from[p.source] && (r.to == nil || p.pos <= r.to[p.source]) {
			return true, r.to != nil
		}
	}
	return false, false
}

// arrived moves an open offer into what is accepted.
func (m *model) arrived(o *offer) {
	s := o.source
	s.offered += len(o.numbers)
	if o.dead != "" {
		s.dead[o.dead] = true
	}
	delete(s.dead, o.ended)
	for i, n := range o.numbers {
		if !o.fresh[i] {
			s.doubles++
			continue
		}
		s.accepted = append(s.accepted, n)
		m.places[n] = place{s.name, journal.Position(len(s.accepted))}
		m.times[n] = o.at
		if o.keys[i] != "" {
			s.ids[o.keys[i]] = known{o.ids[i], o.at.Add(dedupeWindow)}
		}
		if o.unrouted {
			s.unrouted++
		}
		m.line(s.name, n)
	}
}

// line queues the deliveries of a new event where order matters.
func (m *model) line(source string, n int) {
	for _, l := range m.lanes {
		if l.flow.takes(source) {
			l.queue(m, source, n)
		}
	}
}

// number is the event at a position.
func (m *model) number(source string, p journal.Position) (int, error) {
	s := m.sources[source]
	if s == nil || p == 0 || int(p) > len(s.accepted) {
		return 0, fmt.Errorf("there is no event %d of %s", p, source)
	}
	return s.accepted[p-1], nil
}

// orderKey is what flows with order_by order by.
func orderKey(n int) int { return n % 4 }
