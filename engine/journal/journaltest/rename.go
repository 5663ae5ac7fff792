package journaltest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/syncd/syncd/engine/journal"
)

// move gives some sources, flows and sinks new names, and a new topology.
func (r *runner) move() {
	var moved []journal.Move
	for _, list := range [][]string{r.sources, r.flows, r.sinks} {
		for i, from := range list {
			if r.rand.IntN(3) > 0 {
				continue
			}
			r.moves++
			list[i] = fmt.Sprintf("%s.%d", base(from), r.moves%7) // back to one that it once had, too
			if list[i] == from {
				continue
			}
			moved = append(moved, journal.Move{From: from, To: list[i]})
			r.m.move(from, list[i])
		}
	}
	r.op += fmt.Sprintf(", move %v", moved)
	r.reload(moved)
}

// base is the name without the number that a move gave it.
func base(name string) string {
	if i := len(name) - 2; name[i] == '.' {
		return name[:i]
	}
	return name
}

func (m *model) move(from, to string) {
	shift(m.heads, from, to)
	shift(m.duplicates, from, to)
	shift(m.unrouted, from, to)
	shift(m.refused, from, to)
	shift(m.ids, from, to)
	shift(m.flows, from, to)
	shift(m.origins, from, to)
	for _, f := range m.flows {
		shift(f.feeds, from, to)
		for _, d := range f.feeds {
			d.move(from, to)
		}
	}
}

func (d *feedModel) move(from, to string) {
	shift(d.lanes, from, to)
	if d.source != from {
		return
	}
	d.source = to
	for _, l := range slices.Concat(slices.Collect(maps.Values(d.lanes)), d.gone) {
		open := map[journal.Key]bool{}
		for k, dead := range l.open {
			k.Source = to
			open[k] = dead
		}
		l.open = open
	}
}

// shift moves an entry to another key.
func shift[V any](m map[string]V, from, to string) {
	if v, ok := m[from]; ok {
		delete(m, from)
		m[to] = v
	}
}

// nameOrigins gives each that runs an origin, and lets those go of which nothing is left.
func (m *model) nameOrigins() {
	here := map[string]bool{}
	for _, f := range m.running {
		here[f.Name] = true
		for _, s := range f.Sinks {
			here[s] = true
		}
	}
	for _, n := range slices.Sorted(maps.Keys(here)) {
		for i := 1; m.origins[n] == ""; i++ {
			o := n
			if i > 1 {
				o = fmt.Sprintf("%s#%d", n, i)
			}
			if !slices.Contains(slices.Collect(maps.Values(m.origins)), o) {
				m.origins[n] = o
			}
		}
	}
	for name, f := range m.flows {
		for _, d := range f.feeds {
			for sink := range d.lanes {
				here[name], here[sink] = true, true
			}
		}
	}
	maps.DeleteFunc(m.origins, func(n, _ string) bool { return !here[n] })
}
