package journal

import (
	"database/sql/driver"
	"fmt"
)

// purgeable is the source with the oldest frame that may go, or nil: one that all
// have settled and counted, stored at or before the time; with space.early, at any.
func (w *writer) purgeable(before int64) *source {
	var found *source
	for _, s := range w.model.sources {
		if w.aged(s, before) && s.oldest.last() <= s.done() && (found == nil || s.oldest.time < found.oldest.time) {
			found = s
		}
	}
	return found
}

func (w *writer) aged(s *source, before int64) bool {
	return s.oldest.count > 0 && (s.oldest.time <= before || w.space.early)
}

// done is up to where nobody needs the source's frames.
func (s *source) done() Position {
	p := s.settled()
	for _, f := range s.feeds {
		if f.folded < f.end {
			p = min(p, f.folded)
		}
	}
	return p
}

// settled is up to where all flows have settled the source.
func (s *source) settled() Position {
	p := s.head
	for _, f := range s.feeds {
		if f.folded < f.end {
			p = min(p, f.settled())
		}
	}
	return p
}

// purgeWaits tells that a frame could go if what is settled were counted.
func (w *writer) purgeWaits() bool {
	before := w.overdue(w.j.o.Now())
	for _, s := range w.model.sources {
		if w.aged(s, before) && s.oldest.last() <= s.settled() && s.done() < s.settled() {
			return true
		}
	}
	return false
}

// purge deletes a slice of frames that nobody needs any more, with their outcomes.
func (w *writer) purge() error {
	if !w.due.purge && (!w.space.early || w.space.exhausted) {
		return nil
	}
	before := w.overdue(w.txn.now)
	s := w.purgeable(before)
	if s == nil {
		w.due.purge = w.purgeWaits()
		w.space.exhausted = w.space.early && !w.due.purge
		return nil
	}
	w.due.purge = true
	gone, err := w.purgeFrames(s, before)
	if err != nil {
		return fmt.Errorf("purge frames: %w", err)
	}
	if err := w.purgeOutcomes(s, gone); err != nil {
		return fmt.Errorf("purge outcomes: %w", err)
	}
	w.space.unseen += measureEvery // look again how large it is
	return s.loadOldest(w.conn)
}

// purgeFrames deletes the oldest frames of s, a slice of those that may go.
func (w *writer) purgeFrames(s *source, before int64) (gone []frameInfo, err error) {
	done, size := s.done(), int64(0)
	const query = "SELECT id, count, size, bytes, time, length(body), blob FROM frames WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?"
	err = w.conn.query(query, []any{frameID(s.id, 0), frameID(s.id, done), purgeFrames}, func(r []driver.Value) error {
		f := readFrameInfo(r)
		size += num(r[5])
		if r[6] != nil {
			size += f.size
		}
		if f.last() > done || f.time > before && !w.space.early || len(gone) > 0 && size > purgeBytes {
			return errEnough
		}
		gone = append(gone, f)
		if r[6] != nil {
			w.txn.unnamed = append(w.txn.unnamed, text(r[6]))
		}
		return nil
	})
	if err != nil || len(gone) == 0 {
		return nil, err
	}
	last := gone[len(gone)-1].first
	for len(s.recent) > 0 && s.recent[0].first <= last {
		s.recent = s.recent[1:]
	}
	return gone, w.conn.exec("DELETE FROM frames WHERE id >= ? AND id <= ?", frameID(s.id, 0), frameID(s.id, last))
}

// purgeOutcomes deletes the rows of frames that went, and tracks that nothing
// needs any more.
func (w *writer) purgeOutcomes(s *source, gone []frameInfo) error {
	if len(gone) == 0 {
		return nil
	}
	last := gone[len(gone)-1]
	if err := w.deleteOutcomes(s, gone[0].first, last.first); err != nil {
		return err
	}
	return w.forgetTracks(s, last.last())
}

// deleteOutcomes deletes the rows of frames that begin from…to, but for those of
// which an event has an open exception: its end is still to be counted.
func (w *writer) deleteOutcomes(s *source, from, to Position) error {
	const query = "DELETE FROM outcomes WHERE track = ? AND first >= ? AND first <= ? AND NOT EXISTS " +
		"(SELECT 1 FROM exceptions e WHERE e.source = ? AND e.position >= outcomes.first AND e.position <= outcomes.last AND e.track <> 0)"
	for _, f := range s.feeds {
		for _, t := range f.tracks {
			if err := w.conn.exec(query, t.id, from, to, s.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetTracks deletes ended tracks of s of which no event up to the position is
// left to be counted.
func (w *writer) forgetTracks(s *source, upTo Position) error {
	for _, f := range s.feeds {
		kept := f.tracks[:0]
		for _, t := range f.tracks {
			if t.end > upTo || t.end > f.folded {
				kept = append(kept, t)
				continue
			}
			held, err := w.conn.integer("SELECT EXISTS (SELECT 1 FROM exceptions WHERE source = ? AND position <= ? AND track <> 0)", s.id, t.end)
			if err != nil {
				return err
			}
			if held != 0 {
				kept = append(kept, t)
				continue
			}
			if err := w.forgetTrack(t); err != nil {
				return err
			}
		}
		f.tracks = kept
	}
	return nil
}

func (w *writer) forgetTrack(t *track) error {
	if err := w.conn.exec("DELETE FROM outcomes WHERE track = ?", t.id); err != nil {
		return err
	}
	return w.conn.exec("DELETE FROM tracks WHERE id = ?", t.id)
}

// tidy deletes the outcomes of the frame that held p, when the frame is gone and
// none of its events has an open exception any more.
func (w *writer) tidy(s *source, p Position) error {
	f, err := s.frame(w.conn, p)
	if err != nil || f.count > 0 {
		return err
	}
	return w.deleteOutcomes(s, max(p, maxEvents)-maxEvents, p)
}
