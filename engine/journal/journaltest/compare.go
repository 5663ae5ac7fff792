package journaltest

import (
	"cmp"
	"fmt"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/journal"
)

// compare looks at everything that can be seen.
func (r *runner) compare() {
	r.Helper()
	s, err := r.Stats(r.Context())
	r.ok(err)
	for _, got := range s.Sources {
		want := journal.SourceStats{Source: got.Source, Accepted: int64(r.m.heads[got.Source]), Duplicates: r.m.duplicates[got.Source],
			Refused: r.m.refused[got.Source], Unrouted: r.m.unrouted[got.Source], Last: got.Last}
		r.equal(r.op+": source", got, want)
	}
	flows := map[string]journal.FlowStats{}
	for _, f := range s.Flows {
		flows[f.Flow] = f
	}
	want := map[string]journal.FlowStats{}
	for name, f := range r.m.flows {
		want[name] = f.stats(name, r.m.heads)
	}
	r.equal(r.op+": flows", flows, want)
	r.equal(r.op+": lanes", s.Lanes, r.lanes(), gocmp.FilterPath(func(p gocmp.Path) bool { return p.Last().String() == ".Bytes" }, gocmp.Ignore()))
	known, err := r.Origins(r.Context())
	r.ok(err)
	r.equal(r.op+": origins", known, r.m.origins)
	r.compareStatuses()
}

func (r *runner) lanes() (list []journal.LaneStats) {
	lanes := map[journal.Lane]*journal.LaneStats{}
	for name, f := range r.m.flows {
		for _, d := range f.feeds {
			for sink, l := range d.lanes {
				lane := journal.Lane{Flow: name, Sink: sink}
				s := lanes[lane]
				if s == nil {
					s = &journal.LaneStats{Lane: lane}
					lanes[lane] = s
				}
				s.Active = s.Active || slices.ContainsFunc(r.m.running, func(f journal.Flow) bool {
					return f.Name == name && (sink == "" || slices.Contains(f.Sinks, sink))
				})
				head := r.m.heads[d.source]
				s.Backlog += int64(head-l.low(head)) - int64(len(l.beyond(head)))
				for _, dead := range l.open {
					if dead {
						s.Dead++
					} else {
						s.Waiting++
					}
				}
			}
		}
	}
	for _, s := range lanes {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b journal.LaneStats) int {
		return cmp.Or(cmp.Compare(a.Flow, b.Flow), cmp.Compare(a.Sink, b.Sink))
	})
	return list
}

// compareStatuses looks at events that are known for sure: those with open
// exceptions, and those that some lane still needs.
func (r *runner) compareStatuses() {
	for name, f := range r.m.flows {
		for _, d := range f.feeds {
			var events []journal.Position
			for _, l := range d.lanes {
				if keys := r.keys(l); len(keys) > 0 {
					events = append(events, keys[r.rand.IntN(len(keys))].Position)
				}
				head := r.m.heads[d.source]
				if low := l.low(head); low < head {
					events = append(events, low+1, head)
				}
			}
			for _, p := range events {
				want := map[string]journal.Status{}
				for sink, l := range d.lanes {
					if s := l.status(p); s != 0 {
						want[sink] = s
					}
				}
				got, err := r.Statuses(r.Context(), name, d.source, p)
				r.ok(err)
				r.equal(fmt.Sprintf("%s: statuses of event %d of %s in %s", r.op, p, d.source, name), got, want)
			}
		}
	}
}

// compareProgress asks for the lanes' progress one by one.
func (r *runner) compareProgress(all []journal.Progress) {
	for len(all) > 0 {
		n := 0
		var want []journal.Progress
		lane := all[0].Lane
		for _, p := range all {
			if p.Lane == lane {
				want = append(want, p)
			} else {
				all[n] = p
				n++
			}
		}
		all = all[:n]
		got, err := r.Progress(r.Context(), lane)
		r.ok(err)
		r.equal(r.op+": progress of one lane", got, want)
	}
}
