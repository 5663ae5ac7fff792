package flow

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// dispatch begins as many deliveries as may be under way, and loads what comes next.
func (l *lane) dispatch(abort context.Context) {
	l.beginAll(abort)
	for l.ahead(abort) && l.mayBegin() {
		l.beginAll(abort)
	}
}

func (l *lane) beginAll(abort context.Context) {
	if l.state == Stopped && l.inflight == 0 && !time.Now().Before(l.probeAt) {
		l.sendProbe()
	}
	if l.batcher != nil {
		l.dispatchBatches(abort)
		return
	}
	for l.mayBegin() {
		l.pulse.beat()
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
		return l.mayCall()
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
	size := 0
	for len(batch) < room && size < maxBatchBytes || l.continues(batch) {
		d := l.one(abort)
		if d == nil {
			break
		}
		if !l.expired(d) && l.whole(d) {
			batch = append(batch, d)
			size += d.size
		}
	}
	return batch
}

// whole makes d's event what the sink knows. One that cannot be read is dead.
func (l *lane) whole(d *delivery) bool {
	if l.shaped {
		return true
	}
	e, err := d.Event.Whole()
	if err != nil {
		l.dead(d, err)
		return false
	}
	d.Event = e
	return true
}

// ahead loads what the next call of an ordered sink is to carry while the last one is
// under way, or being settled, and until one of the two has something to report. It
// tells whether it has loaded something.
func (l *lane) ahead(abort context.Context) (loaded bool) {
	for l.ordered != nil && l.state == Running && !l.probing && l.settleAt.IsZero() &&
		!l.filled() && len(l.done)+len(l.settled) == 0 {
		if !l.load(abort) {
			break
		}
		loaded = true
	}
	return loaded
}

// filled tells whether a whole call of an ordered sink is loaded.
func (l *lane) filled() bool {
	return len(l.ready) >= l.ordered.MaxBatch() || l.readyBytes >= maxBatchBytes
}

func (l *lane) one(abort context.Context) *delivery {
	if l.crowded() {
		return nil
	}
	if l.probing {
		if d := l.probe(abort); d != nil {
			return d
		}
		return l.retryDue(abort)
	}
	return l.next(abort)
}

// crowded tells whether more exceptions wait for the journal than should.
func (l *lane) crowded() bool {
	return len(l.hands.list) >= maxHanding || len(l.out.Failed) >= maxUnsettled || l.outBytes >= maxUnsettledBytes
}

// next takes a retry that is due, or else the next event's delivery.
func (l *lane) next(abort context.Context) *delivery {
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
	if l.queue.len() == 0 {
		return nil
	}
	r := l.queue.due(time.Now())
	for r != nil && r.batch != nil {
		l.summon(abort, r.batch)
		r = l.queue.due(time.Now())
	}
	if r == nil {
		return nil
	}
	d, err := l.reopen(abort, r)
	if err != nil {
		r.next = time.Now().Add(settleRetry)
		l.queue.push(r)
	}
	return d
}

// reopen reads an exception that is to be tried; nil: it does not wait any more.
func (l *lane) reopen(abort context.Context, r *retry) (*delivery, error) {
	found, err := l.o.Journal.Exceptions(abort, journal.ExceptionQuery{Lane: &l.id, Key: &r.ex.Key})
	if err == nil && len(found) == 1 && !found[0].Dead {
		var e *component.Event
		if e, err = l.parts.open(&found[0]); err == nil {
			return &delivery{
				Delivery: component.Delivery{ID: l.deliveryID(e), Event: e, Attempt: r.ex.Attempts + 1},
				ex:       r, key: r.ex.OrderKey, size: len(found[0].Envelope),
			}, nil
		}
	}
	if err == nil {
		delete(l.inHand, r.ex.Key)
		if len(found) == 0 {
			l.goOnBehind(deadLetter{Key: r.ex.Key})
		} else { // another generation of the lane was quicker, and it died again
			l.holdBehind(deadLetter{Key: r.ex.Key}, r.ex.OrderKey)
		}
		l.release(r.ex.OrderKey)
		return nil, nil
	}
	l.o.Log.Error("cannot read a delivery that waits for its retry", "lane", l.name(), "event", r.ex.EventID, "error", err)
	return nil, err
}

// fresh takes the next event's delivery that may go now.
func (l *lane) fresh(abort context.Context) *delivery {
	if len(l.freed) > 0 {
		d := l.freed[0]
		l.freed = l.freed[1:]
		if l.ordered == nil || l.keys[d.key] == 0 {
			return d
		}
		l.busy[d.key]-- // another has died since it was freed
		l.holdBack(d)
		return l.fresh(abort)
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
		l.readyBytes -= d.size
		if d.died != nil {
			l.holdBehind(*d.died, d.key)
			l.settleItem(d.item)
			continue
		}
		if !l.blocked(d.key) || l.together(d) {
			l.hold(d.key)
			return d
		}
		l.holdBack(d)
	}
	return nil
}

// holdBack has d wait for its key.
func (l *lane) holdBack(d *delivery) {
	l.held[d.key] = append(l.held[d.key], d)
	l.holding++
	l.heldBytes += d.size
	if l.keys[d.key] > 0 {
		l.show()
	}
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
	if l.blocked(d.key) || d.died != nil {
		return l.fresh(abort)
	}
	l.ready = slices.Delete(l.ready, n, n+1)
	l.readyBytes -= d.size
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
	n := 1
	if l.ordered != nil {
		n = len(held) // among them may be several of one event, which go together
	}
	for _, d := range held[:n] {
		l.hold(key)
		l.freed = append(l.freed, d)
		l.holding--
		l.heldBytes -= d.size
	}
	if l.held[key] = held[n:]; len(held) == n {
		delete(l.held, key)
	}
}

// load makes deliveries of the next chunk of events. It reports false when there
// is nothing to load, or too much that waits for the journal.
func (l *lane) load(abort context.Context) bool {
	if len(l.out.Outcomes) >= maxUnsettled {
		return false
	}
	for range l.cursors {
		c := l.cursors[l.turn]
		l.turn = (l.turn + 1) % len(l.cursors)
		frame := l.frame(abort, c)
		if frame == nil {
			continue
		}
		first := max(frame.First, c.next+1)
		chunk := l.f.chunk(abort, &l.pulse, frame, first)
		if abort.Err() != nil {
			return false
		}
		if err := l.f.steps.record(abort, chunk); err != nil {
			l.o.Log.Error("dead letters not stored; nothing is delivered until they are", "lane", l.name(), "error", err)
			l.settleAt = time.Now().Add(settleRetry)
			return false
		}
		l.take(abort, c, chunk)
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
func (l *lane) take(abort context.Context, c *cursor, chunk *chunk) {
	room := l.room(chunk)
	for i := range chunk.results {
		p := chunk.first + journal.Position(i)
		if c.isSettled(p) {
			continue
		}
		died := l.diedInStep(abort, c, p, &chunk.results[i])
		l.queueEvent(c, p, &chunk.results[i], chunk.record(p).Payload.Size(), died, room)
		l.loaded(c, p, chunk.results[i].outs)
	}
	c.next = chunk.last()
}

func (l *lane) queueEvent(c *cursor, p journal.Position, r *result, size int, died *deadLetter, room *room) {
	it := c.open[p]
	if it == nil {
		if !r.reaches(l.sink.Address) && died == nil {
			l.pass(c, p)
			return
		}
		it = room.item()
		it.cursor, it.pos = c, p
	}
	it.open = 0
	key := r.key
	if l.ordered != nil && !l.f.Hold {
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
		d := room.delivery()
		d.ID, d.Event, d.Attempt = room.id(l, o.event), o.event, 1
		d.item, d.key, d.size = it, key, size
		l.ready = append(l.ready, d)
		l.readyBytes += size
	}
	if it.open == 0 {
		if r.err != nil && len(it.done) > 0 {
			l.leave(it)
		}
		if died == nil {
			l.settleItem(it)
			return
		}
		it.open = 1
		l.ready = append(l.ready, &delivery{item: it, key: key, died: died})
	}
	c.open[p] = it
}
