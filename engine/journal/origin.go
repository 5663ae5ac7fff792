package journal

import (
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
)

// NextOrigins tells the origins of the flows and sinks of those names after a
// Configure with these moves, where known are the origins of now. An origin is the
// name by which a flow or sink was known first: unlike its name it stays the same
// when it moves, and no two have the same. Whoever takes a name that was the
// origin of another gets "NAME#2", the next "NAME#3".
func NextOrigins(known map[string]string, moved []Move, names []string) map[string]string {
	all := nextOrigins(known, moved, names)
	next := make(map[string]string, len(names))
	for _, n := range names {
		next[n] = all[n]
	}
	return next
}

// nextOrigins is NextOrigins with those that have gone.
func nextOrigins(known map[string]string, moved []Move, names []string) map[string]string {
	next := maps.Clone(known)
	if next == nil {
		next = map[string]string{}
	}
	list, _ := ends(moved) // Configure refuses moves that contradict each other
	for _, m := range list {
		if o, ok := next[m.From]; ok {
			delete(next, m.From)
			next[m.To] = o
		}
	}
	taken := map[string]bool{}
	for _, o := range next {
		taken[o] = true
	}
	for _, n := range names {
		if next[n] != "" {
			continue
		}
		o := n
		for i := 2; taken[o]; i++ {
			o = fmt.Sprintf("%s#%d", n, i)
		}
		next[n], taken[o] = o, true
	}
	return next
}

// names are those of all flows and sinks of t.
func (t *Topology) names() map[string]bool {
	all := map[string]bool{}
	for n := range t.Origins {
		all[n] = true
	}
	for i := range t.Flows {
		f := &t.Flows[i]
		all[f.Name] = true
		for _, s := range f.Sinks {
			all[s] = true
		}
	}
	return all
}

// Origins implements Journal.
func (j *SQLite) Origins(ctx context.Context) (known map[string]string, err error) {
	err = j.read(ctx, func(c *conn) error {
		known, err = loadOrigins(c)
		return err
	})
	return known, err
}

func loadOrigins(c *conn) (map[string]string, error) {
	known := map[string]string{}
	err := c.query("SELECT address, origin FROM origins", nil, func(r []driver.Value) error {
		known[text(r[0])] = text(r[1])
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read origins: %w", err)
	}
	return known, nil
}

// planOrigins finds the origins of t's flows and sinks, and checks that its caller
// reckons with the same.
func (w *writer) planOrigins(t *Topology) (map[string]string, error) {
	next := nextOrigins(w.model.origins, t.Moved, slices.Sorted(maps.Keys(t.names())))
	for n, o := range t.Origins {
		if next[n] != o {
			return nil, own(fmt.Errorf("the origin of %s has become %s, not %s: lanes were dropped meanwhile; try again", n, next[n], o))
		}
	}
	return next, nil
}

// storeOrigins makes next the origins, without those of which nothing is left.
func (w *writer) storeOrigins(next map[string]string, t *Topology) error {
	declared := t.names()
	lanes := w.model.lanes()
	maps.DeleteFunc(next, func(n, _ string) bool { return !declared[n] && !lanes[n] })
	for n, o := range w.model.origins {
		if next[n] != o {
			if err := w.conn.exec("DELETE FROM origins WHERE address = ?", n); err != nil {
				return fmt.Errorf("delete origin: %w", err)
			}
		}
	}
	for n, o := range next {
		if w.model.origins[n] != o {
			if err := w.conn.exec("INSERT INTO origins (address, origin) VALUES (?, ?)", n, o); err != nil {
				return fmt.Errorf("write origin: %w", err)
			}
		}
	}
	w.model.origins = next
	return nil
}

// lanes are the names of all flows and sinks that have lanes, running or not.
func (m *model) lanes() map[string]bool {
	all := map[string]bool{}
	for _, d := range m.feeds {
		for _, t := range d.tracks {
			if !t.ended() {
				all[d.flow.name], all[t.sink] = true, true
			}
		}
	}
	return all
}

// forgetOrigins lets go what nothing is left of since lanes were dropped.
func (w *writer) forgetOrigins() error {
	if t := w.model.running; t != nil {
		return w.storeOrigins(maps.Clone(w.model.origins), t)
	}
	return nil
}
