package flow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// finishBatch takes the result of a call with a batch.
func (l *lane) finishBatch(abort context.Context, b *batch, f *finished) {
	b.calling = false
	whole := f.result.Batch
	if p := (*panicError)(nil); whole == nil && f.result.Errors != nil && errors.As(f.result.Errors[0], &p) {
		whole = f.result.Errors[0]
	}
	switch {
	case f.spared:
		l.lapsed(b)
	case whole == nil && f.result.Errors == nil:
		l.out.State = append(l.out.State, f.result.State...)
		l.each(b, nil)
	case abort.Err() != nil:
		l.lapsed(b)
	case whole == nil:
		l.out.State = append(l.out.State, f.result.State...)
		l.each(b, f.result.Errors)
	case component.IsUnwell(whole):
		l.stop(whole)
		l.giveBackBatch(b)
	case component.IsPermanent(whole):
		l.refused(b, whole)
	default:
		l.failedBatch(b, whole)
	}
}

// each settles the deliveries one by one. Those that may still succeed are another batch.
func (l *lane) each(b *batch, errs []error) {
	var rest, over []slot
	var cause error
	for i := range b.slots {
		s := b.slots[i]
		switch {
		case errs == nil || errs[i] == nil:
			over = append(over, s)
			l.delivered(s.d)
		case component.IsPermanent(errs[i]):
			l.dead(s.d, errs[i])
		default:
			rest, cause = append(rest, s), errs[i]
		}
	}
	switch {
	case len(rest) == len(b.slots):
		if component.IsUnwell(cause) {
			l.stop(cause)
			l.giveBackBatch(b)
			return
		}
		l.failedBatch(b, cause)
	case len(rest) > 0:
		l.end(b, over)
		l.laterBatch(l.establish(rest, b.item), cause)
	default:
		l.end(b, over)
	}
}

// refused handles an error that will not pass: the deliveries at fault are found by
// halving.
func (l *lane) refused(b *batch, err error) {
	clear(l.failing) // the sink answered
	if l.probing {
		l.recovered()
	}
	if len(b.slots) == 1 {
		l.dead(b.slots[0].d, err)
		l.end(b, nil)
		return
	}
	l.end(b, nil)
	half := len(b.slots) / 2
	for _, slots := range [][]slot{b.slots[:half], b.slots[half:]} {
		for i := range slots {
			slots[i].d.Attempt++
		}
		l.establish(slices.Clone(slots), b.item)
	}
}

// failedBatch decides what a failure that may pass means, as failed does of a delivery.
func (l *lane) failedBatch(b *batch, err error) {
	l.failing[b.id] = struct{}{}
	switch {
	case l.state == Stopped:
		l.giveBackBatch(b)
	case l.probing, len(l.failing) >= l.sink.Common.Breaker.Failures:
		l.stop(err)
		l.giveBackBatch(b)
	case b.tried() >= l.sink.Common.Retry.For && b.tried() > 0:
		for i := range b.slots {
			l.dead(b.slots[i].d, err)
		}
		l.end(b, nil)
	default:
		l.laterBatch(b, err)
	}
}

// tried is how long all of its members have been tried.
func (b *batch) tried() time.Duration {
	var since time.Time
	for i := range b.slots {
		r := b.slots[i].d.ex
		if r == nil {
			return 0
		}
		if r.since.After(since) {
			since = r.since
		}
	}
	return time.Since(since)
}

// laterBatch makes all wait for the next attempt, together.
func (l *lane) laterBatch(b *batch, err error) {
	attempt := 0
	for i := range b.slots {
		attempt = max(attempt, b.slots[i].d.Attempt)
	}
	pause := l.pause(attempt, err)
	b.next = time.Now().Add(pause)
	for i := range b.slots {
		s := &b.slots[i]
		s.r = l.setAside(s.d, err, pause)
		s.r.batch, s.d = b, nil
	}
}

// giveBackBatch lets the batch come again: no attempt is counted.
func (l *lane) giveBackBatch(b *batch) {
	for i := range b.slots {
		if d := b.slots[i].d; d.ex == nil {
			l.release(d.key)
		} else {
			d.ex.next = time.Now()
		}
	}
	l.lapsed(b)
}

// summon has the exceptions among the members read, for their time has come.
func (l *lane) summon(abort context.Context, b *batch) {
	b.lined = false
	for i := range b.slots {
		s := &b.slots[i]
		if s.r == nil {
			continue
		}
		d, err := l.reopen(abort, s.r)
		if err != nil {
			b.next = time.Now().Add(settleRetry)
			break
		}
		if s.r = nil; d == nil {
			s.gone = true
			continue
		}
		d.of, s.d = b, d
	}
	l.consider(b)
}

// storedMember notes that an exception is on disk; false: it is of no batch.
func (l *lane) storedMember(k journal.Key, r *retry) bool {
	if r.batch == nil {
		return false
	}
	l.inHand[k] = true
	l.consider(r.batch)
	return true
}
