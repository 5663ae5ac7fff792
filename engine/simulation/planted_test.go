package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// planted are faults that must be found, each made anew for each history.
var planted = []struct {
	name string
	make func() *fault
}{
	{"an append is answered before its commit", func() *fault { return &fault{append: earlyAnswer} }},
	{"the checkpoint is committed before its events", func() *fault { return &fault{append: checkpointFirst} }},
	{"the checkpoint is committed after its events", func() *fault { return &fault{append: checkpointLast} }},
	{"dedupe keys are not kept", func() *fault { return &fault{append: noDedupe} }},
	{"a settlement is reported before it is stored", func() *fault { return &fault{settle: earlySettle} }},
	{"failed deliveries are not stored", func() *fault { return &fault{settle: noFailed} }},
	{"ended exceptions are not stored", func() *fault { return &fault{settle: noResolved} }},
	{"which deliveries are a batch is not on record", func() *fault { return &fault{settle: noBatches} }},
	{"a sink's state is not stored with its settlement", func() *fault { return &fault{settle: noState} }},
	{"an outcome is stored for one event too many", func() *fault { return &fault{settle: oneTooMany} }},
	{"what is settled out of order is forgotten at a start", func() *fault { return &fault{configure: noBeyond} }},
	{"a counter is off by one", func() *fault { return &fault{stats: offByOne} }},
	{"a sink reports success before the effect", func() *fault { return &fault{deliver: earlySuccess} }},
	{"the idempotency key depends on the attempt", func() *fault { return &fault{deliver: keyByAttempt} }},
	{"the body depends on the attempt", func() *fault { return &fault{deliver: bodyByAttempt} }},
	{"a lane goes on where its predecessor stood, not where it has ended", func() *fault { return &fault{stale: true} }},
	{"two generations of a file are written at a time", func() *fault { return &fault{apart: true} }},
	{"a sink is closed before its last delivery has ended", func() *fault { return &fault{hasty: true} }},
	{"all sinks share a lock", func() *fault { return &fault{deliver: oneAtATime(make(chan struct{}, 1))} }},
}

// TestPlantedFaults proves that the search finds what it is there to find.
func TestPlantedFaults(t *testing.T) {
	const most = 1000
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for s := seed(1); s <= most; s++ {
				if _, err := run(t, s, p.make, false); err != nil {
					t.Logf("found by seed %d: %v", s, err)
					return
				}
			}
			t.Errorf("not found within %d seeds", most)
		})
	}
}

func earlyAnswer(ctx context.Context, j journal.Journal, a journal.Append) ([]component.Accepted, error) {
	var accepted []component.Accepted
	for _, r := range a.Records {
		accepted = append(accepted, component.Accepted{ID: r.ID.String()})
	}
	go func() {
		sleep(time.Millisecond)
		j.Append(ctx, a)
	}()
	return accepted, nil
}

func checkpointFirst(ctx context.Context, j journal.Journal, a journal.Append) ([]component.Accepted, error) {
	if _, err := j.Append(ctx, journal.Append{Source: a.Source, State: a.State}); err != nil {
		return nil, err
	}
	a.State = nil
	return j.Append(ctx, a)
}

func checkpointLast(ctx context.Context, j journal.Journal, a journal.Append) ([]component.Accepted, error) {
	state := a.State
	a.State = nil
	accepted, err := j.Append(ctx, a)
	if err == nil {
		_, err = j.Append(ctx, journal.Append{Source: a.Source, State: state})
	}
	return accepted, err
}

func noDedupe(ctx context.Context, j journal.Journal, a journal.Append) ([]component.Accepted, error) {
	for i := range a.Records {
		a.Records[i].Dedupe = ""
	}
	return j.Append(ctx, a)
}

func earlySettle(ctx context.Context, j journal.Journal, s journal.Settlement) error {
	s.Outcomes = slices.Clone(s.Outcomes) // whose memory serves again once this has returned
	go func() {
		sleep(10 * time.Millisecond)
		j.Settle(ctx, s)
	}()
	return nil
}

func noFailed(ctx context.Context, j journal.Journal, s journal.Settlement) error {
	s.Failed = nil
	return j.Settle(ctx, s)
}

func noResolved(ctx context.Context, j journal.Journal, s journal.Settlement) error {
	s.Resolved = nil
	return j.Settle(ctx, s)
}

func noState(ctx context.Context, j journal.Journal, s journal.Settlement) error {
	s.State = nil
	return j.Settle(ctx, s)
}

func noBatches(ctx context.Context, j journal.Journal, s journal.Settlement) error {
	s.State = slices.DeleteFunc(slices.Clone(s.State), func(p component.Put) bool { return strings.HasPrefix(p.Key, "batch/") })
	return j.Settle(ctx, s)
}

func oneTooMany(ctx context.Context, j journal.Journal, s journal.Settlement) error {
	if n := len(s.Outcomes); n > 0 && s.Lane.Sink != "" {
		next := s.Outcomes[n-1]
		next.Position++
		if frames, err := j.Read(ctx, next.Source, next.Position-1, 1); err == nil && len(frames) > 0 {
			s.Outcomes = append(s.Outcomes[:n:n], next)
		}
	}
	return j.Settle(ctx, s)
}

func noBeyond(ctx context.Context, j journal.Journal, t journal.Topology) ([]journal.Progress, error) {
	progress, err := j.Configure(ctx, t)
	for i := range progress {
		progress[i].Beyond = nil
	}
	return progress, err
}

func offByOne(ctx context.Context, j journal.Journal) (journal.Stats, error) {
	stats, err := j.Stats(ctx)
	for i := range stats.Flows {
		if f := &stats.Flows[i]; f.Dropped > 0 {
			f.Dropped--
			f.Delivered++
		}
	}
	return stats, err
}

func earlySuccess(ctx context.Context, s component.Sink, ds []component.Delivery) component.Result {
	if _, ordered := s.(component.Ordered); ordered {
		return s.Deliver(ctx, ds)
	}
	ds = slices.Clone(ds)
	go func() {
		sleep(time.Millisecond)
		s.Deliver(context.WithoutCancel(ctx), ds)
	}()
	return component.Result{}
}

func keyByAttempt(ctx context.Context, s component.Sink, ds []component.Delivery) component.Result {
	for i := range ds {
		ds[i].ID += fmt.Sprint(ds[i].Attempt)
	}
	return s.Deliver(ctx, ds)
}

func bodyByAttempt(ctx context.Context, s component.Sink, ds []component.Delivery) component.Result {
	for i := range ds {
		ds[i].Event = ds[i].Event.WithVar("attempt", int64(ds[i].Attempt))
	}
	return s.Deliver(ctx, ds)
}

func oneAtATime(lock chan struct{}) deliverFunc {
	return func(ctx context.Context, s component.Sink, ds []component.Delivery) component.Result {
		lock <- struct{}{}
		defer func() { <-lock }()
		return s.Deliver(ctx, ds)
	}
}
