package journal

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"slices"
)

// Stats implements Journal.
func (j *SQLite) Stats(ctx context.Context) (s Stats, err error) {
	err = j.read(ctx, func(c *conn) error {
		m, err := load(c)
		if err != nil {
			return err
		}
		if s.Sources, err = j.sourceStats(c, m); err != nil {
			return err
		}
		if s.Flows, err = flowStats(c, m); err != nil {
			return err
		}
		s.Lanes, err = laneStats(c, m, j.topology.Load())
		return err
	})
	if err != nil {
		return Stats{}, fmt.Errorf("count journal: %w", err)
	}
	s.Bytes = j.size()
	if full := j.full.Load(); full != nil {
		s.Full = full.Reason
	}
	return s, nil
}

// size is that of the database's files.
func (j *SQLite) size() (n int64) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if st, err := os.Stat(j.file() + suffix); err == nil {
			n += st.Size()
		}
	}
	return n + j.blobs.bytes.Load()
}

func (j *SQLite) sourceStats(c *conn, m *model) ([]SourceStats, error) {
	bySource := map[string]*SourceStats{}
	byID := map[int64]*SourceStats{}
	for _, s := range m.sources {
		st := &SourceStats{Source: s.address, Accepted: int64(s.head), Duplicates: s.duplicates,
			Refused: s.refused, Unrouted: s.unrouted, Last: s.last}
		bySource[s.address], byID[s.id] = st, st
	}
	for address, p := range j.ports.all() { // what the next commit stores
		address = j.name(address)
		n := p.refused.Load()
		if n > 0 && bySource[address] == nil {
			bySource[address] = &SourceStats{Source: address}
		}
		if n > 0 {
			bySource[address].Refused += n
		}
	}
	err := c.query("SELECT source, count(*) FROM exceptions WHERE track = 0 GROUP BY source", nil, func(r []driver.Value) error {
		byID[num(r[0])].Dead = num(r[1])
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := make([]SourceStats, 0, len(bySource))
	for _, s := range bySource {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b SourceStats) int { return cmp.Compare(a.Source, b.Source) })
	return list, nil
}

func flowStats(c *conn, m *model) (list []FlowStats, err error) {
	for _, f := range m.flows {
		s := FlowStats{Flow: f.name}
		for _, d := range f.feeds {
			if err := d.stats(c, &s); err != nil {
				return nil, err
			}
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b FlowStats) int { return cmp.Compare(a.Flow, b.Flow) })
	return list, nil
}

// stats adds the feed's events to s: those in the counters; those that would be
// but for an open exception; those that some lane has looked at; all behind them.
func (f *feed) stats(c *conn, s *FlowStats) error {
	head := min(f.end, f.source.head)
	s.Accepted += int64(head - f.start)
	s.Delivered += f.delivered
	s.Filtered += f.filtered
	s.Dropped += f.dropped
	if err := f.openStats(c, s); err != nil {
		return err
	}
	seen, err := f.seen(c, head)
	if err != nil {
		return err
	}
	for from := f.folded; from < seen; from += foldEvents {
		entries, err := tally(c, f, from, min(seen, from+foldEvents))
		if err != nil {
			return err
		}
		for i := range entries {
			s.add(entries[i].class())
		}
	}
	s.Pending += int64(head - max(seen, f.folded))
	return nil
}

func (s *FlowStats) add(c class) {
	switch c {
	case pending:
		s.Pending++
	case dead:
		s.Dead++
	case dropped:
		s.Dropped++
	case delivered:
		s.Delivered++
	case filtered:
		s.Filtered++
	}
}

// openStats counts the events up to folded that have open exceptions.
func (f *feed) openStats(c *conn, s *FlowStats) error {
	const query = "SELECT min(dead) FROM exceptions WHERE track IN (SELECT id FROM tracks WHERE feed = ?) AND track <> 0 AND position > ? AND position <= ? GROUP BY position"
	return c.query(query, []any{f.id, f.start, f.folded}, func(r []driver.Value) error {
		if num(r[0]) != 0 {
			s.Dead++
		} else {
			s.Pending++
		}
		return nil
	})
}

// seen is up to where every track has settled something; all behind it is pending.
func (f *feed) seen(c *conn, head Position) (Position, error) {
	p := head
	for _, t := range f.tracks {
		if t.ended() {
			continue
		}
		last := t.low
		err := eachOutcomes(c, t.id, t.low+1, forever-1, func(o *outcomes) error {
			last = max(last, o.last())
			return nil
		})
		if err != nil {
			return 0, fmt.Errorf("read outcomes: %w", err)
		}
		p = min(p, last)
	}
	return p, nil
}

func laneStats(c *conn, m *model, t *Topology) ([]LaneStats, error) {
	lanes := map[Lane]*LaneStats{}
	tracks := map[int64]*LaneStats{}
	for _, f := range m.feeds {
		for _, k := range f.tracks {
			if k.ended() {
				continue
			}
			s := lanes[k.lane()]
			if s == nil {
				s = &LaneStats{Lane: k.lane(), Active: t.runs(k.lane())}
				lanes[k.lane()] = s
			}
			tracks[k.id] = s
			if err := k.stats(c, s); err != nil {
				return nil, err
			}
		}
	}
	err := c.query("SELECT track, sum(dead), count(*) FROM exceptions WHERE track <> 0 GROUP BY track", nil, func(r []driver.Value) error {
		if s := tracks[num(r[0])]; s != nil {
			s.Dead += num(r[1])
			s.Waiting += num(r[2]) - num(r[1])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := make([]LaneStats, 0, len(lanes))
	for _, s := range lanes {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b LaneStats) int {
		return cmp.Or(cmp.Compare(a.Flow, b.Flow), cmp.Compare(a.Sink, b.Sink))
	})
	return list, nil
}

func (t *track) stats(c *conn, s *LaneStats) error {
	if t.low >= t.feed.source.head {
		return nil
	}
	s.Backlog += int64(t.feed.source.head - t.low)
	s.Bytes += t.feed.source.bytes - t.bytes
	err := eachOutcomes(c, t.id, t.low+1, forever-1, func(o *outcomes) error {
		for p := max(o.first, t.low+1); p <= o.last(); p++ {
			if o.at(p).settled() {
				s.Backlog--
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read outcomes: %w", err)
	}
	return nil
}

// runs tells whether the lane is one of t.
func (t *Topology) runs(l Lane) bool {
	if t == nil {
		return false
	}
	i := slices.IndexFunc(t.Flows, func(f Flow) bool { return f.Name == l.Flow })
	return i >= 0 && (l.Sink == "" || slices.Contains(t.Flows[i].Sinks, l.Sink))
}

// Statuses implements Journal.
func (j *SQLite) Statuses(ctx context.Context, flow, source string, p Position) (map[string]Status, error) {
	found := map[string]Status{}
	flow, source = j.name(flow), j.name(source)
	err := j.read(ctx, func(c *conn) error {
		m, err := load(c)
		if err != nil {
			return err
		}
		s, f := m.sources[source], m.flows[flow]
		if s == nil || f == nil || f.live(s) == nil {
			return nil
		}
		if known, err := s.knows(c, p); err != nil || !known {
			return err
		}
		for _, t := range f.live(s).tracks {
			if t.ended() {
				continue
			}
			var stored Status
			err := eachOutcomes(c, t.id, p, p, func(o *outcomes) error {
				stored = o.at(p).status
				return nil
			})
			if err != nil {
				return err
			}
			if status := t.outcome(p, stored); status != 0 {
				found[t.sink] = status
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read statuses of event %d of %s: %w", p, source, err)
	}
	return found, nil
}

// knows tells whether the event's frame is kept, or one of its exceptions.
func (s *source) knows(c *conn, p Position) (bool, error) {
	f, err := s.frame(c, p)
	if err != nil || f.count > 0 {
		return f.count > 0, err
	}
	n, err := c.integer("SELECT EXISTS (SELECT 1 FROM exceptions WHERE source = ? AND position = ? AND track <> 0)", s.id, p)
	return n != 0, err
}
