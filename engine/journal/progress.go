package journal

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
)

// Progress implements Journal.
func (j *SQLite) Progress(ctx context.Context, l Lane) (list []Progress, err error) {
	l = j.lane(l)
	t := j.topology.Load()
	if !t.runs(l) {
		return nil, fmt.Errorf("read progress of lane %s: %w", l.name(), ErrNotFound)
	}
	i := slices.IndexFunc(t.Flows, func(f Flow) bool { return f.Name == l.Flow })
	err = j.read(ctx, func(c *conn) error {
		for _, address := range t.Flows[i].Sources {
			p := Progress{Lane: l, Source: address}
			if err := p.load(c); err != nil {
				return err
			}
			list = append(list, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read progress of lane %s: %w", l.name(), err)
	}
	return list, nil
}

// load reads how far the lane has come.
func (p *Progress) load(c *conn) error {
	const query = "SELECT t.id, t.low FROM sources s JOIN feeds f ON f.source = s.id JOIN tracks t ON t.feed = f.id " +
		"WHERE s.address = ? AND f.flow = ? AND t.sink = ? AND f.ended = ? AND t.ended = ?"
	var track int64
	err := c.query(query, []any{p.Source, p.Lane.Flow, p.Lane.Sink, forever, forever}, func(r []driver.Value) error {
		track, p.Low = num(r[0]), pos(r[1])
		return nil
	})
	if err != nil {
		return err
	}
	if track == 0 {
		return ErrNotFound
	}
	return eachOutcomes(c, track, p.Low+1, forever-1, func(o *outcomes) error {
		p.Beyond = o.appendSettled(p.Beyond, p.Low)
		return nil
	})
}

// appendSettled adds the positions after low that are settled.
func (o *outcomes) appendSettled(list []Position, low Position) []Position {
	for p := max(o.first, low+1); p <= o.last(); p++ {
		if o.at(p).settled() {
			list = append(list, p)
		}
	}
	return list
}
