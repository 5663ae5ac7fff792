package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// What is on record of a lane's batches stands in the state of its sink: a list of ids,
// and the members of each.

// establish makes a batch of these slots, and puts it on record.
func (l *lane) establish(slots []slot, it *item) *batch {
	b := &batch{id: l.batchID(slots), slots: slots, item: it}
	l.live[b.id] = b
	for i := range slots {
		l.member[slots[i].key] = b
		if d := slots[i].d; d != nil {
			d.of = b
		}
		if r := slots[i].r; r != nil {
			r.batch = b
		}
	}
	l.note(b.id, &record{Members: keysOf(slots)})
	l.unwritten = append(l.unwritten, b)
	return b
}

// batchID is the idempotency key: it is made of those of the members, and so different
// for every other batch.
func (l *lane) batchID(slots []slot) string {
	ids := make([]string, len(slots))
	for i := range slots {
		switch s := &slots[i]; {
		case s.d != nil:
			ids[i] = s.d.ID
		default:
			ids[i] = l.deliveryID(&component.Event{ID: s.r.ex.EventID, Path: s.key.Path})
		}
	}
	return "b" + short(strings.Join(ids, "\x00"))
}

// note puts the record of a batch into the settlement that gathers; nil ends it.
func (l *lane) note(id string, r *record) {
	p := component.Put{Key: l.batchKey(id)}
	if r != nil {
		p.Value = r
	}
	l.out.State = append(l.out.State, p)
	l.changed = true
}

// noteList has the list of records follow.
func (l *lane) noteList() {
	if !l.changed {
		return
	}
	l.changed = false
	ids := slices.Sorted(maps.Keys(l.live))
	ids = slices.AppendSeq(ids, maps.Keys(l.kept))
	p := component.Put{Key: l.batchKey("")}
	if len(ids) > 0 {
		p.Value = ids
	}
	l.out.State = append(l.out.State, p)
}

func (l *lane) batchKey(id string) string { return fmt.Sprintf("batch/%s/%s", l.f.origin(), id) }

// end ends a batch of which these members are delivered. Where they are but a part of an
// event that is not settled, that stays on record until it is: after a crash they are not
// delivered again.
func (l *lane) end(b *batch, over []slot) {
	l.disband(b)
	it := b.event()
	if len(over) == 0 || !it.unsettled() {
		l.unnote(b.id)
		return
	}
	l.note(b.id, &record{Members: keysOf(over), Over: true})
	l.kept[b.id] = struct{}{}
	it.batches = append(it.batches, b.id)
}

// disband makes b no batch any more, in memory.
func (l *lane) disband(b *batch) {
	if l.live[b.id] == b {
		delete(l.live, b.id)
	}
	for i := range b.slots {
		if l.member[b.slots[i].key] == b {
			delete(l.member, b.slots[i].key)
		}
	}
	l.unwritten = slices.DeleteFunc(l.unwritten, func(o *batch) bool { return o == b })
}

func keysOf(slots []slot) []journal.Key {
	keys := make([]journal.Key, len(slots))
	for i := range slots {
		keys[i] = slots[i].key
	}
	return keys
}

// unnote ends a record, unless the same deliveries are a batch again.
func (l *lane) unnote(id string) {
	if l.live[id] == nil {
		l.note(id, nil)
	}
}

// forgetAll ends the records that were kept for the item.
func (l *lane) forgetAll(it *item) {
	for _, id := range it.batches {
		delete(l.kept, id)
		l.unnote(id)
	}
	it.batches = nil
}

// written takes note that records are on disk.
func (l *lane) written() {
	for _, b := range l.writing {
		b.onDisk = true
		if l.live[b.id] == b {
			l.consider(b)
		}
	}
	l.writing = nil
}

// record is what the state says of a batch.
type record struct {
	id      string
	Members []journal.Key `json:"members"`
	Over    bool          `json:"over,omitempty"` // it has ended, and these are delivered
}

// records reads those of the lane.
func (l *lane) records(ctx context.Context) ([]*record, error) {
	var ids []string
	if err := l.get(ctx, l.batchKey(""), &ids); err != nil {
		return nil, err
	}
	var list []*record
	for _, id := range ids {
		r := &record{id: id}
		if err := l.get(ctx, l.batchKey(id), r); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

func (l *lane) get(ctx context.Context, key string, v any) error {
	raw, found, err := l.o.Journal.Get(ctx, l.id.Sink, key)
	if err == nil && found {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return fmt.Errorf("read which deliveries go together: %w", err)
	}
	return nil
}

// resumeBatches takes up what is on record, insisting on being able to read it. It comes
// after the cursors, and before what waits for a retry is resumed; of that, it gives what
// has been delivered meanwhile. false: the lane is to leave.
func (l *lane) resumeBatches() (delivered map[journal.Key]bool, ok bool) {
	if l.batcher == nil {
		return nil, true
	}
	list, ok := insist(&l.o, &l.term, func() ([]*record, error) { return l.records(l.life) })
	if !ok {
		return nil, false
	}
	delivered = map[journal.Key]bool{}
	for _, r := range list {
		if len(r.Members) == 0 {
			continue
		}
		if r.Over {
			l.resumeOver(r, delivered)
			continue
		}
		b := &batch{id: r.id, slots: make([]slot, len(r.Members)), onDisk: true}
		for i, key := range r.Members {
			b.slots[i].key = key
			l.member[key] = b
		}
		l.live[b.id] = b
	}
	for key, r := range l.unstored {
		if r.batch = l.member[key]; r.batch != nil {
			r.batch.slot(key).r = r
		}
	}
	return delivered, true
}

// resumeOver notes what a batch that ended before its event has delivered.
func (l *lane) resumeOver(r *record, delivered map[journal.Key]bool) {
	l.kept[r.id] = struct{}{}
	for _, key := range r.Members {
		c := l.cursor(key.Source)
		if c == nil { // the flow does not read the source any more: perhaps it will again
			continue
		}
		it := c.amid(key.Position, key.Path)
		if it == nil { // an operator has dropped the event
			delete(l.kept, r.id)
			l.unnote(r.id)
			return
		}
		it.status |= journal.Delivered
		if !slices.Contains(it.batches, r.id) {
			it.batches = append(it.batches, r.id)
		}
		delivered[key] = true
	}
}

// wasDelivered notes of an exception that waits in the journal that it has been delivered,
// which is stored with the end of its event.
func (l *lane) wasDelivered(ex journal.Exception) {
	l.inHand[ex.Key] = false
	it := l.cursor(ex.Source).amid(ex.Position, ex.Path)
	it.resolved = append(it.resolved, journal.Resolution{
		Key: ex.Key, Status: journal.Delivered, Attempts: ex.Attempts + 1, Took: l.o.Now().Sub(ex.Since),
	})
}

// expectMembers settles, when all that waits has been resumed, which members are still to
// come.
func (l *lane) expectMembers() {
	for _, b := range slices.SortedFunc(maps.Values(l.live), func(a, b *batch) int { return strings.Compare(a.id, b.id) }) {
		for i := range b.slots {
			s := &b.slots[i]
			c := l.cursor(s.key.Source)
			switch {
			case s.r != nil:
			case c == nil || c.isSettled(s.key.Position):
				s.gone = true
			default:
				at := eventAt{s.key.Source, s.key.Position}
				l.expected[at] = append(l.expected[at], b)
			}
		}
		b.next = time.Now()
		l.consider(b)
	}
}
