package journal

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// exceptionTask changes one exception on an operator's word.
type exceptionTask struct {
	job
	id   int64
	drop bool // else revive
	e    Exception
}

// Revive implements Journal.
func (j *SQLite) Revive(ctx context.Context, id int64) (Exception, error) {
	return j.change(ctx, &exceptionTask{job: newJob(), id: id})
}

// Drop implements Journal.
func (j *SQLite) Drop(ctx context.Context, id int64) (Exception, error) {
	return j.change(ctx, &exceptionTask{job: newJob(), id: id, drop: true})
}

func (j *SQLite) change(ctx context.Context, t *exceptionTask) (Exception, error) {
	if err := j.submit(ctx, t); err != nil {
		return Exception{}, err
	}
	return t.e, nil
}

func (t *exceptionTask) run(w *writer) (err error) {
	var number int64
	if t.e, number, err = w.exception(t.id); err != nil {
		return err
	}
	if !t.drop {
		t.e.Dead, t.e.Next = false, w.txn.now.UTC()
		return w.conn.exec("UPDATE exceptions SET dead = 0, next = ? WHERE id = ?", nanos(t.e.Next), t.id)
	}
	const drop = "DELETE FROM exceptions WHERE id = ?"
	if number == 0 {
		return w.conn.exec(drop, t.id)
	}
	k, err := w.track(t.e.Lane, t.e.Source)
	if err != nil {
		return err
	}
	counted, err := w.remember(nil, k.feed, t.e.Position)
	if err != nil {
		return err
	}
	if err := w.conn.exec(drop, t.id); err != nil {
		return err
	}
	if err := w.ended(&end{track: k, at: t.e.Position, status: Dropped, change: -1}); err != nil {
		return err
	}
	return w.settleCounts(counted)
}

// dropLaneTask gives up a lane.
type dropLaneTask struct {
	job
	lane Lane
}

// DropLane implements Journal.
func (j *SQLite) DropLane(ctx context.Context, l Lane) error {
	if err := j.submit(ctx, &dropLaneTask{job: newJob(), lane: l}); err != nil {
		return fmt.Errorf("drop lane %s: %w", l.name(), err)
	}
	return nil
}

func (t *dropLaneTask) run(w *writer) error {
	var orphans []*track
	err := ErrNotFound
	if f := w.model.flows[t.lane.Flow]; f != nil {
		for _, d := range f.feeds {
			k := d.live(t.lane.Sink)
			switch {
			case k == nil:
			case k.active:
				err = ErrInUse
			default:
				orphans = append(orphans, k)
			}
		}
	}
	if len(orphans) == 0 {
		return own(err)
	}
	if err := w.emitAll(); err != nil {
		return err
	}
	for _, k := range orphans {
		if err := w.giveUp(k); err != nil {
			return err
		}
	}
	return nil
}

// giveUp ends a track: what it has not settled is dropped, and so are its exceptions.
func (w *writer) giveUp(t *track) error {
	var counted []recount
	var events []Position
	err := eachExcepted(w.conn, t.id, 1, t.feed.folded, func(p Position, _ bool) { events = append(events, p) })
	if err != nil {
		return err
	}
	for _, p := range events {
		if counted, err = w.remember(counted, t.feed, p); err != nil {
			return err
		}
	}
	var all []Position
	const find = "SELECT DISTINCT position FROM exceptions WHERE track = ? ORDER BY position"
	err = w.conn.query(find, []any{t.id}, func(r []driver.Value) error {
		all = append(all, pos(r[0]))
		return nil
	})
	if err != nil {
		return err
	}
	if err := w.conn.exec("DELETE FROM exceptions WHERE track = ?", t.id); err != nil {
		return err
	}
	for _, o := range t.open {
		w.txn.loaded[rowKey{t.id, o.first}] = o
	}
	t.open, t.exceptions, t.givenUp = nil, 0, t.low
	t.low, t.end, t.bytes = t.feed.source.head, t.feed.source.head, t.feed.source.bytes
	w.txn.touchTrack(t)
	if !t.feed.hasLive() {
		t.feed.end = t.feed.source.head
		w.txn.touchFeed(t.feed)
	}
	if err := w.settleCounts(counted); err != nil {
		return err
	}
	for _, p := range all {
		if err := w.tidy(t.feed.source, p); err != nil {
			return err
		}
	}
	return nil
}

func (f *feed) hasLive() bool {
	for _, t := range f.tracks {
		if !t.ended() {
			return true
		}
	}
	return false
}
