package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// again has the flow whose steps lane has the dead letter retry it.
func (r *Runner) again(ctx context.Context, ex journal.Exception) error {
	for {
		s := r.roster.Load()
		f := s.flows[ex.Lane.Flow]
		if f == nil {
			return errLeft
		}
		err := f.retry(ctx, ex)
		if !errors.Is(err, errLeft) || r.roster.Load() == s {
			return err
		}
	}
}

// retry is for a dead letter of a step. Its successor finds in the journal what a flow
// that is retired has not done.
func (f *flow) retry(ctx context.Context, ex journal.Exception) error {
	select {
	case <-f.ready:
	case <-f.ended:
		return errLeft
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case f.again <- struct{}{}:
		defer func() { <-f.again }()
	case <-f.ended:
		return errLeft
	case <-ctx.Done():
		return ctx.Err()
	}
	if f.life.Err() != nil {
		return errLeft
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(f.life, cancel)()
	err := f.runAgain(ctx, ex)
	if err != nil && f.life.Err() != nil {
		return errLeft
	}
	return err
}

// runAgain runs the flow anew for an event that died in a step. What comes out is
// given to the lanes as exceptions that are due at once, except what they have
// delivered already or will come to by themselves.
func (f *flow) runAgain(ctx context.Context, ex journal.Exception) error {
	found, err := f.o.Journal.Exceptions(ctx, journal.ExceptionQuery{ID: ex.ID, AliveOnly: true})
	if err != nil {
		return fmt.Errorf("read dead letter %d: %w", ex.ID, err)
	}
	if len(found) == 0 {
		return nil // another retry was quicker
	}
	ex = found[0]
	var parts sharing
	e, err := parts.open(&ex)
	if err != nil {
		return err
	}
	if isCopy(ex.Path) {
		return f.handAgain(ctx, ex, e, &parts)
	}
	res := f.pass(&pass{ctx: ctx}, e)
	if res.err != nil {
		return f.steps.diedAgain(ctx, ex, res.err)
	}
	for _, sink := range f.Program.Sinks() {
		l := f.r.roster.Load().lanes[journal.Lane{Flow: f.Name, Sink: string(sink)}]
		if l == nil {
			return errLeft
		}
		if err := l.adopt(ctx, ex, res); err != nil {
			return err
		}
	}
	err = f.o.Journal.Settle(ctx, journal.Settlement{
		Lane:     f.steps.id,
		Resolved: []journal.Resolution{{Key: ex.Key, Status: journal.Nothing, Attempts: ex.Attempts + 1}},
	})
	if err == nil && f.Hold {
		f.r.ended(ctx, ex)
	}
	return err
}

// diedAgain puts the dead letter back to rest, with the new failure in its history.
func (s *stepsLane) diedAgain(ctx context.Context, ex journal.Exception, cause *StepError) error {
	ex.Dead, ex.Next, ex.Step = true, time.Time{}, cause.Step
	ex.Attempts++
	ex.Errors = history(ex.Errors, s.f.o.Now(), cause.Err)
	s.f.deaths.log(s.f.o.Log, ex, cause.Err)
	return s.bury(ctx, journal.Settlement{Lane: s.id, Failed: []journal.Exception{ex}})
}

// adopt takes the deliveries of an event that has come through the steps late.
func (l *lane) adopt(ctx context.Context, dead journal.Exception, res result) error {
	var left []string
	lacks, err := l.lacks(ctx, dead)
	if err == nil && !lacks {
		left, err = l.left(ctx, dead)
	}
	if err != nil || !lacks && left == nil {
		return err
	}
	s := journal.Settlement{Lane: l.id}
	var parts sharing
	for _, o := range res.outs {
		if o.sink == l.sink.Address && !slices.Contains(left, o.event.Path) {
			s.Failed = append(s.Failed, l.late(dead, o.event, res.key, &parts))
		}
	}
	if len(s.Failed) == 0 {
		return nil
	}
	s.Outcomes = []journal.Outcome{{Source: dead.Source, Position: dead.Position, Status: journal.Excepted}}
	if left != nil {
		s.State = []component.Put{{Key: l.leftKey(dead.Source, dead.Position)}}
	}
	if err := l.o.Journal.Settle(ctx, s); err != nil {
		return fmt.Errorf("queue event %s for %s: %w", dead.EventID, l.id.Sink, err)
	}
	return l.ask(ctx, func(l *lane) { l.revive(s.Failed...) })
}

// had is what a lane's status says when it has had deliveries of the event.
const had = journal.Delivered | journal.Dropped | journal.Excepted

// lacks tells whether the lane is past the event and had nothing to deliver then.
// What it has not settled on disk yet, it knows itself; so it is asked first.
func (l *lane) lacks(ctx context.Context, dead journal.Exception) (bool, error) {
	var passed bool
	var unstored journal.Status
	err := l.ask(ctx, func(l *lane) {
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
	status := statuses[l.id.Sink] & had
	if status != journal.Excepted || l.f.Program.dead == nil {
		return status == 0, nil
	}
	return l.onlyCopies(ctx, dead)
}

// onlyCopies tells whether all exceptions of the event are of what was handed on.
func (l *lane) onlyCopies(ctx context.Context, dead journal.Exception) (bool, error) {
	all, err := l.o.Journal.Exceptions(ctx, journal.ExceptionQuery{Lane: &l.id, Bare: true})
	if err != nil {
		return false, fmt.Errorf("look up event %s: %w", dead.EventID, err)
	}
	return !slices.ContainsFunc(all, func(ex journal.Exception) bool {
		return ex.Source == dead.Source && ex.Position == dead.Position && !isCopy(ex.Path)
	}), nil
}

// leave notes which deliveries there have been of an event that its steps, changed
// meanwhile, let die before the others.
func (l *lane) leave(it *item) {
	l.out.State = append(l.out.State, component.Put{
		Key: l.leftKey(it.cursor.source, it.pos), Value: slices.Sorted(maps.Keys(it.done)),
	})
}

// left gives the child paths that leave has noted; nil: the event did not die so.
func (l *lane) left(ctx context.Context, dead journal.Exception) (paths []string, err error) {
	key := l.leftKey(dead.Source, dead.Position)
	err = l.ask(ctx, func(l *lane) { paths, _ = l.unstoredState(key).([]string) })
	if err != nil || paths != nil {
		return paths, err
	}
	noted, found, err := l.o.Journal.Get(ctx, l.id.Sink, key)
	if err == nil && found {
		err = json.Unmarshal(noted, &paths)
	}
	if err != nil {
		return nil, fmt.Errorf("look up what event %s had delivered: %w", dead.EventID, err)
	}
	return paths, nil
}

// leftKey is where leave notes, in the state of the lane's sink.
func (l *lane) leftKey(source string, p journal.Position) string {
	return fmt.Sprintf("left/%s/%s/%d", l.f.origin(), source, p)
}

// ask has do run by whoever is in charge of the lane: l, or another generation of it.
func (l *lane) ask(ctx context.Context, do func(*lane)) error { return l.f.r.ask(ctx, l.id, do) }

// late is a delivery that has not been tried yet, as an exception that is due.
func (l *lane) late(dead journal.Exception, e *component.Event, key string, parts *sharing) journal.Exception {
	ex := journal.Exception{
		Key:  journal.Key{Source: dead.Source, Position: dead.Position, Path: e.Path},
		Lane: l.id, EventID: dead.EventID, EventTime: dead.EventTime, OrderKey: key,
		Since: l.o.Now(), Next: l.o.Now(), Errors: dead.Errors,
	}
	l.seal(&ex, e, parts)
	return ex
}
