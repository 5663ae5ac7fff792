package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// Key is where a source's state keeps how its schedule stands.
const Key = "schedule"

// place is how a cron schedule stands: all that was due until then is done.
type place struct {
	Done     time.Time `json:"done"`
	Cron     string    `json:"cron"`
	Timezone string    `json:"timezone,omitempty"`
	Last     time.Time `json:"last,omitzero"` // when the last complete run began
}

// whole is t for people to read. Times of a schedule are whole seconds.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// covers is the state that says that all that was due until now is done.
func (r *Runner) covers(now time.Time) []component.Put {
	return []component.Put{{Key: Key, Value: place{Done: whole(now), Cron: r.o.Cron, Timezone: r.o.Timezone, Last: whole(now)}}}
}

// Since is the state that says by hand that all that was due until then is done.
func (r *Runner) Since(until time.Time) component.Put {
	return component.Put{Key: Key, Value: place{Done: whole(until), Cron: r.o.Cron, Timezone: r.o.Timezone, Last: r.Report().Last}}
}

// begin finds out how the schedule stands.
func (r *Runner) begin(ctx context.Context, in component.Intake) error {
	r.mu.Lock()
	r.open = true
	r.mu.Unlock()
	var p place
	found, err := in.Get(ctx, Key, &p)
	if err != nil {
		return fmt.Errorf("read schedule: %w", err)
	}
	r.pending = nil
	r.backoff.Reset()
	now := r.o.Now()
	if r.cron == nil {
		r.plan = newPace(r.o.Config, now)
		if found { // a cron of before
			return store(ctx, in, component.Put{Key: Key})
		}
		return nil
	}
	r.mu.Lock()
	r.report.Last = p.Last
	r.mu.Unlock()
	r.plan = &calendar{cron: r.cron, jitter: r.o.Jitter, delay: random(r.o.Jitter), base: now}
	if due := p.owes(now); !due.IsZero() {
		r.pending = &attempt{due: Due{Time: due, MadeUp: true}, at: time.Now().Add(random(r.o.Jitter))}
		return nil
	}
	if found && p.Cron == r.o.Cron && p.Timezone == r.o.Timezone && p.Done.Sub(now) <= turned {
		r.plan.begun(p.Done) // a clock that was put back a little runs nothing twice
		return nil
	}
	p.Done, p.Cron, p.Timezone = whole(now), r.o.Cron, r.o.Timezone
	return store(ctx, in, component.Put{Key: Key, Value: p})
}

// owes is when the last run was due that has been missed, by the schedule that was
// in force; zero if none was.
func (p *place) owes(now time.Time) time.Time {
	if p.Cron == "" || !p.Done.Before(now) {
		return time.Time{}
	}
	cron, err := Parse(p.Cron, p.Timezone)
	if err != nil { // it is from another version, or the machine lacks the zone by now
		return time.Time{}
	}
	return cron.latest(p.Done, now)
}

// store commits where a schedule begins, as soon as the journal takes it.
func store(ctx context.Context, in component.Intake, put component.Put) error {
	for {
		_, err := in.Accept(ctx, component.Batch{State: []component.Put{put}})
		later := (*component.LaterError)(nil)
		if !errors.As(err, &later) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(later.After):
		}
	}
}
