package engine

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/intake"
	"github.com/syncd/syncd/engine/journal"
)

var _ admin.Daemon = (*engine)(nil)

// What is acted upon at a time, dead letters with their payload (bytes as stored),
// is bounded.
const (
	lettersAtOnce = 8
	lettersRoom   = 8 << 20
)

// Dead lists dead letters.
func (e *engine) Dead(ctx context.Context, f admin.Filter, after int64, limit int) ([]admin.DeadLetter, error) {
	var out []admin.DeadLetter
	for len(out) < limit {
		page, err := e.journal.Exceptions(ctx, journal.ExceptionQuery{DeadOnly: true, After: after, Limit: limit, Bare: true})
		if err != nil {
			return nil, fmt.Errorf("list dead letters: %w", err)
		}
		for i := range page {
			ex := &page[i]
			after = ex.ID
			if len(out) < limit && matches(f, ex) {
				out = append(out, deadLetter(ex))
			}
		}
		if len(page) < limit {
			break
		}
	}
	return out, nil
}

func matches(f admin.Filter, ex *journal.Exception) bool {
	return (f.Source == "" || f.Source == ex.Source) &&
		(f.Flow == "" || f.Flow == ex.Lane.Flow) &&
		(f.Sink == "" || f.Sink == ex.Lane.Sink)
}

// deadLetter is the summary of an exception.
func deadLetter(ex *journal.Exception) admin.DeadLetter {
	d := admin.DeadLetter{
		ID: ex.ID, Event: ex.EventID, Source: ex.Source, Flow: ex.Lane.Flow, Step: ex.Step, Sink: ex.Lane.Sink,
		Attempts: ex.Attempts, Since: ex.Since, Accepted: ex.EventTime, ChildPath: ex.Path,
	}
	if ex.Lane.Flow == "" {
		d.ChildPath = ""
	}
	if n := len(ex.Errors); n > 0 {
		d.Error, d.Time = ex.Errors[n-1].Error, ex.Errors[n-1].Time
	}
	return d
}

// DeadLetter gives one dead letter with its payload and history.
func (e *engine) DeadLetter(ctx context.Context, id int64) (admin.DeadLetter, error) {
	ex, err := e.dead(ctx, id)
	if err != nil {
		return admin.DeadLetter{}, err
	}
	d := deadLetter(&ex)
	d.Place = e.place(&ex)
	for _, f := range ex.Errors {
		d.History = append(d.History, admin.Failure{Time: f.Time, Error: f.Error})
	}
	if ex.Lane.Flow == "" {
		d.Payload, d.Meta, err = intake.Show(ex.Envelope)
	} else {
		d.Payload, d.Meta, err = flow.Show(&ex)
	}
	if err != nil {
		return d, fmt.Errorf("show dead letter %d: %w", id, err)
	}
	return d, nil
}

// place is where the configuration declares what the event died at.
func (e *engine) place(ex *journal.Exception) string {
	cfg := e.graph.Load().cfg
	for _, c := range cfg.Sinks {
		if string(c.Address) == ex.Lane.Sink {
			return c.Place
		}
	}
	for _, f := range cfg.Flows {
		if string(f.Address) == ex.Lane.Flow {
			return f.Place
		}
	}
	for _, c := range cfg.Sources {
		if string(c.Address) == ex.Source {
			return c.Place
		}
	}
	return ""
}

func (e *engine) dead(ctx context.Context, id int64) (journal.Exception, error) {
	found, err := e.journal.Exceptions(ctx, journal.ExceptionQuery{ID: id, DeadOnly: true})
	if err != nil {
		return journal.Exception{}, fmt.Errorf("read dead letter %d: %w", id, err)
	}
	if len(found) == 0 {
		return journal.Exception{}, admin.ErrNotFound
	}
	return found[0], nil
}

// handle reads a dead letter to act upon, and has room for its payload until done
// is called: many may be acted upon at a time, but not many large ones.
func (e *engine) handle(ctx context.Context, id int64) (ex journal.Exception, done func(), err error) {
	if err := e.reading.Acquire(ctx, 1); err != nil {
		return ex, nil, err
	}
	defer e.reading.Release(1)
	if ex, err = e.dead(ctx, id); err != nil {
		return ex, nil, err
	}
	size := len(ex.Envelope)
	if ex.Shared != nil {
		size += len(ex.Shared.Body)
	}
	room := min(max(int64(size), 1), lettersRoom)
	if err := e.letters.Acquire(ctx, room); err != nil {
		return ex, nil, err
	}
	return ex, func() { e.letters.Release(room) }, nil
}

// Retry gives a dead letter another attempt.
func (e *engine) Retry(ctx context.Context, id int64) error {
	ex, done, err := e.handle(ctx, id)
	if err != nil {
		return err
	}
	defer done()
	if ex.Lane.Flow == "" {
		return e.retryInput(ctx, ex)
	}
	if !e.runner.Has(ex.Lane) {
		return fmt.Errorf("%w: no flow has the lane %s > %s; it can be retried when one has it again", admin.ErrNoPlace, ex.Lane.Flow, ex.Lane.Sink)
	}
	if ex, err = e.journal.Revive(ctx, id); err != nil {
		return named(err)
	}
	// It is alive now, and must be taken up whether or not anybody still waits here.
	return e.runner.Retry(e.flowing, ex)
}

// retryInput takes a source's dead letter in again.
func (e *engine) retryInput(ctx context.Context, ex journal.Exception) error {
	if s := e.graph.Load().sources[component.Address(ex.Source)]; s != nil {
		return s.in.Retry(ctx, ex)
	}
	return fmt.Errorf("%w: %s does not run", admin.ErrNoPlace, ex.Source)
}

// Drop gives a dead letter up.
func (e *engine) Drop(ctx context.Context, id int64) error {
	ex, done, err := e.handle(ctx, id)
	if err != nil {
		return err
	}
	defer done()
	if _, err = e.journal.Drop(ctx, id); err != nil {
		return named(err)
	}
	if ex.Lane.Flow != "" {
		e.runner.Dropped(e.flowing, ex)
	}
	return nil
}

// DropLane gives up what waits on a lane that has gone.
func (e *engine) DropLane(ctx context.Context, flow, sink string) error {
	return named(e.journal.DropLane(ctx, journal.Lane{Flow: flow, Sink: sink}))
}

// named gives the journal's errors the names that the API knows.
func named(err error) error {
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return admin.ErrNotFound
	case errors.Is(err, journal.ErrInUse):
		return admin.ErrInUse
	}
	return err
}

// Status tells how everything stands.
func (e *engine) Status(ctx context.Context) (admin.Status, error) {
	stats, err := e.journal.Stats(ctx)
	if err != nil {
		return admin.Status{}, fmt.Errorf("count: %w", err)
	}
	counts := inputCounts(stats)
	g := e.graph.Load()
	out := admin.Status{
		Version: e.o.Version, PID: os.Getpid(), Started: e.started, Config: e.o.Config, StateDir: e.dir,
		Generation: g.generation, NotAccepting: stats.Full, Stale: e.stale.Load(),
		Journal:   admin.JournalStatus{Bytes: stats.Bytes, MaxBytes: int64(g.cfg.Daemon.Journal.MaxSize)},
		Listeners: g.listenerStatus(counts), Sources: g.sourceStatus(counts),
		Flows: g.flowStatus(stats), Lanes: e.laneStatus(ctx, stats),
	}
	if p := e.pending.Load(); p != nil {
		out.KeepBy = &p.by
	}
	return out, nil
}
