package journal

import (
	"context"
	"fmt"
)

// exceptionTask changes one exception on an operator's word.
type exceptionTask struct {
	job
	id   int64
	drop bool // else revive
	e    Exception
	file string // pinned, that has its envelope; "": there is none
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
	err := j.submit(ctx, t)
	if t.file != "" {
		defer j.blobs.unpin(t.file)
		if err == nil {
			t.e.Envelope, err = j.blobs.read(t.file)
		}
	}
	if err != nil {
		return Exception{}, err
	}
	return t.e, nil
}

func (t *exceptionTask) run(w *writer) (err error) {
	var number int64
	if t.e, number, t.file, err = w.exception(t.id); err != nil {
		return err
	}
	if !t.drop {
		now := w.txn.now.UTC()
		t.e.Dead, t.e.Since, t.e.Next = false, now, now
		return w.conn.exec("UPDATE exceptions SET dead = 0, since = ?, next = ? WHERE id = ?", nanos(now), nanos(now), t.id)
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
	l = j.lane(l)
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
	return w.forgetOrigins()
}

// giveUp ends a track: what it has not settled is dropped, and so are its exceptions.
func (w *writer) giveUp(t *track) error {
	f, s := t.feed, t.feed.source
	for _, o := range t.open {
		w.txn.loaded[rowKey{t.id, o.first}] = o
	}
	t.open, t.exceptions, t.givenUp = nil, 0, t.low
	t.low, t.end, t.bytes = s.head, s.head, s.bytes
	w.txn.touchTrack(t)
	w.txn.touchFeed(f)
	if !f.hasLive() {
		f.end = s.head
	}
	freed, err := w.freed(t)
	if err != nil {
		return fmt.Errorf("count exceptions: %w", err)
	}
	f.dropped += freed
	if err := w.conn.exec("DELETE FROM exceptions WHERE "+ofTrack, t.id); err != nil {
		return fmt.Errorf("drop exceptions: %w", err)
	}
	kept := s.head + 1
	if s.oldest.count > 0 {
		kept = s.oldest.first
	}
	return w.deleteOutcomes(s, 0, kept-1)
}

// freed counts the events that only exceptions of t kept out of the counters. All
// have been settled, so that they are dropped now, whatever else became of them.
func (w *writer) freed(t *track) (int64, error) {
	const query = "SELECT count(DISTINCT position) FROM exceptions e WHERE " + ofTrack + " AND position > ? AND position <= ? AND NOT EXISTS " +
		"(SELECT 1 FROM exceptions o JOIN tracks k ON k.id = o.track WHERE o.source = e.source AND o.position = e.position AND o.track <> e.track AND k.feed = ?)"
	return w.conn.integer(query, t.id, t.feed.start, t.feed.folded, t.feed.id)
}

func (f *feed) hasLive() bool {
	for _, t := range f.tracks {
		if !t.ended() {
			return true
		}
	}
	return false
}
