package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// again runs the flow anew for an event that died in a step. What comes out is
// given to the lanes as exceptions that are due at once, except on lanes that
// have delivered the event already or will come to it by themselves.
func (r *Runner) again(ctx context.Context, f *flow, ex journal.Exception) error {
	f.again.Lock()
	defer f.again.Unlock()
	found, err := r.o.Journal.Exceptions(ctx, journal.ExceptionQuery{ID: ex.ID, AliveOnly: true})
	if err != nil {
		return fmt.Errorf("read dead letter %d: %w", ex.ID, err)
	}
	if len(found) == 0 {
		return nil // another retry was quicker
	}
	ex = found[0]
	e, err := open(&ex)
	if err != nil {
		return err
	}
	res := f.pass(ctx, e)
	if res.err != nil {
		return f.steps.diedAgain(ctx, ex, res.err)
	}
	for _, sink := range f.Program.Sinks() {
		if err := r.lanes[journal.Lane{Flow: f.Name, Sink: string(sink)}].adopt(ctx, ex, res); err != nil {
			return err
		}
	}
	return r.o.Journal.Settle(ctx, journal.Settlement{
		Lane:     f.steps.id,
		Resolved: []journal.Resolution{{Key: ex.Key, Status: journal.Nothing, Attempts: ex.Attempts + 1}},
	})
}

// diedAgain puts the dead letter back to rest, with the new failure in its history.
func (s *stepsLane) diedAgain(ctx context.Context, ex journal.Exception, cause *StepError) error {
	ex.Dead, ex.Next, ex.Step = true, time.Time{}, cause.Step
	ex.Attempts++
	ex.Errors = history(ex.Errors, s.f.o.Now(), cause.Err)
	s.f.deaths.log(s.f.o.Log, ex, cause.Err)
	return s.f.o.Journal.Settle(ctx, journal.Settlement{Lane: s.id, Failed: []journal.Exception{ex}})
}

// adopt takes the deliveries of an event that has come through the steps late.
func (l *lane) adopt(ctx context.Context, dead journal.Exception, res result) error {
	lacks, err := l.lacks(ctx, dead)
	if err != nil || !lacks {
		return err
	}
	s := journal.Settlement{Lane: l.id}
	for _, o := range res.outs {
		if o.sink == l.sink.Address {
			s.Failed = append(s.Failed, l.late(dead, o.event, res.key))
		}
	}
	if len(s.Failed) == 0 {
		return nil
	}
	s.Outcomes = []journal.Outcome{{Source: dead.Source, Position: dead.Position, Status: journal.Excepted}}
	if err := l.o.Journal.Settle(ctx, s); err != nil {
		return fmt.Errorf("queue event %s for %s: %w", dead.EventID, l.id.Sink, err)
	}
	return l.revive(ctx, s.Failed...)
}

// had is what a lane's status says when it has had deliveries of the event.
const had = journal.Delivered | journal.Dropped | journal.Excepted

// lacks tells whether the lane is past the event and had nothing to deliver then.
// What it has not settled on disk yet, it knows itself; so it is asked first.
func (l *lane) lacks(ctx context.Context, dead journal.Exception) (bool, error) {
	var passed bool
	var unstored journal.Status
	err := l.ask(ctx, func() {
		passed = l.passed(dead.Source, dead.Position)
		unstored = l.unstoredStatus(dead.Source, dead.Position)
	})
	if err != nil || !passed || unstored&had != 0 {
		return false, err
	}
	statuses, err := l.o.Journal.Statuses(ctx, l.id.Flow, dead.Source, dead.Position)
	if err != nil {
		return false, fmt.Errorf("look up event %s: %w", dead.EventID, err)
	}
	return statuses[l.id.Sink]&had == 0, nil
}

// late is a delivery that has not been tried yet, as an exception that is due.
func (l *lane) late(dead journal.Exception, e *component.Event, key string) journal.Exception {
	ex := journal.Exception{
		Key:  journal.Key{Source: dead.Source, Position: dead.Position, Path: e.Path},
		Lane: l.id, EventID: dead.EventID, EventTime: dead.EventTime, OrderKey: key,
		Since: l.o.Now(), Next: l.o.Now(), Errors: dead.Errors,
	}
	ex.Envelope = l.seal(e)
	return ex
}
