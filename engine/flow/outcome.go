package flow

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// maxFailures of an exception's history are kept.
const maxFailures = 10

// finish takes a call's result: each delivery is settled, set aside as an
// exception, or goes back to the lane.
func (l *lane) finish(abort context.Context, f *finished) {
	l.inflight--
	if b := f.batch[0].of; b != nil {
		l.finishBatch(abort, b, f)
		return
	}
	l.turned = l.turned || f.turned
	if f.spared {
		l.undo(f)
		return
	}
	if l.ordered != nil && (l.crashed(f) || l.torn(abort, f)) {
		return
	}
	l.out.State = append(l.out.State, f.result.State...)
	for i, d := range f.batch {
		var err error
		if f.result.Errors != nil {
			err = f.result.Errors[i]
		}
		switch {
		case err == nil:
			l.delivered(d)
		case abort.Err() != nil:
			l.giveBack(d)
		case component.IsUnwell(err):
			l.stop(err)
			l.giveBack(d)
		case component.IsPermanent(err):
			l.dead(d, err)
		default:
			l.failed(d, err)
		}
	}
	if l.turned && !l.unsettled() {
		l.ordered.Forget()
		l.releaseTurn()
	}
}

func (l *lane) delivered(d *delivery) {
	clear(l.failing)
	if l.state == Running && (l.probing || l.reason != nil) {
		l.recovered()
	}
	l.letGo(d)
	if d.item != nil {
		l.part(d, journal.Delivered)
		return
	}
	l.resolve(d, journal.Delivered)
}

func (l *lane) resolve(d *delivery, s journal.Status) {
	l.inHand[d.ex.ex.Key] = false
	l.goOnBehind(deadLetter{Key: d.ex.ex.Key})
	if isCopy(d.ex.ex.Path) { // which is no delivery of the event
		s = journal.Nothing
	}
	r := journal.Resolution{Key: d.ex.ex.Key, Status: s, Attempts: d.Attempt, Took: time.Since(d.ex.since)}
	if it := d.ex.item; it.unsettled() {
		it.resolved = append(it.resolved, r)
		return
	}
	l.out.Resolved = append(l.out.Resolved, r)
}

// part notes the end of one of an item's deliveries.
func (l *lane) part(d *delivery, s journal.Status) {
	it := d.item
	it.status |= s
	it.attempts = max(it.attempts, d.Attempt)
	if it.open--; it.open == 0 {
		l.settleItem(it)
		return
	}
	if it.done == nil {
		it.done = map[string]struct{}{}
	}
	it.done[d.Event.Path] = struct{}{}
}

// pass settles an event that has nothing for the sink.
func (l *lane) pass(c *cursor, p journal.Position) {
	c.settle(p)
	l.out.Outcomes = append(l.out.Outcomes, journal.Outcome{Source: c.source, Position: p, Status: journal.Nothing})
}

func (l *lane) settleItem(it *item) {
	if it.status == 0 {
		it.status = journal.Nothing
	}
	o := journal.Outcome{Source: it.cursor.source, Position: it.pos, Status: it.status, Attempts: it.attempts}
	if !it.begun.IsZero() {
		o.Took = time.Since(it.begun)
	}
	for _, ex := range it.failed {
		if ex.Dead {
			l.holdBehind(deadLetter{Key: ex.Key}, ex.OrderKey)
		}
	}
	it.settled = true
	it.cursor.settle(it.pos)
	l.out.Outcomes = append(l.out.Outcomes, o)
	l.fail(it.failed...)
	l.out.Resolved = append(l.out.Resolved, it.resolved...)
	l.forgetAll(it)
}

// failed decides what a failure that may pass means: that the sink is down, when
// different deliveries fail one after the other; else that this delivery waits.
func (l *lane) failed(d *delivery, err error) {
	l.failing[d.ID] = struct{}{}
	switch {
	case l.state == Stopped:
		l.giveBack(d)
	case l.probing, l.ordered != nil, len(l.failing) >= l.sink.Common.Breaker.Failures:
		l.stop(err)
		l.giveBack(d)
	case d.ex != nil && time.Since(d.ex.since) >= l.sink.Common.Retry.For:
		l.dead(d, err)
	default:
		l.later(d, err)
	}
}

// later makes d wait for its next attempt.
func (l *lane) later(d *delivery, err error) { l.setAside(d, err, l.pause(d.Attempt, err)) }

// pause is that before the attempt after n.
func (l *lane) pause(n int, err error) time.Duration {
	r := l.sink.Common.Retry
	return max(backoff(r.Initial, r.Max, n, l.o.Jitter()), component.Wait(err))
}

// setAside makes d an exception that waits for pause.
func (l *lane) setAside(d *delivery, err error, pause time.Duration) *retry {
	ex := l.exception(d, err)
	ex.Next = l.o.Now().Add(pause)
	now := time.Now()
	again := &retry{ex: ex, since: now, next: now.Add(pause)}
	if d.ex != nil {
		again.since, again.item = d.ex.since, d.ex.item
		ex.Since = l.o.Now().Add(-now.Sub(d.ex.since))
	}
	again.ex.Envelope, again.ex.Shared = nil, nil
	if d.item != nil {
		again.item = d.item
	}
	l.unstored[ex.Key] = again
	l.except(d, ex)
	return again
}

// dead makes d a dead letter. The events behind it go on.
func (l *lane) dead(d *delivery, err error) {
	clear(l.failing) // the sink answered
	if l.probing {
		l.recovered()
	}
	l.bury(d, err)
}

// bury sets d aside for an operator.
func (l *lane) bury(d *delivery, err error) {
	ex := l.exception(d, err)
	ex.Dead = true
	if d.ex != nil {
		l.inHand[ex.Key] = false
	}
	l.f.deaths.log(l.o.Log, ex, err)
	if it := d.event(); !it.unsettled() || d.item != nil && it.open == 1 {
		l.holdBehind(deadLetter{Key: ex.Key}, d.key)
	}
	l.letGo(d)
	l.except(d, ex)
}

// fail adds exceptions to the settlement that gathers.
func (l *lane) fail(exs ...journal.Exception) {
	for i := range exs {
		l.outBytes += len(exs[i].Envelope)
		if s := exs[i].Shared; s != nil && s != l.weighed {
			l.outBytes += len(s.Body)
			l.weighed = s
		}
		l.toHand(exs[i])
	}
	l.out.Failed = append(l.out.Failed, exs...)
}

// deathNotice is how often a flow's dead letters make a line in the log: status
// and `syncd dead list` show each.
const deathNotice = time.Minute

// deaths keeps a flood of dead letters out of the log.
type deaths struct {
	mu    sync.Mutex
	told  time.Time
	since int // the last line, not told
}

// log tells of a dead letter, of a panic with the stack: at once when the last
// line is old enough, else at level debug, and the next line counts it.
func (d *deaths) log(log *slog.Logger, ex journal.Exception, err error) {
	args := []any{"flow", ex.Lane.Flow, "sink", ex.Lane.Sink, "event", ex.EventID, "attempts", ex.Attempts, "error", err}
	if ex.Step != "" {
		args = append(args, "step", ex.Step)
	}
	var p *panicError
	if errors.As(err, &p) {
		args = append(args, "stack", string(p.stack))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.told.IsZero() && time.Since(d.told) < deathNotice {
		d.since++
		log.Debug("dead letter", args...)
		return
	}
	if d.since > 0 {
		args = append(args, "others_since_last_told", d.since)
	}
	d.told, d.since = time.Now(), 0
	log.Warn("dead letter", args...)
}

func (l *lane) except(d *delivery, ex journal.Exception) {
	switch {
	case d.item == nil && ex.Dead && d.ex.item.unsettled():
		d.ex.item.failed = append(d.ex.item.failed, ex)
		return
	case d.item == nil:
		l.fail(ex)
		return
	case !ex.Dead && d.key != "" && d.item.open > 1:
		// The others of its event are held back behind it: it cannot wait for them.
		l.fail(ex)
	default:
		d.item.failed = append(d.item.failed, ex)
	}
	l.part(d, journal.Excepted)
}

// exception is d as the journal keeps it.
func (l *lane) exception(d *delivery, err error) journal.Exception {
	now := l.o.Now()
	var ex journal.Exception
	if d.ex != nil {
		ex = d.ex.ex
	} else {
		ex = journal.Exception{
			Key:  journal.Key{Source: d.Event.Source, Position: d.item.pos, Path: d.Event.Path},
			Lane: l.id, EventID: d.Event.ID, EventTime: d.Event.Time, OrderKey: d.key, Since: now,
		}
	}
	ex.Attempts = d.Attempt
	ex.Errors = history(ex.Errors, now, err)
	l.seal(&ex, d.Event, &l.parts)
	return ex
}

// history adds a failure, forgetting the oldest past maxFailures.
func history(h []journal.Failure, at time.Time, err error) []journal.Failure {
	h = append(slices.Clip(h), journal.Failure{Time: at, Error: err.Error()})
	return h[max(len(h)-maxFailures, 0):]
}

func (l *lane) seal(ex *journal.Exception, e *component.Event, parts *sharing) {
	if err := parts.seal(ex, e); err != nil {
		l.o.Log.Error("exception kept without its event", "lane", l.name(), "event", e.ID, "error", err)
	}
}

// giveBack lets d come again: no attempt is counted.
func (l *lane) giveBack(d *delivery) {
	if d.ex != nil {
		d.ex.next = time.Now()
		l.queue.push(d.ex)
		return
	}
	l.release(d.key)
}

// stop leaves the sink alone until a probe finds it well. What was loaded goes
// back to the lane.
func (l *lane) stop(err error) {
	l.reason = err
	if l.state != Stopped {
		if l.probing {
			l.probes++
		} else {
			l.probes, l.stopped = 0, time.Now()
			l.o.Log.Warn("lane stopped: its sink fails", "lane", l.name(), "error", err)
		}
		l.state, l.probing = Stopped, false
		b := l.sink.Common
		l.probeAt = time.Now().Add(max(backoff(min(b.Retry.Initial, b.Breaker.Pause), b.Breaker.Pause, l.probes+1, l.o.Jitter()), component.Wait(err)))
	}
	l.show()
}

// sendProbe begins to try the sink again: with another event each time, lest one
// that fails for reasons of its own keeps the lane stopped.
func (l *lane) sendProbe() {
	l.rewind()
	l.state, l.probing = Running, true
}

// rewind lets all that has been loaded and not begun come again.
func (l *lane) rewind() {
	l.lapse()
	l.ready, l.freed, l.held = nil, nil, map[string][]*delivery{}
	l.readyBytes, l.holding, l.heldBytes = 0, 0, 0
	clear(l.busy)
	l.holdWaiting()
	for _, c := range l.cursors {
		c.rewind()
	}
}

// holdWaiting marks the keys of all that waits for a retry.
func (l *lane) holdWaiting() {
	l.eachWaiting(func(r *retry) { l.hold(r.ex.OrderKey) })
	for _, key := range l.behind {
		l.hold(key)
	}
	for _, r := range l.unstored {
		l.hold(r.ex.OrderKey)
	}
}

// recovered ends a stop: the sink takes deliveries again.
func (l *lane) recovered() {
	if l.probing {
		still := time.Since(l.stopped)
		l.eachWaiting(func(r *retry) { r.since = r.since.Add(still) }) // which does not count against retry.for
		for _, r := range l.unstored {
			r.since = r.since.Add(still)
		}
		l.o.Log.Info("lane goes on: its sink takes deliveries again", "lane", l.name(), "stopped_for", still.Round(time.Millisecond))
	}
	l.probing, l.probes, l.reason = false, 0, nil
	clear(l.failing)
	l.show()
}
