package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/syncd/syncd/engine/component"
)

// Due is a run that is to begin.
type Due struct {
	Time      time.Time // when it was due, UTC; of a run by hand: when that was asked for
	MadeUp    bool      // it could not begin then: the daemon was down, or busy with the run before
	Triggered bool      // by hand, beside the schedule
	asOf      time.Time // all that was due until then is this run
	done      []component.Put
}

// Done is the state to commit together with the last events of the run: from then
// on, a restart does not run it again. It may be empty.
func (d Due) Done() []component.Put { return d.done }

// Options say what a Runner runs by.
type Options struct {
	Config
	Log *slog.Logger     // of the source
	Now func() time.Time // the clock on the wall
	// Retry is how a run that failed is tried again, until the next one is due; For
	// is 0 for all that time. The zero Retry pauses for 1 s at first, 5 min at most.
	Retry component.Retry
}

// Runner begins the runs of one source. It is a component.Triggered and a
// component.Reporter, for the source to be one by embedding it.
type Runner struct {
	o       Options
	cron    *Cron // nil: every
	plan    plan
	kick    chan struct{}
	pending *attempt // owed from before, or failed
	backoff *backoff.ExponentialBackOff
	logged  string // the failure that was logged last, and when
	when    time.Time

	mu      sync.Mutex
	open    bool      // Run is under way
	running time.Time // since when a run is; zero: none is
	report  component.Report
}

// attempt is a run that is to begin beside the plan.
type attempt struct {
	due   Due
	at    time.Time // by the clock that nobody sets
	hold  time.Time // nothing else begins before, since that was asked for
	since time.Time // when it failed first
}

// reminder is how often a failure that stays the same is logged.
const reminder = time.Hour

// glance is the longest sleep: then the clock on the wall is looked at again.
const glance = time.Minute

var (
	_ component.Triggered = (*Runner)(nil)
	_ component.Reporter  = (*Runner)(nil)
)

// New makes a runner. The configuration has passed Check.
func New(o Options) (*Runner, error) {
	r := &Runner{o: o, kick: make(chan struct{}, 1), backoff: backoff.NewExponentialBackOff()}
	r.backoff.InitialInterval, r.backoff.MaxInterval = time.Second, 5*time.Minute
	if o.Retry.Initial > 0 {
		r.backoff.InitialInterval, r.backoff.MaxInterval = o.Retry.Initial, o.Retry.Max
	}
	if o.Cron == "" {
		return r, nil
	}
	var err error
	if r.cron, err = Parse(o.Cron, o.Timezone); err != nil {
		return nil, fmt.Errorf("read schedule: %w", err)
	}
	return r, nil
}

// Run calls run whenever one is due, never twice at a time, until ctx ends. Where
// the schedule stands is read from in, and kept there by the run: it commits
// due.Done() with its last events. A run that returns an error is tried again: after
// a growing pause, after component.Wait's where the error names one, or when a
// *component.LaterError says; not before its next time if it is component.Permanent.
// Run's own error is the context's, or that of reading the state.
func (r *Runner) Run(ctx context.Context, in component.Intake, run func(context.Context, Due) error) error {
	defer r.close()
	if err := r.begin(ctx, in); err != nil {
		return err
	}
	for {
		due, err := r.wait(ctx)
		if err != nil {
			return err
		}
		err = run(ctx, r.start(due))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.settle(due, err)
	}
}

// wait returns when a run is to begin.
func (r *Runner) wait(ctx context.Context) (Due, error) {
	for {
		due, in := r.next()
		if in <= 0 {
			return due, nil
		}
		select {
		case <-ctx.Done():
			return Due{}, ctx.Err()
		case <-r.kick:
			return r.byHand(), nil
		case <-time.After(min(in, glance)):
		}
	}
}

// next is the run that begins next, and how long it is until then.
func (r *Runner) next() (due Due, in time.Duration) {
	now := r.o.Now()
	at, in := r.plan.look(now)
	due = Due{Time: at.UTC(), MadeUp: now.Sub(at) > glance+r.o.Jitter}
	if r.pending != nil {
		if wait := time.Until(r.pending.at); in > 0 && wait < in {
			due, in = r.pending.due, wait
		}
		if !r.pending.hold.IsZero() {
			in = max(in, time.Until(r.pending.hold))
		}
	}
	due.asOf = now
	r.mu.Lock()
	r.report.Next = now.Add(in).UTC()
	r.mu.Unlock()
	return due, in
}

// byHand is the run that begins now because somebody says so: the one that is owed,
// if one is, or one of its own.
func (r *Runner) byHand() Due {
	now := r.o.Now()
	due := Due{Time: now.UTC()}
	if r.pending != nil {
		due = r.pending.due
	}
	due.Triggered, due.asOf = true, now
	return due
}

// start notes that a run begins.
func (r *Runner) start(due Due) Due {
	r.plan.begun(due.asOf)
	if r.cron != nil {
		due.done = r.covers(due.asOf)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.kick: // this is the run that was asked for
		due.Triggered = true
	default:
	}
	r.running = time.Now()
	r.report.Next = time.Time{}
	return due
}

// settle notes what became of a run.
func (r *Runner) settle(due Due, err error) {
	r.mu.Lock()
	began := r.running
	r.running = time.Time{}
	r.report.Error = ""
	if err != nil {
		r.report.Error = err.Error()
	} else {
		r.report.Last = r.o.Now().Add(-time.Since(began)).UTC()
	}
	r.mu.Unlock()
	if err != nil {
		r.failed(due, err)
		return
	}
	if r.logged != "" {
		r.o.Log.Info("runs succeed again")
		r.logged = ""
	}
	r.pending = nil
	r.backoff.Reset()
}

// failed plans the next attempt.
func (r *Runner) failed(due Due, err error) {
	next := &attempt{due: due, since: time.Now()}
	if r.pending != nil && !r.pending.since.IsZero() {
		next.since = r.pending.since
	}
	pause, asked := r.backoff.NextBackOff(), component.Wait(err)
	later := (*component.LaterError)(nil)
	if errors.As(err, &later) {
		pause, asked = later.After, later.After
		r.backoff.Reset()
	}
	if asked > 0 {
		next.hold = time.Now().Add(asked)
	}
	pause = max(pause, asked)
	next.at = time.Now().Add(pause)
	if later != nil {
		next.since = next.at // the journal's trouble is not the run's: that is not given up
	}
	if component.IsPermanent(err) || r.o.Retry.For > 0 && next.at.Sub(next.since) > r.o.Retry.For {
		next = nil
		r.backoff.Reset()
	}
	r.pending = next
	r.complain(err, later != nil, pause)
}

// complain logs a failure: quietly if it is the one of before, or the journal's.
func (r *Runner) complain(err error, journal bool, pause time.Duration) {
	text, level := err.Error(), slog.LevelWarn
	switch {
	case journal:
		level = slog.LevelDebug
	case text == r.logged && time.Since(r.when) < reminder:
		level = slog.LevelDebug
	default:
		r.logged, r.when = text, time.Now()
	}
	if r.pending == nil {
		r.o.Log.Log(context.Background(), level, "run failed; the next one begins at its time", "error", err)
		return
	}
	r.o.Log.Log(context.Background(), level, "run failed; it is tried again", "error", err, "in", pause.Round(time.Millisecond))
}

// Trigger asks for a run now. It is noted when Trigger returns; the error says why it
// is not: a run is under way, or the source does not run.
func (r *Runner) Trigger() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.open:
		return errors.New("it does not run now")
	case !r.running.IsZero():
		return fmt.Errorf("a run is under way, for %s now", time.Since(r.running).Round(time.Second))
	}
	select {
	case r.kick <- struct{}{}:
	default: // it has been asked for already
	}
	return nil
}

// Report tells how the schedule stands. A source that knows more of a run that is
// under way has a Note of its own.
func (r *Runner) Report() component.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	is := r.report
	if !r.running.IsZero() {
		is.Note = fmt.Sprintf("a run is under way, for %s now", time.Since(r.running).Round(time.Second))
	}
	return is
}

func (r *Runner) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open, r.running, r.report.Next = false, time.Time{}, time.Time{}
	select {
	case <-r.kick:
	default:
	}
}
