package simulation

import (
	"context"
	"slices"
	"strconv"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// batchSink is a daemon's access to a peer that takes deliveries in batches.
type batchSink struct{ plainSink }

var _ component.Batcher = batchSink{}

func (s batchSink) Batching() *component.Batching {
	return &component.Batching{Max: s.t.plan.batch, Within: s.t.plan.within, Bytes: 1 << 20}
}

func (s batchSink) Group(e *component.Event) (string, error) {
	return strconv.Itoa(value(e) % s.t.plan.groups), nil
}

func (s batchSink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	defer s.in.use(s.t, s.closed)()
	if !s.in.alive() {
		return component.Result{Batch: context.Canceled}
	}
	ids, rs := make([]delivery, len(ds)), make([]*record, len(ds))
	for i, d := range ds {
		// Each by itself: of one key there is never more than one in a batch.
		ids[i], rs[i] = s.t.begin(s.in, d, map[delivery]bool{})
	}
	s.t.comesAs(ds[0].Batch, ids)
	c := s.t.conduct(ids[0], rs[0].tries)
	s.in.trace("%s begins %v try %d", s.t.plan.address, ids, rs[0].tries)
	refuses := c.err == nil && !c.hangs && !c.panics && slices.ContainsFunc(ids, s.t.rejects)
	if refuses && s.t.plan.each {
		return s.one(ctx, ids, rs, c)
	}
	if refuses {
		c.err, c.effect = component.Permanent(errRejected), false
	}
	if c.panics || component.IsPermanent(c.err) {
		s.t.halved(ds[0].Batch)
	}
	return component.Result{Batch: s.t.finish(ctx, s.in, ids, c, func() {
		for _, r := range rs {
			r.effects++
		}
	})}
}

// one tells of each delivery what became of it.
func (s batchSink) one(ctx context.Context, ids []delivery, rs []*record, c conduct) component.Result {
	errs := make([]error, len(ids))
	for i, id := range ids {
		own := c
		if s.t.rejects(id) {
			own.err, own.effect = component.Permanent(errRejected), false
		}
		errs[i] = s.t.finish(ctx, s.in, []delivery{id}, own, func() { rs[i].effects++ })
	}
	return component.Result{Errors: errs}
}

// inBatch is the batch that a delivery came in last.
type inBatch struct {
	key   string
	edits int64 // of the configuration, by then
}

// comesAs checks that a batch is what it was, and that a delivery which comes again comes
// in the same one, unless something became of a member, or the flows are others.
func (t *peer) comesAs(key string, ids []delivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if was, known := t.batches[key]; known && !slices.Equal(was, ids) {
		t.w.fail("G4: batch %s at %s has %v, had %v", key, t.plan.address, ids, was)
	}
	t.batches[key] = ids
	edits := t.w.edits.Load()
	for _, id := range ids {
		last, again := t.last[id]
		if again && last.key != key && last.edits == edits && !t.parted(last.key) {
			t.w.fail("G4: %s comes to %s in batch %s, it was in %s", id, t.plan.address, key, last.key)
		}
		t.last[id] = inBatch{key, edits}
	}
}

// parted tells whether the batch cannot come again as it was. t.mu is held.
func (t *peer) parted(key string) bool {
	return t.split[key] || slices.ContainsFunc(t.batches[key], func(d delivery) bool {
		r := t.records[d]
		return r.over() || r.forgotten || t.w.mayExpire(t.plan, d)
	})
}

// halved notes that a batch is refused as a whole.
func (t *peer) halved(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.split[key] = true
}

// dying notes the batches that end with what is about to be a dead letter: one that is
// retried may go with others.
func (w *world) dying(s journal.Settlement) {
	lane := w.model.lanes[s.Lane]
	if lane == nil {
		return
	}
	t := w.peers[lane.sink.index]
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ex := range s.Failed {
		n, err := w.model.number(ex.Source, ex.Position)
		if ex.Dead && err == nil {
			t.split[t.last[delivery{lane.flow.index, n, ex.Path}].key] = true
		}
	}
}

// mayExpire tells whether the delivery may be too old for the sink by some clock that the
// daemon has seen.
func (w *world) mayExpire(k *sinkPlan, d delivery) bool {
	return k.expires > 0 && w.latest().Sub(w.model.times[d.n]) > k.expires
}
