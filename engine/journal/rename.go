package journal

import (
	"fmt"
	"slices"
)

// rename carries out what planMoves has planned.
func (w *writer) rename(r *renaming) error {
	for _, m := range r.sources {
		if err := w.renameSource(m); err != nil {
			return fmt.Errorf("move source %s: %w", m.source.address, err)
		}
	}
	for _, m := range r.flows {
		if err := w.renameFlow(m); err != nil {
			return fmt.Errorf("move flow %s: %w", m.flow.name, err)
		}
	}
	for _, m := range r.sinks {
		if err := w.renameSink(m); err != nil {
			return fmt.Errorf("move sink %s: %w", m.From, err)
		}
	}
	return nil
}

func (w *writer) renameSource(m sourceMove) error {
	s, from := m.source, m.source.address
	if m.over != nil {
		if err := w.forgetSource(m.over); err != nil {
			return err
		}
		s.refused += m.over.refused
		w.txn.touchSource(s)
	}
	if err := w.conn.exec("UPDATE sources SET address = ? WHERE id = ?", m.to, s.id); err != nil {
		return err
	}
	for _, suffix := range []string{"", dedupeScope} {
		if err := w.renameScope(from+suffix, m.to+suffix); err != nil {
			return err
		}
	}
	delete(w.model.sources, from)
	w.model.sources[m.to], s.address = s, m.to
	for _, f := range w.txn.fresh {
		if f.Source == from {
			f.Source = m.to
		}
	}
	w.txn.renamed = append(w.txn.renamed, Move{from, m.to})
	return nil
}

// forgetSource deletes a source that never had an event.
func (w *writer) forgetSource(s *source) error {
	for _, d := range slices.Clone(s.feeds) {
		if err := w.forgetFeed(d); err != nil {
			return err
		}
	}
	delete(w.model.sources, s.address)
	return w.conn.exec("DELETE FROM sources WHERE id = ?", s.id)
}

// forgetFeed deletes a feed that had no events.
func (w *writer) forgetFeed(d *feed) error {
	for _, t := range d.tracks {
		if err := w.forgetTrack(t); err != nil {
			return err
		}
	}
	d.tracks = nil
	same := func(x *feed) bool { return x == d }
	w.model.feeds = slices.DeleteFunc(w.model.feeds, same)
	d.flow.feeds = slices.DeleteFunc(d.flow.feeds, same)
	d.source.feeds = slices.DeleteFunc(d.source.feeds, same)
	return w.conn.exec("DELETE FROM feeds WHERE id = ?", d.id)
}

// renameFlow gives the flow its new name; its account goes on, and if a flow of
// that name has ended, so does that one's.
func (w *writer) renameFlow(m flowMove) error {
	f := m.flow
	if m.over != nil {
		for _, d := range slices.Clone(m.over.feeds) {
			if d.end != forever {
				d.flow = f
				f.feeds = append(f.feeds, d)
			} else if err := w.forgetFeed(d); err != nil {
				return err
			}
		}
	}
	delete(w.model.flows, f.name)
	if err := w.conn.exec("UPDATE feeds SET flow = ? WHERE flow = ?", m.to, f.name); err != nil {
		return err
	}
	w.model.flows[m.to], f.name = f, m.to
	return nil
}

func (w *writer) renameSink(m Move) error {
	for _, d := range w.model.feeds {
		if t := d.live(m.To); t != nil {
			if err := w.forgetTrack(t); err != nil {
				return err
			}
			d.tracks = slices.DeleteFunc(d.tracks, func(x *track) bool { return x == t })
		}
		for _, t := range d.tracks {
			if t.sink == m.From {
				t.sink = m.To
			}
		}
	}
	if err := w.conn.exec("UPDATE tracks SET sink = ? WHERE sink = ?", m.To, m.From); err != nil {
		return err
	}
	return w.renameScope(m.From, m.To)
}

// renameScope moves keyed state. If there is some, it takes the place of what was
// left under the new name.
func (w *writer) renameScope(from, to string) error {
	keeps, err := w.keeps(from)
	if err != nil || !keeps {
		return err
	}
	if err := w.discard(to); err != nil {
		return err
	}
	id, err := w.scope(from)
	if err != nil {
		return err
	}
	delete(w.model.scopes, from)
	w.model.scopes[to] = id
	return w.conn.exec("UPDATE scopes SET name = ? WHERE id = ?", to, id)
}
