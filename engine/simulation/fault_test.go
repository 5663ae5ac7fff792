package simulation

import (
	"context"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// fault is a broken promise planted on purpose: what stands in place of a method
// of the journal or of a sink, and calls that as it likes. nil: the real one.
type fault struct {
	append    func(context.Context, journal.Journal, journal.Append) ([]component.Accepted, error)
	settle    func(context.Context, journal.Journal, journal.Settlement) error
	configure func(context.Context, journal.Journal, journal.Topology) ([]journal.Progress, error)
	stats     func(context.Context, journal.Journal) (journal.Stats, error)
	deliver   deliverFunc

	// Of reloads: a successor goes on where its predecessor stood when it was retired;
	// a sink does not mind the one that it replaces; that is closed at once.
	stale, apart, hasty bool
}

type deliverFunc func(context.Context, component.Sink, []component.Delivery) component.Result

func (f *fault) journal(j journal.Journal) journal.Journal {
	if f == nil {
		return j
	}
	return faultyJournal{j, f}
}

func (f *fault) sink(s component.Sink) component.Sink {
	if f == nil || f.deliver == nil {
		return s
	}
	if o, ok := s.(component.Ordered); ok {
		return faultyOrdered{o, f}
	}
	if b, ok := s.(component.Batcher); ok {
		return faultyBatcher{b, f}
	}
	return faultySink{s, f}
}

type faultyJournal struct {
	journal.Journal
	f *fault
}

func (j faultyJournal) Append(ctx context.Context, a journal.Append) ([]component.Accepted, error) {
	if j.f.append == nil {
		return j.Journal.Append(ctx, a)
	}
	return j.f.append(ctx, j.Journal, a)
}

func (j faultyJournal) Settle(ctx context.Context, s journal.Settlement) error {
	if j.f.settle == nil {
		return j.Journal.Settle(ctx, s)
	}
	return j.f.settle(ctx, j.Journal, s)
}

func (j faultyJournal) Configure(ctx context.Context, t journal.Topology) ([]journal.Progress, error) {
	if j.f.configure == nil {
		return j.Journal.Configure(ctx, t)
	}
	return j.f.configure(ctx, j.Journal, t)
}

func (j faultyJournal) Stats(ctx context.Context) (journal.Stats, error) {
	if j.f.stats == nil {
		return j.Journal.Stats(ctx)
	}
	return j.f.stats(ctx, j.Journal)
}

type faultySink struct {
	component.Sink
	f *fault
}

func (s faultySink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	return s.f.deliver(ctx, s.Sink, ds)
}

type faultyOrdered struct {
	component.Ordered
	f *fault
}

func (s faultyOrdered) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	return s.f.deliver(ctx, s.Ordered, ds)
}

type faultyBatcher struct {
	component.Batcher
	f *fault
}

func (s faultyBatcher) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	return s.f.deliver(ctx, s.Batcher, ds)
}
