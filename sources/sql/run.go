package sql

import (
	"context"
	"fmt"
	"maps"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/schedule"
)

// A piece is what is committed at one time: about so much.
const (
	pieceRecords = 1000
	pieceBytes   = 1 << 20
)

// maxTies is how many rows may have one value of the cursor's column: which of them are
// on disk is in memory while there may be more.
const maxTies = 1 << 20

// run is one attempt at a run.
type run struct {
	*source
	in  component.Intake
	due schedule.Due

	mark   mark
	known  map[digest]int // rows at the mark that are on disk or in the piece, how often
	ties   int            // their number
	pieces int            // of the list of these that are on disk
	stale  int            // pieces of a list that is not needed any more
	fresh  []byte         // digests that the next piece adds to the list

	drafts []component.Draft
	bytes  int
}

// load reads where the source stands.
func (s *source) load(ctx context.Context, in component.Intake, due schedule.Due) (*run, error) {
	r := &run{source: s, in: in, due: due, known: map[digest]int{}}
	if s.cfg.Cursor == nil {
		return r, nil
	}
	r.mark.value = s.cfg.Cursor.Initial
	var p place
	found, err := in.Get(ctx, keyCursor, &p)
	if err != nil || !found {
		return r, err
	}
	if r.mark, err = p.mark(); err != nil {
		return nil, fmt.Errorf("read where the source stands: %w", err)
	}
	if d := s.cfg.Cursor.Overlap; d > 0 {
		r.stale = p.Pieces // id tells what was seen
		r.mark, err = r.mark.before(d)
		return r, err
	}
	for ; r.pieces < p.Pieces; r.pieces++ {
		var list []byte
		if _, err := in.Get(ctx, listKey(r.pieces), &list); err != nil {
			return nil, err
		}
		for ; len(list) >= len(digest{}); list = list[len(digest{}):] {
			r.known[digest(list)]++
			r.ties++
		}
	}
	return r, nil
}

func listKey(n int) string { return fmt.Sprint(keyAt, n) }

// page reads the rows of one statement; more: others may follow.
func (r *run) page(ctx context.Context) (more bool, err error) {
	if same, err := r.unchanged(ctx); same || err != nil {
		if err == nil {
			err = r.commit(ctx, r.due.Done())
		}
		return false, err
	}
	limit := r.ties + max(pageRows, r.ties)
	text, args := r.selection(r.mark, limit)
	st, err := r.query(ctx, text, args...)
	if err != nil {
		return false, err
	}
	defer st.close()
	if err := st.find(r.source); err != nil {
		return false, err
	}
	seen := maps.Clone(r.known)
	count := 0
	for {
		ok, err := st.next()
		if err != nil {
			return false, r.explain(st, err)
		}
		if !ok {
			break
		}
		count++
		if err := r.take(ctx, st, seen); err != nil {
			return false, err
		}
	}
	if more = st.cursor >= 0 && count >= limit; more {
		return true, r.commit(ctx, nil)
	}
	return false, r.commit(ctx, r.due.Done())
}

// unchanged tells, where so many rows have one value that it would be a burden to read
// them in each run, whether they are as many as they were, and none lies beyond.
func (r *run) unchanged(ctx context.Context) (bool, error) {
	if r.ties < pageRows {
		return false, nil
	}
	text, args := r.counting(r.mark)
	st, err := r.query(ctx, text, args...)
	if err != nil {
		return false, err
	}
	defer st.close()
	ok, err := st.next()
	if err != nil {
		return false, r.explain(st, err)
	}
	return ok && st.read[0] == int64(r.ties), nil
}

// take adds a row to the piece, unless it is on disk.
func (r *run) take(ctx context.Context, st *statement, seen map[digest]int) error {
	rec, err := newRecord(st.names, st.columns, st.read)
	if err != nil {
		return err
	}
	if st.cursor < 0 {
		if !r.cfg.OnlyChanged {
			rec.draft.Content = ""
		}
		return r.add(ctx, st, rec)
	}
	m, err := markOf(r.db.Dialect, st.read[st.cursor], st.columns[st.cursor])
	if err != nil {
		return err
	}
	if m != r.mark {
		r.advance(m)
		clear(seen)
	}
	if seen[rec.sum] > 0 {
		seen[rec.sum]--
		return nil
	}
	if r.ties++; r.ties > maxTies {
		return component.Permanent(fmt.Errorf("more than %d rows have the value %v in cursor.column: it must tell rows apart better", maxTies, m.value))
	}
	r.known[rec.sum]++
	r.fresh = append(r.fresh, rec.sum[:]...)
	return r.add(ctx, st, rec)
}

// advance moves the mark: what was known of rows at the one before is not needed.
func (r *run) advance(m mark) {
	r.mark, r.ties, r.fresh = m, 0, nil
	r.stale, r.pieces = max(r.stale, r.pieces), 0
	clear(r.known)
}

func (r *run) add(ctx context.Context, st *statement, rec record) error {
	r.drafts = append(r.drafts, rec.draft)
	r.bytes += rec.bytes
	if len(r.drafts) < pieceRecords && r.bytes < pieceBytes {
		return nil
	}
	st.rest()
	return r.commit(ctx, nil)
}

// commit hands the piece over, with the place behind it and more.
func (r *run) commit(ctx context.Context, more []component.Put) error {
	b := component.Batch{Drafts: r.drafts, State: more, Silent: true}
	if r.fresh != nil {
		puts, err := r.place()
		if err != nil {
			return err
		}
		b.State = append(b.State, puts...)
	}
	if len(b.Drafts) == 0 && len(b.State) == 0 {
		return nil
	}
	n := len(b.Drafts)
	if _, err := r.in.Accept(ctx, b); err != nil {
		return err
	}
	r.rows.Add(int64(n))
	r.drafts, r.bytes = make([]component.Draft, 0, n), 0
	return nil
}

// place is the state that says how far the run has come. With overlap, there is no list:
// all is read again, and id tells what was seen.
func (r *run) place() (puts []component.Put, err error) {
	if r.cfg.Cursor.Overlap == 0 {
		puts = append(puts, component.Put{Key: listKey(r.pieces), Value: r.fresh})
		r.pieces++
	}
	for n := r.pieces; n < r.stale; n++ {
		puts = append(puts, component.Put{Key: listKey(n)})
	}
	r.stale, r.fresh = 0, nil
	p, err := r.mark.place(r.pieces)
	return append(puts, component.Put{Key: keyCursor, Value: p}), err
}
