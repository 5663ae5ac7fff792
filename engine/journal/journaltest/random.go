package journaltest

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// random is one run of Random.
func random(t *testing.T, h Harness) { Random(t, h, 1, 400) }

// Random runs random operations against a model that is simple enough to be
// believed, and compares all that can be seen after every few. It must be called in
// a testing/synctest bubble.
func Random(t *testing.T, h Harness, seed uint64, operations int) {
	r := &runner{bench: openWith(t, h, Settings{Retention: 20 * time.Second}), m: newModel(), rand: rand.New(rand.NewPCG(seed, 0)),
		sources: []string{shop, "source.webhook.b"}, sinks: []string{"crm", "erp", "log"}, flows: []string{"orders", "audit"}}
	r.reconfigure()
	for n := range operations {
		r.op = fmt.Sprintf("seed %d, operation %d", seed, n)
		r.step()
		if n%4 == 3 || n == operations-1 {
			r.compare()
		}
	}
}

type runner struct {
	*bench
	m    *model
	rand *rand.Rand
	op   string
	n    int // events made

	sources, sinks, flows []string // as they are called now
	moves                 int
}

func (r *runner) step() {
	switch n := r.rand.IntN(100); {
	case n < 30:
		r.append()
	case n < 70:
		r.settle()
	case n < 82:
		r.resolve()
	case n < 86:
		r.operate()
	case n < 89:
		r.reconfigure()
	case n < 91:
		r.dropLane()
	case n < 93:
		r.move()
	case n < 94:
		r.Refused(r.sources[0], 2)
		r.m.refused[r.sources[0]] += 2
	case n < 97:
		r.op += ", restart"
		r.flushRefused()
		r.reopen(r.rand.IntN(2) == 0)
		r.configure(r.m.running...)
	default:
		r.op += ", wait"
		time.Sleep(time.Duration(r.rand.IntN(15_000)) * time.Millisecond)
	}
}

// flushRefused waits until counters of refused inputs must be on disk, even if a
// commit fails.
func (r *runner) flushRefused() { time.Sleep(2500 * time.Millisecond) }

func (r *runner) pick(list []string) string { return list[r.rand.IntN(len(list))] }

func (r *runner) append() {
	source := r.pick(r.sources)
	r.op += ", append to " + source
	list := records(r.n, 1+r.rand.IntN(6))
	r.n += len(list)
	want := make([]component.Accepted, len(list))
	stored := 0
	for i := range list {
		want[i].ID = list[i].ID.String()
		if r.rand.IntN(4) == 0 {
			list[i].Dedupe = fmt.Sprint(r.rand.IntN(500))
			if r.m.ids[source] == nil {
				r.m.ids[source] = map[string]string{}
			}
			if first, ok := r.m.ids[source][list[i].Dedupe]; ok {
				want[i] = component.Accepted{ID: first, Duplicate: true}
				r.m.duplicates[source]++
				continue
			}
			r.m.ids[source][list[i].Dedupe] = want[i].ID
		}
		stored++
	}
	got, err := r.Append(r.Context(), journal.Append{Source: source, Records: list, DedupeWindow: 1000 * time.Hour})
	r.ok(err)
	r.equal(r.op, got, want)
	r.m.append(source, stored)
}

// lane picks a lane's way through a source, running or not.
func (r *runner) lane() (flow, sink string, d *feedModel, l *laneModel) {
	flow = r.pick(r.flows)
	f := r.m.flows[flow]
	if f == nil || len(f.feeds) == 0 {
		return "", "", nil, nil
	}
	feeds := slices.Sorted(maps.Keys(f.feeds))
	d = f.feeds[r.pick(feeds)]
	sink = r.pick(slices.Sorted(maps.Keys(d.lanes)))
	return flow, sink, d, d.lanes[sink]
}

// settle settles some of the next events of a lane, now and then out of order,
// some with exceptions.
func (r *runner) settle() {
	flow, sink, d, l := r.lane()
	if l == nil {
		return
	}
	r.op += fmt.Sprintf(", settle %s/%s of %s", flow, sink, d.source)
	s := journal.Settlement{Lane: journal.Lane{Flow: flow, Sink: sink}}
	head := r.m.heads[d.source]
	gap := r.rand.IntN(3) == 0
	for p := l.low(head) + 1; p <= head && len(s.Outcomes) < 8; p++ {
		if l.settled[p] != 0 || gap && r.rand.IntN(2) == 0 {
			continue
		}
		r.settleOne(&s, d, l, p)
	}
	r.again(&s, flow, d, l)
	r.ok(r.Settle(r.Context(), s))
}

func (r *runner) settleOne(s *journal.Settlement, d *feedModel, l *laneModel, p journal.Position) {
	status := journal.Nothing
	if s.Lane.Sink != "" && r.rand.IntN(3) > 0 {
		status = journal.Delivered
	}
	n := r.rand.IntN(20)
	if n == 0 || n == 1 {
		e := exception(p, fmt.Sprint("/", r.rand.IntN(2)), r.rand.IntN(2) == 0)
		e.Source = d.source
		s.Failed = append(s.Failed, e)
		l.fail(e.Key, e.Dead)
		if n == 0 {
			return // a sibling is still on its way
		}
		status = journal.Excepted
	}
	s.Outcomes = append(s.Outcomes, journal.Outcome{Source: d.source, Position: p, Status: status, Attempts: 1, Took: time.Duration(r.rand.IntN(5)) * time.Millisecond})
	l.settle(p, status)
}

// again adds to an event that this lane has settled and that died in a step.
func (r *runner) again(s *journal.Settlement, flow string, d *feedModel, l *laneModel) {
	steps := d.lanes[""]
	if s.Lane.Sink == "" || steps == nil || r.rand.IntN(3) > 0 {
		return
	}
	for k := range steps.open {
		if p := k.Position; p > l.start && l.settled[p] != 0 {
			s.Outcomes = append([]journal.Outcome{{Source: d.source, Position: p, Status: journal.Delivered}}, s.Outcomes...)
			l.settle(p, journal.Delivered)
			return
		}
	}
}

func (r *runner) keys(l *laneModel) []journal.Key {
	list := slices.Collect(maps.Keys(l.open))
	slices.SortFunc(list, func(a, b journal.Key) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Path, b.Path))
	})
	return list
}

// resolve ends or replaces some exceptions of a lane.
func (r *runner) resolve() {
	flow, sink, d, l := r.lane()
	if l == nil {
		return
	}
	r.op += fmt.Sprintf(", resolve %s/%s of %s", flow, sink, d.source)
	s := journal.Settlement{Lane: journal.Lane{Flow: flow, Sink: sink}}
	for _, k := range r.keys(l) {
		switch r.rand.IntN(4) {
		case 0, 1:
			status := []journal.Status{journal.Delivered, journal.Nothing, journal.Dropped}[r.rand.IntN(3)]
			s.Resolved = append(s.Resolved, journal.Resolution{Key: k, Status: status, Attempts: 1})
			l.resolve(k, status)
		case 2:
			e := exception(k.Position, k.Path, r.rand.IntN(2) == 0)
			e.Source = k.Source
			s.Failed = append(s.Failed, e)
			l.fail(k, e.Dead)
		}
	}
	r.ok(r.Settle(r.Context(), s))
}

// operate revives or drops an exception.
func (r *runner) operate() {
	list := r.exceptions(journal.ExceptionQuery{})
	if len(list) == 0 {
		return
	}
	e := list[r.rand.IntN(len(list))]
	l := r.m.flows[e.Lane.Flow].feeds[e.Source].lanes[e.Lane.Sink]
	if r.rand.IntN(2) == 0 {
		r.op += fmt.Sprint(", drop ", e.Key)
		_, err := r.Drop(r.Context(), e.ID)
		r.ok(err)
		l.resolve(e.Key, journal.Dropped)
		return
	}
	r.op += fmt.Sprint(", revive ", e.Key)
	_, err := r.Revive(r.Context(), e.ID)
	r.ok(err)
	l.fail(e.Key, false)
}

// reconfigure runs a random choice of flows, sources and sinks.
func (r *runner) reconfigure() { r.reload(nil) }

// reload is reconfigure after moves, which may have been made before.
func (r *runner) reload(moved []journal.Move) {
	var flows []journal.Flow
	for _, name := range r.flows {
		f := journal.Flow{Name: name}
		for _, s := range r.sources {
			if r.rand.IntN(4) > 0 {
				f.Sources = append(f.Sources, s)
			}
		}
		for _, s := range r.sinks {
			if r.rand.IntN(3) > 0 {
				f.Sinks = append(f.Sinks, s)
			}
		}
		if len(f.Sources) > 0 && r.rand.IntN(5) > 0 {
			flows = append(flows, f)
		}
	}
	r.op += fmt.Sprintf(", configure %+v", flows)
	r.m.configure(flows)
	r.m.nameOrigins()
	list, err := r.Configure(r.Context(), journal.Topology{Flows: flows, Generation: 1, Moved: moved})
	r.ok(err)
	for _, p := range list {
		l := r.m.flows[p.Lane.Flow].feeds[p.Source].lanes[p.Lane.Sink]
		head := r.m.heads[p.Source]
		r.equal(r.op+": progress", p, journal.Progress{Lane: p.Lane, Source: p.Source, Low: l.low(head), Beyond: l.beyond(head)})
	}
	r.compareProgress(list)
}

// dropLane gives up a lane's ways that nothing runs.
func (r *runner) dropLane() {
	flow, sink, d, _ := r.lane()
	if d == nil {
		return
	}
	r.op += fmt.Sprintf(", drop lane %s/%s", flow, sink)
	f := r.m.flows[flow]
	dropped := false
	for source, d := range f.feeds {
		if d.lanes[sink] == nil || r.m.runs(flow, source, sink) {
			continue
		}
		dropped = true
		d.drop(sink, r.m.heads[source])
		if len(d.lanes) == 0 {
			d.add(&f.past, r.m.heads[source])
			delete(f.feeds, source)
		}
	}
	r.m.nameOrigins()
	err := r.DropLane(r.Context(), journal.Lane{Flow: flow, Sink: sink})
	if (err == nil) != dropped {
		r.Fatalf("%s: %v", r.op, err)
	}
}
