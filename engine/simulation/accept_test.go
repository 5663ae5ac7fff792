package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

const dedupeWindow = time.Hour

// accept hands a batch to the journal, as a source does: with its cursor.
// Sometimes all sources do at the same moment, and share a commit.
func (w *world) accept(op int) {
	one := w.seed.pick(len(w.plan.sources), "source", op)
	var offers []*offer
	for i, name := range w.plan.sources {
		if i == one || w.seed.chance(20, "together", op) {
			offers = append(offers, w.draw(w.model.sources[name], op, i))
		}
	}
	w.submit(offers...)
}

// draw makes a batch: events and, now and then, a record that is a dead letter from
// the start, or the end of such a one.
func (w *world) draw(s *sourceModel, op, i int) *offer {
	var numbers []int
	for range 1 + w.seed.pick(5, "batch", op, i) {
		numbers = append(numbers, w.serial())
	}
	o := w.prepare(s, numbers, op)
	if w.seed.chance(6, "unreadable", op, i) {
		o.dead = fmt.Sprint("x", w.serial())
		o.append.Dead = []journal.Exception{{
			Key: journal.Key{Source: s.name, Path: o.dead}, EventID: o.dead, EventTime: o.at, Since: o.at, Dead: true, Attempts: 1,
		}}
	}
	if w.seed.chance(8, "read again", op, i) {
		w.retire(s, o)
	}
	return o
}

func (w *world) serial() int {
	w.serials++
	return w.serials
}

// retire has the batch end a dead letter of the source; where there is none, it
// names one that is not there, and must fail alone.
func (w *world) retire(s *sourceModel, o *offer) {
	list, err := w.daemon.journal.Exceptions(context.Background(), journal.ExceptionQuery{Lane: &journal.Lane{}})
	if err != nil {
		return
	}
	list = slices.DeleteFunc(list, func(ex journal.Exception) bool { return ex.Source != s.name })
	if len(list) == 0 {
		o.append.Retried, o.bogus = []int64{1 << 40}, true
		return
	}
	o.append.Retried, o.ended = []int64{list[0].ID}, list[0].Path
}

// submit appends batches of different sources at the same moment; it reports
// whether all were acknowledged.
func (w *world) submit(offers ...*offer) bool {
	answers := make([][]component.Accepted, len(offers))
	errs := make([]error, len(offers))
	var all sync.WaitGroup
	for i, o := range offers {
		o.source.open = o
		all.Go(func() { answers[i], errs[i] = w.daemon.journal.Append(context.Background(), o.append) })
	}
	all.Wait()
	well := true
	for i, o := range offers {
		well = w.answered(o, answers[i], errs[i]) && well
	}
	return well
}

// answered compares the answer to a batch with what it must be.
func (w *world) answered(o *offer, accepted []component.Accepted, err error) bool {
	s := o.source
	w.trace("accept %v of %s: %v", o.numbers, s.name, err)
	switch {
	case o.bogus && err == nil:
		w.fail("G1: %s ended a dead letter that it does not have", s.name)
	case err == nil && w.daemon.alive():
		w.compare(o, accepted)
		w.model.arrived(o)
		s.open = nil
		return true
	case !w.daemon.alive():
		return false // known only after the restart
	case o.bogus && w.trouble.now() == nil && !errors.Is(err, journal.ErrNotFound) && !isLater(err):
		w.fail("an append that ends a dead letter that is not there failed with %v", err)
	}
	s.open = nil
	if n, err := w.cursor(w.daemon, s); err != nil || n != s.offered {
		w.fail("G2: an append that failed left the cursor of %s at %d instead of %d (%v)", s.name, n, s.offered, err)
	}
	return false
}

func isLater(err error) bool {
	var later *component.LaterError
	return errors.As(err, &later)
}

// prepare makes the submission, and what must come of it.
func (w *world) prepare(s *sourceModel, numbers []int, op int) *offer {
	now := w.wall()
	w.peak = later(w.peak, now)
	o := &offer{source: s, numbers: numbers, at: now, unrouted: !w.taken(s.name)}
	a := journal.Append{
		Source: s.name, DedupeWindow: dedupeWindow,
		State: []component.Put{{Key: "cursor", Value: s.offered + len(numbers)}},
	}
	inBatch := map[string]string{}
	for i, n := range numbers {
		r := w.record(n, now)
		key := ""
		if w.seed.chance(30, "dedupe", op, i) {
			key = fmt.Sprint(w.seed.pick(40, "dedupe key", op, i))
		}
		k, known := s.ids[key]
		if known && k.until.After(now.Add(-time.Minute)) && k.until.Before(w.peak.Add(time.Minute)) {
			key, known = "", false // too close to tell, or forgotten while the clock was ahead
		}
		known = key != "" && known && k.until.After(now)
		if first := inBatch[key]; first != "" {
			k.id, known = first, true
		}
		r.Dedupe = key
		id := r.ID.String()
		if known {
			id = k.id
		} else if key != "" {
			inBatch[key] = id
		}
		o.keys, o.ids, o.fresh = append(o.keys, key), append(o.ids, id), append(o.fresh, !known)
		a.Records = append(a.Records, r)
	}
	o.append = a
	return o
}

// record is event n.
func (w *world) record(n int, now time.Time) journal.Record {
	r := journal.Record{Time: now, Key: fmt.Sprint(orderKey(n)), Meta: []byte(fmt.Sprintf(`{"row":%d}`, n))}
	r.ID[0], r.ID[1], r.ID[2] = byte(n>>16), byte(n>>8), byte(n)
	if n%2 == 0 {
		r.Payload = journal.Payload{Names: []string{"n", "k", "v"}, Values: []any{int64(n), int64(orderKey(n)), int64(n)}}
		return r
	}
	body := fmt.Sprintf(`{"n":%d,"k":%d,"v":%d}`, n, orderKey(n), n)
	r.Payload = journal.Payload{ContentType: "application/json", Raw: []byte(body)}
	return r
}

// compare checks which events of an acknowledged batch are told to be duplicates.
func (w *world) compare(o *offer, accepted []component.Accepted) {
	if len(accepted) != len(o.numbers) {
		w.fail("G1: %d events of %s got %d answers", len(o.numbers), o.source.name, len(accepted))
		return
	}
	for i, a := range accepted {
		if a.Duplicate == o.fresh[i] || a.ID != o.ids[i] {
			w.fail("G2: event %d of %s (dedupe key %q) was answered %+v, want id %s, duplicate %t",
				o.numbers[i], o.source.name, o.keys[i], a, o.ids[i], !o.fresh[i])
		}
	}
}
