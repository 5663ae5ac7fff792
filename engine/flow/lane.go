package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// State is what a lane is doing.
type State string

// The states of a lane.
const (
	Running State = "running"
	Stopped State = "stopped" // its sink fails for everything; it is probed
)

const (
	// maxWaiting exceptions may wait for a retry before a lane takes no further events.
	maxWaiting = 1000
	// maxHeld deliveries, of events of maxHeldBytes, may wait behind others of
	// their order_by key before a lane takes no further events.
	maxHeld      = 1000
	maxHeldBytes = 16 << 20
	// maxUnsettled outcomes, with exceptions of maxUnsettledBytes, may wait for the
	// journal before a lane delivers no more.
	maxUnsettled      = 4096
	maxUnsettledBytes = 16 << 20
	// maxBatchBytes of payload, and what more comes with one event, go into one call
	// of an ordered sink.
	maxBatchBytes = 4 << 20
	// maxReports of calls may wait for the lane to take them; further calls wait to report.
	maxReports = 16
	// settleRetry is the pause after a settlement that the journal could not take.
	settleRetry = time.Second
	// settleNotice is how often the log tells of that.
	settleNotice = time.Minute
	// readBytes of payload are read from the journal at a time.
	readBytes = 256 << 10
)

// lane is the way of a flow to a sink. One goroutine (run) owns all of it;
// deliveries and settlements run beside it and report back over channels.
type lane struct {
	term
	seat    *seat
	from    *place // nil: to be read
	id      journal.Lane
	tag     string
	f       *flow
	o       Options
	sink    *Sink
	ordered component.Ordered   // the sink, if it is one
	piped   component.Pipelined // the same
	paced   component.Paced     // the same
	shaped  bool                // the sink knows rows
	limit   int                 // deliveries at a time

	// foreign are inherited items of sources that the lane does not take.
	foreign    map[string]map[journal.Position]*item
	cursors    []*cursor
	turn       int         // whose turn it is among cursors
	ready      []*delivery // loaded, not begun
	readyBytes int         // of their payload
	held       map[string][]*delivery
	holding    int // entries of held
	heldBytes  int
	freed      []*delivery    // no longer held back
	busy       map[string]int // order_by keys under way or waiting for a retry
	queue      queue
	// inHand are exceptions: true, in the queue or under way; false, at an end that is
	// not on disk yet.
	inHand map[journal.Key]bool
	// unstored are those that join the queue when their exceptions are on disk.
	unstored map[journal.Key]*retry

	batches
	holds
	hands handing
	breaker
	inflight int
	single   int  // events that an ordered sink gets one by one
	turned   bool // it holds the ordered sink's turn

	out        journal.Settlement  // gathers
	outBytes   int                 // of its exceptions
	weighed    *journal.Shared     // the last part of theirs that counts there
	parts      sharing             // of the exceptions that are sealed and opened
	spare      []journal.Outcome   // room for those of the next one
	merging    []journal.Outcome   // room to arrange them
	sent       *journal.Settlement // handed to the journal
	settling   bool                // which has not answered yet
	early      *finished           // a call of an ordered sink that has ended before that has
	settleAt   time.Time           // of the next try, after the journal has failed
	complained time.Time           // of such a failure, last

	done    chan *finished
	settled chan error
	shown   atomic.Pointer[LaneStatus]
	pulse   pulse
}

// breaker is what a lane knows of how its sink fares.
type breaker struct {
	state   State
	reason  error
	stopped time.Time
	probeAt time.Time
	probes  int  // that failed in a row
	probing bool // the next delivery is one
	failing map[string]struct{}
}

// down tells whether the sink has not been found well since the lane stopped.
func (b *breaker) down() bool { return b.state == Stopped || b.probing }

// finished reports a call of the sink.
type finished struct {
	batch  []*delivery
	result component.Result
	turned bool // the lane holds the ordered sink's turn
	spared bool // the sink was not called: the lane was retired, or is to end, before its turn came
}

func newLane(f *flow, sink *Sink, id journal.Lane) *lane {
	origin := journal.Lane{Flow: f.origin(), Sink: sink.origin()}
	l := &lane{
		term: newTerm(), seat: f.r.seat(origin),
		id: id, tag: laneTag(origin), f: f, o: f.o, sink: sink,
		breaker: breaker{state: Running, failing: map[string]struct{}{}},
		limit:   sink.Common.Concurrency,
		held:    map[string][]*delivery{}, busy: map[string]int{},
		unstored: map[journal.Key]*retry{}, inHand: map[journal.Key]bool{},
		out:     journal.Settlement{Lane: id},
		settled: make(chan error, 1),
	}
	if f.Concurrency > 0 {
		l.limit = min(l.limit, f.Concurrency)
	}
	l.done = make(chan *finished, min(l.limit, maxReports))
	l.hands.done = make(chan handedOn, 1)
	l.ordered, _ = sink.Sink.(component.Ordered)
	if l.ordered == nil {
		l.batches = newBatches(sink.Sink)
	}
	l.piped, _ = sink.Sink.(component.Pipelined)
	_, l.shaped = sink.Sink.(component.Shaped)
	l.paced, _ = sink.Sink.(component.Paced)
	l.show()
	return l
}

// run takes the lane's seat when that is free, and has it until the lane is retired
// or ctx ends.
func (l *lane) run(ctx, abort context.Context) {
	defer close(l.ended)
	defer l.cancel()
	still := sync.OnceFunc(l.f.evaluating.Done)
	defer still()
	select {
	case <-l.f.ready:
	case <-l.life.Done():
		return
	}
	e, ok := l.seat.take(&l.term)
	if !ok {
		return
	}
	if l.goOn(e) {
		l.deliverAll(ctx, abort, still)
		e = l.leaves()
	}
	l.seat.estate <- e
}

// deliverAll delivers until the lane is retired or ctx ends, and what has begun is
// settled, or abort ends. It calls still when it begins nothing any more.
func (l *lane) deliverAll(ctx, abort context.Context, still func()) {
	wake, stop := l.o.Journal.Watch(l.f.Sources)
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	leave, over := l.life.Done(), ctx.Done()
	for {
		l.reports(abort, over == nil)
		l.handOn()
		l.flush()
		switch {
		case l.life.Err() == nil:
			l.dispatch(abort)
			l.flush()
		case l.quiet():
			l.pulse.rest()
			l.releaseTurn()
			return
		default:
			still()
		}
		l.relax()
		l.wait(timer, leave != nil)
		l.pulse.rest()
		select {
		case <-leave:
			leave = nil
		case <-over:
			over = nil
			if !l.settleAt.IsZero() {
				l.settleAt = time.Now()
			}
		case <-wake:
			l.unread()
		case f := <-l.done:
			l.ends(abort, f)
		case r := <-l.hands.done:
			l.handed(r)
		case err := <-l.settled:
			l.committed(abort, err, over == nil)
		case do := <-l.seat.control:
			do(l)
		case <-timer.C:
		}
		l.pulse.beat()
	}
}

// reports takes what calls and settlements have reported already.
func (l *lane) reports(abort context.Context, last bool) {
	for {
		select {
		case f := <-l.done:
			l.ends(abort, f)
		case err := <-l.settled:
			l.committed(abort, err, last)
		default:
			return
		}
	}
}

// relax lets go of the events that have passed, when no more are known to come.
func (l *lane) relax() {
	if !l.quiet() || len(l.ready)+len(l.freed) > 0 {
		return
	}
	for _, c := range l.cursors {
		if !c.reached {
			return
		}
	}
	l.ready, l.freed, l.merging = nil, nil, nil
}

// quiet tells whether nothing is under way.
func (l *lane) quiet() bool {
	return l.inflight == 0 && l.sent == nil && !l.unsettled() && !l.handing()
}

func (l *lane) unsettled() bool {
	return len(l.out.Outcomes)+len(l.out.Failed)+len(l.out.Resolved)+len(l.out.State) > 0 || l.hands.stale
}

func (l *lane) unread() {
	for _, c := range l.cursors {
		c.reached = false
	}
}

// wait sets the timer to the next moment at which there is something to do. What
// cannot begin yet is begun when something else ends.
func (l *lane) wait(timer *time.Timer, dispatching bool) {
	var at time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	sooner(l.settleAt)
	sooner(l.hands.after)
	switch {
	case !dispatching:
	case l.state == Stopped && l.inflight == 0:
		sooner(l.probeAt)
	case l.queue.len() > 0 && l.mayTake():
		sooner(l.queue.next())
	}
	if dispatching && l.state == Running {
		sooner(l.formDue())
	}
	if at.IsZero() {
		timer.Stop()
		return
	}
	timer.Reset(max(time.Until(at), 0))
}

// mayTake tells whether deliveries are taken up now.
func (l *lane) mayTake() bool {
	if l.batcher != nil {
		return l.mayGather()
	}
	return l.mayBegin()
}

// flush hands to the journal what has gathered, one settlement at a time, or
// again what it could not take, when the time for that has come.
func (l *lane) flush() {
	if time.Now().Before(l.settleAt) {
		return
	}
	l.settleAt = time.Time{}
	if l.settling {
		return
	}
	if l.sent == nil {
		if !l.unsettled() || l.ordered != nil && l.inflight > 0 {
			return
		}
		l.noteList()
		l.noteHanding()
		s := l.out
		l.writing, l.unwritten = l.unwritten, nil
		s.Outcomes, l.merging = arrange(s.Outcomes, l.merging)
		l.sent, l.out, l.outBytes = &s, journal.Settlement{Lane: l.id, Outcomes: l.spare}, 0
		l.spare = nil
	}
	l.settling = true
	s := *l.sent
	go func() { l.settled <- l.o.Journal.Settle(context.Background(), s) }()
}

// committed takes the journal's answer to a settlement. One that it could not
// take is tried again; meanwhile nothing is delivered. At the end it is given up:
// what it settled comes again after a restart.
func (l *lane) committed(abort context.Context, err error, last bool) {
	l.settling = false
	dropped := errors.Is(err, journal.ErrNotFound) && l.life.Err() != nil
	switch {
	case err == nil:
		for _, ex := range l.sent.Failed {
			l.stored(ex.Key)
		}
		for _, r := range l.sent.Resolved {
			l.stored(r.Key)
		}
		l.spare = reuse(l.sent.Outcomes)
		l.sent = nil
		l.written()
		l.handingStored()
		l.turnSettled(abort)
	case (last || dropped) && !l.pipelining():
		l.o.Log.Warn("last settlement not stored; its deliveries come again", "lane", l.name(), "error", err)
		l.sent, l.out = nil, journal.Settlement{Lane: l.id}
		if l.turned {
			l.ordered.Forget()
			l.undoEarly()
		}
	default:
		if time.Since(l.complained) >= settleNotice {
			l.o.Log.Error("settlement not stored; nothing is delivered until it is", "lane", l.name(), "error", err)
			l.complained = time.Now()
		}
		l.settleAt = time.Now().Add(settleRetry)
	}
}

// releaseTurn lets the next lane of an ordered sink call it.
func (l *lane) releaseTurn() {
	if l.turned && l.inflight == 0 {
		l.turned = false
		<-l.sink.turn
	}
}

func (l *lane) name() string { return l.id.Flow + " > " + l.id.Sink }

// show publishes what the lane is doing.
func (l *lane) show() {
	s := LaneStatus{Lane: l.id, State: l.state}
	if l.reason != nil {
		s.LastError = l.reason.Error()
	}
	if s.LastError == "" && len(l.behind) > 0 && l.holding > 0 {
		s.LastError = fmt.Sprintf("on_dead = \"hold\": %d deliveries wait behind dead letters of their keys; retry or drop those", l.holding)
	}
	if l.state == Stopped {
		s.Probe = l.probeAt
	}
	l.shown.Store(&s)
}

// cursor is that of a source; nil: the lane does not take it.
func (l *lane) cursor(source string) *cursor {
	for _, c := range l.cursors {
		if c.source == source {
			return c
		}
	}
	return nil
}

// passed tells whether the lane is done with an event.
func (l *lane) passed(source string, p journal.Position) bool {
	c := l.cursor(source)
	return c != nil && c.isSettled(p)
}

// unstoredStatus is the status of an event whose outcome is not on disk yet.
func (l *lane) unstoredStatus(source string, p journal.Position) (s journal.Status) {
	outcomes := l.out.Outcomes
	if l.sent != nil {
		outcomes = append(slices.Clone(outcomes), l.sent.Outcomes...)
	}
	for _, o := range outcomes {
		if o.Source == source && o.Position == p {
			s |= o.Status
		}
	}
	return s
}

// unstoredState is the value of a key of the sink's state that is not on disk yet.
func (l *lane) unstoredState(key string) any {
	state := l.out.State
	if l.sent != nil {
		state = append(slices.Clone(state), l.sent.State...)
	}
	for _, p := range state {
		if p.Key == key {
			return p.Value
		}
	}
	return nil
}

// reuse gives room for further outcomes, unless there were a great many.
func reuse(out []journal.Outcome) []journal.Outcome {
	if cap(out) > 4*maxUnsettled {
		return nil
	}
	return out[:0]
}
