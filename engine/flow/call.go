package flow

import (
	"context"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// begin calls the sink with a batch.
func (l *lane) begin(abort context.Context, batch []*delivery) {
	now := time.Now()
	for _, d := range batch {
		if d.item != nil && d.item.begun.IsZero() {
			d.item.begun = now
		}
	}
	l.inflight++
	go l.deliver(abort, batch, l.turned)
}

// deliver runs beside the lane, which may have its turn at an ordered sink already.
func (l *lane) deliver(abort context.Context, batch []*delivery, turned bool) {
	var place chan struct{}
	if l.allowed(abort) {
		place = l.enter(abort, turned)
	}
	if place == nil {
		f := &finished{batch: batch, spared: true}
		if err := abort.Err(); err != nil {
			f = &finished{batch: batch, result: component.AllFailed(len(batch), err)}
		}
		l.done <- f
		return
	}
	ctx, cancel := context.WithTimeout(abort, l.sink.Common.Timeout)
	result := l.call(ctx, batch)
	cancel()
	if l.paced != nil {
		l.paced.Done()
	}
	if l.ordered == nil {
		<-place
	}
	l.done <- &finished{batch: batch, result: result, turned: l.ordered != nil}
}

// allowed waits until the sink's rate_limit allows another call; false: abort has ended,
// or the lane is retired. Calls of all lanes come in the order in which they ask.
func (l *lane) allowed(abort context.Context) bool {
	if l.sink.pace == nil {
		return true
	}
	turn := l.sink.pace.Reserve()
	wait := time.NewTimer(turn.Delay())
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-abort.Done():
	case <-l.retired:
	}
	turn.Cancel()
	return false
}

// enter waits for a place among the calls of the sink, unless the lane has its turn; nil:
// abort has ended, or the lane is retired.
func (l *lane) enter(abort context.Context, turned bool) chan struct{} {
	place := l.sink.calls
	if l.ordered != nil {
		place = l.sink.turn
	}
	if !turned && !l.occupy(abort, place) {
		return nil
	}
	select {
	case <-l.retired: // while it waited, perhaps
	default:
		if l.paced == nil || l.paced.Await(l.life) == nil {
			return place
		}
	}
	if !turned {
		<-place
	}
	return nil
}

func (l *lane) occupy(abort context.Context, place chan struct{}) bool {
	if l.ordered != nil {
		if !l.sink.await(abort, l.retired) {
			return false
		}
		l.sink.asking.Add(1)
		defer l.sink.asking.Add(-1)
	}
	select {
	case place <- struct{}{}:
		return true
	case <-abort.Done():
	case <-l.retired:
	}
	return false
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
		if d.of != nil {
			ds[i].Batch = d.of.id
		}
	}
	return l.sink.Deliver(ctx, ds)
}
