package journal

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// settleTask is a Settle on its way.
type settleTask struct {
	job
	s         Settlement
	puts      []put
	envelopes blobNames // of s.Failed

	ends    []end
	counted []recount
	last    *track // that was found, of the source lastOf
	lastOf  string
}

// end is what a settlement does to the exceptions of an event.
type end struct {
	track    *track
	at       Position
	status   Status // 0: none has ended
	attempts int
	took     time.Duration
	change   int64 // exceptions more, or less
}

var _ task = (*settleTask)(nil)

// Settle implements Journal.
func (j *SQLite) Settle(ctx context.Context, s Settlement) (err error) {
	t := &settleTask{job: newJob(), s: s}
	t.patient = true
	defer t.envelopes.unpin(j.blobs)
	if t.puts, err = encodePuts(nil, s.State); err == nil {
		err = t.putAside(ctx, j)
	}
	if err == nil {
		err = j.submit(ctx, t)
	}
	if err != nil {
		return fmt.Errorf("settle %s: %w", s.Lane.name(), err)
	}
	return nil
}

// putAside writes large envelopes into files of their own; where there is no room, into
// that of the ballast, which is for settling.
func (t *settleTask) putAside(ctx context.Context, j *SQLite) error {
	envelope := func(i int) []byte { return t.s.Failed[i].Envelope }
	err := t.envelopes.put(j, len(t.s.Failed), envelope)
	if later := (*component.LaterError)(nil); errors.As(err, &later) {
		if err := j.submit(ctx, &fullTask{newJob()}); err != nil {
			return err
		}
		err = t.envelopes.put(j, len(t.s.Failed), envelope)
	}
	return err
}

// fullTask tells the writer that the disk is full.
type fullTask struct{ job }

func (t *fullTask) run(w *writer) error {
	w.space.diskFull(w)
	return nil
}

// submit hands t to the writer and waits for the answer. When ctx ends before the
// writer has taken t, nothing is done.
func (j *SQLite) submit(ctx context.Context, t task) error {
	b := t.base()
	if err := j.queue.put(t); err != nil {
		return err
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		if b.giveUp() {
			return ctx.Err()
		}
		<-b.done
	}
	return b.err
}

func (t *settleTask) run(w *writer) error {
	if err := t.check(w); err != nil {
		return err
	}
	if err := t.note(w); err != nil {
		return err
	}
	if len(t.puts)+len(t.s.Failed)+len(t.s.Resolved) > 0 {
		if err := w.alone(func() error { return t.stage(w) }); err != nil {
			return err
		}
	}
	return t.apply(w)
}

// track finds the lane's way through a source.
func (w *writer) track(l Lane, address string) (*track, error) {
	now := w.model.names
	s, f := w.model.sources[renamed(now, address)], w.model.flows[renamed(now, l.Flow)]
	if s != nil && f != nil {
		if d := f.live(s); d != nil {
			if t := d.live(renamed(now, l.Sink)); t != nil {
				return t, nil
			}
		}
	}
	return nil, own(fmt.Errorf("find lane %s of %s: %w", l.name(), address, ErrNotFound))
}

// track finds the lane's way through a source. It is asked for every event.
func (t *settleTask) track(w *writer, source string) (*track, error) {
	if t.last != nil && t.lastOf == source {
		return t.last, nil
	}
	k, err := w.track(t.s.Lane, source)
	t.last, t.lastOf = k, source
	return k, err
}

// check finds what makes the settlement impossible before anything is done.
func (t *settleTask) check(w *writer) error {
	for i := range t.s.Outcomes {
		o := &t.s.Outcomes[i]
		if o.Status == 0 || o.Status&partial != 0 {
			return own(fmt.Errorf("status %d of event %d of %s says nothing", o.Status, o.Position, o.Source))
		}
		if err := t.known(w, o.Source, o.Position); err != nil {
			return err
		}
	}
	for i := range t.s.Failed {
		if err := t.known(w, t.s.Failed[i].Source, t.s.Failed[i].Position); err != nil {
			return err
		}
	}
	for i := range t.s.Resolved {
		if s := t.s.Resolved[i].Status; s == 0 || s&^(Nothing|Delivered|Dropped) != 0 {
			return own(fmt.Errorf("status %d does not end an exception", s))
		}
		if err := t.known(w, t.s.Resolved[i].Source, t.s.Resolved[i].Position); err != nil {
			return err
		}
	}
	return nil
}

func (t *settleTask) known(w *writer, source string, p Position) error {
	k, err := t.track(w, source)
	if err == nil && (p == 0 || p > k.feed.source.head) {
		err = own(fmt.Errorf("there is no event %d of %s", p, source))
	}
	return err
}

// note remembers which of the events are counted already.
func (t *settleTask) note(w *writer) (err error) {
	remember := func(source string, p Position) {
		if err != nil {
			return
		}
		k, _ := t.track(w, source)
		t.counted, err = w.remember(t.counted, k.feed, p)
	}
	for i := range t.s.Outcomes {
		remember(t.s.Outcomes[i].Source, t.s.Outcomes[i].Position)
	}
	for i := range t.s.Failed {
		remember(t.s.Failed[i].Source, t.s.Failed[i].Position)
	}
	for i := range t.s.Resolved {
		remember(t.s.Resolved[i].Source, t.s.Resolved[i].Position)
	}
	return err
}

// stage writes state and exceptions.
func (t *settleTask) stage(w *writer) error {
	if err := w.put(renamed(w.model.names, t.s.Lane.Sink), t.puts); err != nil {
		return err
	}
	for i := range t.s.Resolved {
		r := &t.s.Resolved[i]
		k, err := t.track(w, r.Source)
		if err != nil {
			return err
		}
		e := end{track: k, at: r.Position, status: r.Status, attempts: r.Attempts, took: r.Took}
		id, err := w.conn.integer(exceptionFind, k.id, r.Position, r.Path)
		if err == nil && id != 0 {
			e.change = -1
			err = w.conn.exec("DELETE FROM exceptions WHERE id = ?", id)
		}
		if err != nil {
			return fmt.Errorf("end exception: %w", err)
		}
		t.ends = append(t.ends, e)
	}
	for i := range t.s.Failed {
		e := &t.s.Failed[i]
		k, err := t.track(w, e.Source)
		if err != nil {
			return err
		}
		added, err := w.raise(k, e, t.envelopes.of(i))
		if err != nil {
			return fmt.Errorf("store exception: %w", err)
		}
		n := end{track: k, at: e.Position}
		if added {
			n.change = 1
		}
		t.ends = append(t.ends, n)
	}
	return nil
}

// apply notes the outcomes and moves the lane on.
func (t *settleTask) apply(w *writer) error {
	for i := range t.s.Outcomes {
		o := &t.s.Outcomes[i]
		k, err := t.track(w, o.Source)
		if err != nil {
			return err
		}
		if err := w.settle(k, o); err != nil {
			return err
		}
	}
	for i := range t.ends {
		if err := w.ended(&t.ends[i]); err != nil {
			return err
		}
	}
	return w.settleCounts(t.counted)
}

// settle adds an outcome. Excepted is not for the caller to say: it stands and
// falls with the exceptions.
func (w *writer) settle(t *track, o *Outcome) error {
	row, err := w.writableRow(t, o.Position)
	if err != nil || row == nil {
		return err
	}
	r := row.at(o.Position)
	r.status = (r.status | o.Status&^Excepted) &^ partial
	if r.status == 0 {
		open, err := w.excepts(t, o.Position)
		if err != nil {
			return err
		}
		if r.status = Nothing; open {
			r.status = Excepted
		}
	}
	r.add(o.Attempts, o.Took, w.model.generation)
	w.txn.touchRow(t, row)
	w.advance(t)
	return nil
}

// ended notes what a settlement or an operator did to an event's exceptions.
func (w *writer) ended(e *end) error {
	t := e.track
	t.exceptions += e.change
	row, err := w.writableRow(t, e.at)
	if err != nil {
		return err
	}
	open, err := w.excepts(t, e.at)
	if err != nil {
		return err
	}
	if row != nil {
		r := row.at(e.at)
		settled := r.settled() || e.at <= t.low
		r.status = (r.status | e.status) &^ (Excepted | partial)
		if open {
			r.status |= Excepted
		}
		switch {
		case !settled && r.status != 0:
			r.status |= partial
		case settled && r.status == 0:
			r.status = Nothing
		}
		if e.status != 0 {
			r.add(e.attempts, e.took, w.model.generation)
		}
		w.txn.touchRow(t, row)
	}
	if !open {
		return w.tidy(t.feed.source, e.at)
	}
	return nil
}

// advance moves low over what is settled.
func (w *writer) advance(t *track) {
	before := t.low
	for len(t.open) > 0 && t.open[0].first <= t.low+1 {
		o := t.open[0]
		for t.low < o.last() && o.at(t.low+1).settled() {
			t.low++
		}
		if t.low < o.last() {
			break
		}
		t.bytes = o.bytes
		t.open = t.open[1:]
		w.txn.loaded[rowKey{t.id, o.first}] = o
	}
	if t.low != before {
		w.txn.touchTrack(t)
	}
}

// row is what is stored of position p on the track, as the transaction at hand
// has left it; nil if nothing is. All rows that reach beyond low are in memory.
func (w *writer) row(t *track, p Position) (row *outcomes, err error) {
	if o := find(t.open, p); o != nil || p > t.low && !t.ended() {
		return o, nil
	}
	for k, o := range w.txn.loaded {
		if k.track == t.id && o.holds(p) {
			return o, nil
		}
	}
	err = eachOutcomes(w.conn, t.id, p, p, func(o *outcomes) error {
		row = o
		return nil
	})
	if row != nil {
		w.txn.loaded[rowKey{t.id, row.first}] = row
	}
	return row, err
}

// writableRow is the row of p, made if its frame is kept; nil if it is not.
func (w *writer) writableRow(t *track, p Position) (*outcomes, error) {
	row, err := w.row(t, p)
	if err != nil || row != nil {
		return row, err
	}
	f, err := t.feed.source.frame(w.conn, p)
	if err != nil || f.count == 0 {
		return nil, err
	}
	row = &outcomes{first: f.first, results: make([]result, f.count), bytes: f.bytes}
	if row.last() <= t.low {
		w.txn.loaded[rowKey{t.id, row.first}] = row
		return row, nil
	}
	i := sort.Search(len(t.open), func(i int) bool { return t.open[i].first > row.first })
	t.open = append(t.open, nil)
	copy(t.open[i+1:], t.open[i:])
	t.open[i] = row
	return row, nil
}
