package flow

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// dispatch begins as many deliveries as may be under way.
func (l *lane) dispatch(abort context.Context) {
	if l.state == Stopped && l.inflight == 0 && !time.Now().Before(l.probeAt) {
		l.sendProbe()
	}
	for l.mayBegin() {
		batch := l.pick(abort)
		if len(batch) == 0 {
			return
		}
		l.begin(abort, batch)
	}
}

// mayBegin tells whether another call of the sink is allowed now.
func (l *lane) mayBegin() bool {
	switch {
	case !l.settleAt.IsZero(), l.state == Stopped:
		return false
	case len(l.out.Outcomes) >= maxUnsettled, l.outBytes >= maxUnsettledBytes:
		return false
	case l.ordered != nil:
		return l.inflight == 0 && l.sent == nil && !l.turned
	case l.probing:
		return l.inflight == 0
	}
	return l.inflight < l.limit
}

// pick chooses what the next call of the sink carries: one delivery, or about
// MaxBatch for an ordered sink, which gets all of an event in one call. Retries
// that are due come first, except as a probe: a delivery that fails for reasons
// of its own says little of the sink.
func (l *lane) pick(abort context.Context) []*delivery {
	room := 1
	if l.ordered != nil && !l.probing && l.single == 0 {
		room = l.ordered.MaxBatch()
	}
	if l.single > 0 {
		l.single--
	}
	var batch []*delivery
	for len(batch) < room || l.continues(batch) {
		d := l.one(abort)
		if d == nil {
			break
		}
		batch = append(batch, d)
	}
	return batch
}

func (l *lane) one(abort context.Context) *delivery {
	if l.probing {
		if d := l.probe(abort); d != nil {
			return d
		}
		return l.retryDue(abort)
	}
	if d := l.retryDue(abort); d != nil {
		return d
	}
	if l.queue.len() >= maxWaiting {
		l.reason = fmt.Errorf("%d deliveries wait for a retry: no further event is taken until some have passed", maxWaiting)
		l.show()
		return nil
	}
	return l.fresh(abort)
}

// retryDue takes up an exception whose time has come, with its envelope.
func (l *lane) retryDue(abort context.Context) *delivery {
	r := l.queue.due(time.Now())
	if r == nil {
		return nil
	}
	found, err := l.o.Journal.Exceptions(abort, journal.ExceptionQuery{Lane: &l.id, Key: &r.ex.Key})
	if err == nil && len(found) == 1 {
		var e *component.Event
		if e, err = open(&found[0]); err == nil {
			return &delivery{Delivery: component.Delivery{ID: l.deliveryID(e), Event: e, Attempt: r.ex.Attempts + 1}, ex: r, key: r.ex.OrderKey}
		}
	}
	if err == nil {
		delete(l.inHand, r.ex.Key)
		l.release(r.ex.OrderKey) // dropped meanwhile
		return nil
	}
	l.o.Log.Error("cannot read a delivery that waits for its retry", "lane", l.name(), "event", r.ex.EventID, "error", err)
	r.next = time.Now().Add(settleRetry)
	l.queue.push(r)
	return nil
}

// fresh takes the next event's delivery that may go now.
func (l *lane) fresh(abort context.Context) *delivery {
	if len(l.freed) > 0 {
		d := l.freed[0]
		l.freed = l.freed[1:]
		return d
	}
	for !l.full() {
		if len(l.ready) == 0 {
			if !l.load(abort) {
				return nil
			}
			continue
		}
		d := l.ready[0]
		l.ready = l.ready[1:]
		if l.busy[d.key] == 0 {
			l.hold(d.key)
			return d
		}
		l.held[d.key] = append(l.held[d.key], d)
		l.holding++
		l.heldBytes += d.size
	}
	return nil
}

// full tells whether as many deliveries as may be are held back behind others of
// their key: then no further event is taken until some have gone.
func (l *lane) full() bool {
	if l.holding < maxHeld && l.heldBytes < maxHeldBytes {
		return false
	}
	if l.reason == nil {
		l.reason = fmt.Errorf("%d deliveries wait behind others of their order_by key: no further event is taken until some have passed", l.holding)
		l.show()
	}
	return true
}

// probe takes an event to try a stopped sink with: another one each time, lest
// one that fails for reasons of its own keeps the lane stopped, but none before
// others of its key, and for an ordered sink always the first.
func (l *lane) probe(abort context.Context) *delivery {
	for len(l.ready) == 0 && l.load(abort) {
	}
	if len(l.ready) == 0 || l.ordered != nil {
		return l.fresh(abort)
	}
	n := l.probes % len(l.ready)
	d := l.ready[n]
	for _, before := range l.ready[:n] {
		if d.key != "" && before.key == d.key {
			return l.fresh(abort)
		}
	}
	if l.busy[d.key] > 0 {
		return l.fresh(abort)
	}
	l.ready = slices.Delete(l.ready, n, n+1)
	l.hold(d.key)
	return d
}

// hold marks an order_by key as under way.
func (l *lane) hold(key string) {
	if key != "" {
		l.busy[key]++
	}
}

// release lets the next event of the key go.
func (l *lane) release(key string) {
	if key == "" {
		return
	}
	if l.busy[key]--; l.busy[key] > 0 {
		return
	}
	delete(l.busy, key)
	held := l.held[key]
	if len(held) == 0 {
		return
	}
	l.hold(key)
	l.freed = append(l.freed, held[0])
	l.holding--
	l.heldBytes -= held[0].size
	if l.held[key] = held[1:]; len(held) == 1 {
		delete(l.held, key)
	}
}

// load makes deliveries of the next chunk of events. It reports false when there
// is nothing to load.
func (l *lane) load(abort context.Context) bool {
	for range l.cursors {
		c := l.cursors[l.turn]
		l.turn = (l.turn + 1) % len(l.cursors)
		frame := l.frame(abort, c)
		if frame == nil {
			continue
		}
		first := max(frame.First, c.next+1)
		chunk := l.f.chunk(abort, frame, first)
		if abort.Err() != nil {
			return false
		}
		if err := l.f.steps.record(abort, chunk); err != nil {
			l.o.Log.Error("dead letters not stored; nothing is delivered until they are", "lane", l.name(), "error", err)
			l.settleAt = time.Now().Add(settleRetry)
			return false
		}
		l.take(c, chunk)
		return true
	}
	return false
}

// frame is the frame that holds the event after c.next, read if need be.
func (l *lane) frame(abort context.Context, c *cursor) *journal.Frame {
	if f := c.peek(); f != nil {
		return f
	}
	if c.reached {
		return nil
	}
	frames, err := l.o.Journal.Read(abort, c.source, c.next, readBytes)
	if err != nil {
		l.o.Log.Error("cannot read the journal", "lane", l.name(), "error", err)
		l.settleAt = time.Now().Add(settleRetry)
		return nil
	}
	c.frames, c.reached = frames, len(frames) == 0
	return c.peek()
}

// take queues the deliveries of a chunk and settles the events that have none.
func (l *lane) take(c *cursor, chunk *chunk) {
	for i := range chunk.results {
		p := chunk.first + journal.Position(i)
		if c.isSettled(p) {
			continue
		}
		l.queueEvent(c, p, &chunk.results[i], len(chunk.record(p).Payload.Raw))
	}
	c.next = chunk.last()
}

func (l *lane) queueEvent(c *cursor, p journal.Position, r *result, size int) {
	it := c.open[p]
	if it == nil {
		it = &item{cursor: c, pos: p}
	}
	it.open = 0
	key := r.key
	if l.ordered != nil {
		key = "" // its deliveries keep the order of all events; none is held back behind another
	}
	for _, o := range r.outs {
		if o.sink != l.sink.Address {
			continue
		}
		if _, ok := it.done[o.event.Path]; ok {
			continue
		}
		it.open++
		l.ready = append(l.ready, &delivery{
			Delivery: component.Delivery{ID: l.deliveryID(o.event), Event: o.event, Attempt: 1},
			item:     it, key: key, size: size,
		})
	}
	if it.open == 0 {
		l.settleItem(it)
		return
	}
	c.open[p] = it
}

// begin calls the sink with a batch.
func (l *lane) begin(abort context.Context, batch []*delivery) {
	now := time.Now()
	for _, d := range batch {
		if d.item != nil && d.item.begun.IsZero() {
			d.item.begun = now
		}
	}
	l.inflight++
	go l.deliver(abort, batch)
}

// deliver runs beside the lane.
func (l *lane) deliver(abort context.Context, batch []*delivery) {
	place := l.sink.calls
	if l.ordered != nil {
		place = l.sink.turn
	}
	select {
	case place <- struct{}{}:
	case <-abort.Done():
		l.done <- finished{batch: batch, result: component.AllFailed(len(batch), abort.Err())}
		return
	}
	ctx, cancel := context.WithTimeout(abort, l.sink.Common.Timeout)
	result := l.call(ctx, batch)
	cancel()
	if l.ordered == nil {
		<-place
	}
	l.done <- finished{batch, result, l.ordered != nil}
}

// call turns a panic of the sink into the error of its deliveries.
func (l *lane) call(ctx context.Context, batch []*delivery) (r component.Result) {
	defer func() {
		if p := recover(); p != nil {
			r = component.AllFailed(len(batch), panicked(p))
		}
	}()
	ds := make([]component.Delivery, len(batch))
	for i, d := range batch {
		ds[i] = d.Delivery
	}
	return l.sink.Deliver(ctx, ds)
}
