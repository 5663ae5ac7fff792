package journal

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/syncd/syncd/engine/component"
)

// appendTask is an Append on its way. Its buffers serve again.
type appendTask struct {
	job
	a        Append
	buf      []byte
	sections []section
	puts     []put
	payloads blobNames // of a.Records
	answers  []answer
	doubles  int
	deduped  bool // some record has a Dedupe
	port     *port
	source   *source
}

// answer is what becomes of one record.
type answer struct {
	id        ID
	duplicate bool
}

var _ task = (*appendTask)(nil)

// Append implements Journal.
func (j *SQLite) Append(ctx context.Context, a Append) ([]component.Accepted, error) {
	name := j.name(a.Source)
	port := j.ports.get(name)
	if err := j.turnedAway(port); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j.keepPace(ctx, &port.pace, name, a.Records)
	t := j.idle.Get().(*appendTask)
	t.port = port
	if err := t.prepare(j, a); err != nil {
		j.recycle(t)
		return nil, fmt.Errorf("append to %s: %w", a.Source, err)
	}
	if err := j.queue.put(t); err != nil {
		j.recycle(t)
		return nil, err
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		if t.giveUp() {
			return nil, ctx.Err()
		}
		<-t.done
	}
	err := t.err
	var accepted []component.Accepted
	if err == nil && !a.Silent {
		accepted = t.accepted()
	}
	j.recycle(t)
	return accepted, err
}

// turnedAway is the answer while nothing of the source can be taken, or nil.
func (j *SQLite) turnedAway(p *port) error {
	if e := j.full.Load(); e != nil {
		return e
	}
	if e := p.gate.Load(); e != nil {
		return e
	}
	return nil
}

// prepare does all that needs no writer: encoding above all.
func (t *appendTask) prepare(j *SQLite, a Append) (err error) {
	t.a = a
	t.answers = slices.Grow(t.answers, len(a.Records))
	for i := range a.Records {
		t.answers = append(t.answers, answer{id: a.Records[i].ID})
		t.deduped = t.deduped || a.Records[i].Dedupe != "" && a.DedupeWindow > 0
	}
	if t.puts, err = encodePuts(t.puts, a.State); err != nil {
		return err
	}
	if err := t.payloads.put(j, len(a.Records), func(i int) []byte { return a.Records[i].Payload.Raw }); err != nil {
		return err
	}
	t.buf = j.buffers.of(room(a.Records, t.payloads.names), t.buf)
	t.buf, t.sections, err = encodeSections(t.buf, t.sections, a.Records, t.payloads.names)
	return err
}

func (t *appendTask) accepted() []component.Accepted {
	list := make([]component.Accepted, len(t.answers))
	all := make([]byte, 0, len(t.answers)*2*len(ID{}))
	for i := range t.answers {
		all = hex.AppendEncode(all, t.answers[i].id[:])
	}
	ids := unsafe.String(unsafe.SliceData(all), len(all)) // one piece of memory for all
	for i := range list {
		list[i] = component.Accepted{ID: ids[:2*len(ID{})], Duplicate: t.answers[i].duplicate}
		ids = ids[2*len(ID{}):]
	}
	return list
}

// reset readies t for the next Append, without what a large one made it hold.
func (t *appendTask) reset() {
	t.err = nil
	t.state.Store(queued)
	t.a, t.port, t.source, t.doubles, t.deduped, t.payloads = Append{}, nil, nil, 0, false, blobNames{}
	clear(t.sections)
	clear(t.puts)
	t.sections, t.puts, t.answers = t.sections[:0], t.puts[:0], t.answers[:0]
	if t.buf = t.buf[:0]; cap(t.buf) > smallBuffer {
		t.buf, t.answers = nil, nil
	}
}

func (t *appendTask) run(w *writer) (err error) {
	if err := w.j.turnedAway(t.port); err != nil {
		return own(err)
	}
	if t.source, err = w.source(t.a.Source); err != nil {
		return err
	}
	if t.deduped || len(t.puts) > 0 || len(t.a.Dead) > 0 || len(t.a.Retried) > 0 {
		if err := w.alone(func() error { return t.stage(w) }); err != nil {
			return err
		}
	}
	return t.apply(w)
}

// stage writes what stands beside the events.
func (t *appendTask) stage(w *writer) error {
	if t.deduped {
		if err := t.dedupe(w); err != nil {
			return err
		}
	}
	if err := w.put(t.source.address, t.puts); err != nil {
		return err
	}
	for i := range t.a.Dead {
		if err := w.bury(t.source, &t.a.Dead[i]); err != nil {
			return err
		}
	}
	for _, id := range t.a.Retried {
		if err := w.buried(t.source, id); err != nil {
			return err
		}
		if err := w.conn.exec("DELETE FROM exceptions WHERE id = ?", id); err != nil {
			return fmt.Errorf("end dead letter %d: %w", id, err)
		}
	}
	return nil
}

// dedupe finds the records that are known and remembers the others.
func (t *appendTask) dedupe(w *writer) error {
	scope, err := w.scope(t.source.address + dedupeScope)
	if err != nil {
		return err
	}
	for i := range t.a.Records {
		if t.a.Records[i].Dedupe == "" {
			continue
		}
		if err := t.identify(w, scope, i); err != nil {
			return err
		}
	}
	if t.doubles == 0 {
		return nil
	}
	return t.encodeRest()
}

// identify finds out whether record i is known. What is remembered of an id is the
// first event's ID and its content's digest.
func (t *appendTask) identify(w *writer, scope int64, i int) error {
	r, now := &t.a.Records[i], w.txn.now
	var known []byte
	var until int64
	const find = "SELECT value, expires FROM state WHERE scope = ? AND key = ? AND expires > ?"
	err := w.conn.query(find, []any{scope, r.Dedupe, nanos(now)}, func(row []driver.Value) error {
		known, until = slices.Clone(blob(row[0])), num(row[1])
		return nil
	})
	if err != nil {
		return fmt.Errorf("find duplicate: %w", err)
	}
	id := &t.answers[i].id
	if len(known) >= len(id) && (r.Content == "" || string(known[len(id):]) == r.Content) {
		copy(id[:], known)
		t.answers[i].duplicate = true
		t.doubles++
		if !t.a.Renew || until >= nanos(now.Add(t.a.DedupeWindow)) {
			return nil
		}
	}
	keep := t.a.DedupeWindow
	if t.a.Renew {
		keep += keep / 2 // so that not every meeting is a write
	}
	err = w.conn.exec(putState, scope, r.Dedupe, append(id[:len(id):len(id)], r.Content...), nanos(now.Add(keep)))
	if err != nil {
		return fmt.Errorf("remember id: %w", err)
	}
	return nil
}

// encodeRest encodes anew, without the duplicates.
func (t *appendTask) encodeRest() (err error) {
	rest := make([]Record, 0, len(t.a.Records)-t.doubles)
	var blobs []string
	for i, r := range t.a.Records {
		if t.answers[i].duplicate {
			continue
		}
		rest = append(rest, r)
		if t.payloads.names != nil {
			blobs = append(blobs, t.payloads.names[i])
		}
	}
	clear(t.sections)
	t.buf, t.sections, err = encodeSections(t.buf[:0], t.sections[:0], rest, blobs)
	return err
}

// apply puts the events into frames.
func (t *appendTask) apply(w *writer) error {
	s, n := t.source, 0
	for _, x := range t.sections {
		if err := w.add(s, x); err != nil {
			return err
		}
		n += len(x.records)
		s.last = laterOf(s.last, x.records[len(x.records)-1].Time)
	}
	s.duplicates += int64(t.doubles)
	if !s.taken() {
		s.unrouted += int64(n)
	}
	w.txn.touchSource(s)
	w.txn.added = true
	return nil
}

// taken tells whether a running flow takes the source.
func (s *source) taken() bool {
	for _, f := range s.feeds {
		if f.active {
			return true
		}
	}
	return false
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b.UTC()
	}
	return a
}

// put is a component.Put with its value encoded; nil deletes.
type put struct {
	key     string
	value   []byte
	expires int64
}

func encodePuts(list []put, puts []component.Put) ([]put, error) {
	for _, p := range puts {
		e := put{key: p.Key, expires: nanos(p.Expires)}
		if p.Value != nil {
			var err error
			if e.value, err = json.Marshal(p.Value); err != nil {
				return list, fmt.Errorf("encode state %q: %w", p.Key, err)
			}
		}
		list = append(list, e)
	}
	return list, nil
}
