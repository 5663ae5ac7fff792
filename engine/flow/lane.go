package flow

import (
	"cmp"
	"context"
	"slices"
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
	// settleRetry is the pause after a settlement that the journal could not take.
	settleRetry = time.Second
	// readBytes of payload are read from the journal at a time.
	readBytes = 256 << 10
)

// lane is the way of a flow to a sink. One goroutine (run) owns all of it;
// deliveries and settlements run beside it and report back over channels.
type lane struct {
	id      journal.Lane
	tag     string
	f       *flow
	o       Options
	sink    *Sink
	ordered component.Ordered // the sink, if it is one
	limit   int               // deliveries at a time

	cursors   []*cursor
	turn      int         // whose turn it is among cursors
	ready     []*delivery // loaded, not begun
	held      map[string][]*delivery
	holding   int // entries of held
	heldBytes int
	freed     []*delivery    // no longer held back
	busy      map[string]int // order_by keys under way or waiting for a retry
	queue     queue
	inHand    map[journal.Key]bool // exceptions in the queue or under way
	// unstored are those that join the queue when their exceptions are on disk.
	unstored map[journal.Key]*retry

	state    State
	reason   error
	stopped  time.Time
	probeAt  time.Time
	probes   int  // that failed in a row
	probing  bool // the next delivery is one
	failing  map[string]struct{}
	inflight int
	single   int  // events that an ordered sink gets one by one
	turned   bool // it holds the ordered sink's turn

	out      journal.Settlement  // gathers
	outBytes int                 // of its exceptions
	sent     *journal.Settlement // with the journal now
	settleAt time.Time           // of the next try, after one that failed

	done    chan finished
	settled chan error
	control chan func()
	shown   atomic.Pointer[LaneStatus]
}

// finished reports a call of the sink.
type finished struct {
	batch  []*delivery
	result component.Result
	turned bool // the lane holds the ordered sink's turn
}

func newLane(f *flow, sink *Sink, id journal.Lane, progress []journal.Progress) *lane {
	l := &lane{
		id: id, tag: laneTag(id), f: f, o: f.o, sink: sink, state: Running,
		limit: sink.Common.Concurrency,
		held:  map[string][]*delivery{}, busy: map[string]int{}, failing: map[string]struct{}{},
		unstored: map[journal.Key]*retry{}, inHand: map[journal.Key]bool{},
		out:     journal.Settlement{Lane: id},
		settled: make(chan error, 1), control: make(chan func()),
	}
	if f.Concurrency > 0 {
		l.limit = min(l.limit, f.Concurrency)
	}
	l.done = make(chan finished, l.limit)
	l.ordered, _ = sink.Sink.(component.Ordered)
	for _, p := range progress {
		l.cursors = append(l.cursors, newCursor(p))
	}
	l.show()
	return l
}

// run delivers until ctx ends and what has begun is settled, or abort ends.
func (l *lane) run(ctx, abort context.Context) {
	wake, stop := l.o.Journal.Watch(l.f.Sources)
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stopping := ctx.Done()
	l.queue.each(func(r *retry) { l.hold(r.ex.OrderKey) })
	for {
		l.reports(abort, stopping == nil)
		l.flush()
		if ctx.Err() == nil {
			l.dispatch(abort)
			l.flush()
		}
		if stopping == nil && l.quiet() {
			break
		}
		l.wait(timer, stopping != nil)
		select {
		case <-stopping:
			stopping = nil
			if !l.settleAt.IsZero() {
				l.settleAt = time.Now()
			}
		case <-wake:
			l.unread()
		case f := <-l.done:
			l.finish(abort, f)
		case err := <-l.settled:
			l.committed(err, stopping == nil)
		case do := <-l.control:
			do()
		case <-timer.C:
		}
	}
	l.releaseTurn()
}

// reports takes what calls and settlements have reported already.
func (l *lane) reports(abort context.Context, last bool) {
	for {
		select {
		case f := <-l.done:
			l.finish(abort, f)
		case err := <-l.settled:
			l.committed(err, last)
		default:
			return
		}
	}
}

// quiet tells whether nothing is under way.
func (l *lane) quiet() bool { return l.inflight == 0 && l.sent == nil && !l.unsettled() }

func (l *lane) unsettled() bool {
	return len(l.out.Outcomes)+len(l.out.Failed)+len(l.out.Resolved)+len(l.out.State) > 0
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
	switch {
	case !dispatching:
	case l.state == Stopped && l.inflight == 0:
		sooner(l.probeAt)
	case l.queue.len() > 0 && l.mayBegin():
		sooner(l.queue.next())
	}
	if at.IsZero() {
		timer.Stop()
		return
	}
	timer.Reset(max(time.Until(at), 0))
}

// flush hands to the journal what has gathered, one settlement at a time, or
// again what it could not take, when the time for that has come.
func (l *lane) flush() {
	again := !l.settleAt.IsZero()
	if again && time.Now().Before(l.settleAt) {
		return
	}
	l.settleAt = time.Time{}
	if l.sent == nil {
		if !l.unsettled() || l.ordered != nil && l.inflight > 0 {
			return
		}
		s := l.out
		slices.SortFunc(s.Outcomes, byPosition)
		l.sent, l.out, l.outBytes = &s, journal.Settlement{Lane: l.id}, 0
	} else if !again {
		return
	}
	s := *l.sent
	go func() { l.settled <- l.o.Journal.Settle(context.Background(), s) }()
}

// committed takes the journal's answer to a settlement. One that it could not
// take is tried again; meanwhile nothing is delivered. At the end it is given up:
// what it settled comes again after a restart.
func (l *lane) committed(err error, last bool) {
	switch {
	case err == nil:
		for _, ex := range l.sent.Failed {
			if r := l.unstored[ex.Key]; r != nil {
				delete(l.unstored, ex.Key)
				l.await(r)
			}
		}
		l.sent = nil
		if s, ok := l.sink.Sink.(component.Settler); ok && l.turned {
			s.Settled()
		}
		l.releaseTurn()
	case last:
		l.o.Log.Warn("last settlement not stored; its deliveries come again", "lane", l.name(), "error", err)
		l.sent, l.out = nil, journal.Settlement{Lane: l.id}
		if l.turned {
			l.ordered.Forget()
		}
	default:
		l.o.Log.Error("settlement not stored; nothing is delivered until it is", "lane", l.name(), "error", err)
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
	if l.state == Stopped {
		s.Probe = l.probeAt
	}
	l.shown.Store(&s)
}

// ask has do run by the lane's own goroutine and waits for it.
func (l *lane) ask(ctx context.Context, do func()) error {
	done := make(chan struct{})
	select {
	case l.control <- func() { do(); close(done) }:
		<-done
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// revive takes up exceptions that are to be tried at once.
func (l *lane) revive(ctx context.Context, exs ...journal.Exception) error {
	return l.ask(ctx, func() {
		for _, ex := range exs {
			if !l.inHand[ex.Key] { // it was found waiting at the start
				l.hold(ex.OrderKey)
				l.await(revived(ex))
			}
		}
	})
}

// resume takes up an exception after a restart.
func (l *lane) resume(ex journal.Exception) {
	r := resumed(ex, l.o.Now())
	for _, c := range l.cursors {
		if c.source == ex.Source {
			r.item = c.amid(ex.Position, ex.Path)
		}
	}
	l.await(r)
}

// await takes an exception in hand until its end.
func (l *lane) await(r *retry) {
	l.inHand[r.ex.Key] = true
	l.queue.push(r)
}

// passed tells whether the lane is done with an event.
func (l *lane) passed(source string, p journal.Position) bool {
	for _, c := range l.cursors {
		if c.source == source {
			return c.isSettled(p)
		}
	}
	return false
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

func byPosition(a, b journal.Outcome) int {
	if c := cmp.Compare(a.Source, b.Source); c != 0 {
		return c
	}
	return cmp.Compare(a.Position, b.Position)
}
