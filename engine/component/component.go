// Package component says what a source, a step, a sink and a connection must
// be. It is the one page that the author of a new kind reads.
//
// A kind is declared once, as a Kind value that its list (sources.go,
// transforms.go, sinks.go) names. Its configuration is a struct; see Kind for
// the tags from which decoding, diagnostics, redaction and reference come.
package component

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// Address is a component's type path: "source.webhook.orders", "flow.orders".
type Address string

// Env is what a component is given to live in.
type Env struct {
	Address Address
	Log     *slog.Logger // labelled with the address
	// Now is the clock for stored timestamps, UTC. Waiting uses package time.
	Now func() time.Time
	// State reads what this component stored with its batches or settlements.
	State State
	// Connection gives the shared connection that a Ref in the configuration names; see Connect.
	Connection func(Ref) (any, error)
	// InFlight is the daemon's budget in bytes for bodies being received.
	InFlight *semaphore.Weighted
}

// Connect gives the connection that ref names, as the type T that its kind makes.
func Connect[T any](env Env, ref Ref) (T, error) {
	c, err := env.Connection(ref)
	if err != nil {
		var none T
		return none, err
	}
	return c.(T), nil
}

// State reads keyed state of one component: what it committed as Put.
type State interface {
	// Get decodes the value stored under key (JSON) into v; false when there is none.
	Get(ctx context.Context, key string, v any) (bool, error)
}

// Put is keyed state to commit together with what caused it. A nil Value deletes.
type Put struct {
	Key     string
	Value   any       // encoded as JSON
	Expires time.Time // zero: never
}

// Source brings events in until ctx ends. An error means that it cannot go on:
// the engine logs it and runs the source again with backoff.
type Source interface {
	Run(ctx context.Context, in Intake) error
}

// Intake stores batches of one source. When Accept returns nil, the drafts and
// the state are on disk, in one transaction. Drafts and state are the intake's
// from the call on. The source's common attributes (id, key, redact) are applied here.
//
// Errors: a *LaterError says that the journal is full or the flows are too far
// behind and when to ask again; nothing was stored.
type Intake interface {
	Accept(ctx context.Context, b Batch) ([]Accepted, error)
	State
	// Refused counts n inputs that were turned away before becoming events.
	Refused(n int)
}

// Batch is what is committed together: events and the state that covers them.
type Batch struct {
	Drafts []Draft
	State  []Put
}

// Accepted tells what became of one draft. A duplicate (of the source's id
// attribute) carries the first event's ID and was not stored.
type Accepted struct {
	ID        string
	Duplicate bool
}

// Mounter is a source that listeners serve. Mount is called once before Run;
// routes answer from when the engine swaps them in until the source closes.
type Mounter interface {
	Mount(in Intake) (listener Ref, routes []Route)
}

// Route is one path of a listener; Path is a net/http pattern without method.
type Route struct {
	Methods []string
	Path    string
	Handler http.Handler
}

// Step turns one event into none, one or many. The event and all that it holds
// are read-only: a step that changes something returns a changed copy (see
// Event.With and Event.Child). Branching and waiting are the engine's constructs.
type Step interface {
	Apply(ctx context.Context, e *Event) ([]*Event, error)
}

// Sink delivers. Calls may run concurrently, as many as the concurrency of its
// lanes allows, each with one delivery, unless the sink is Ordered.
// ctx ends after the sink's timeout, or when the daemon aborts.
type Sink interface {
	Deliver(ctx context.Context, d []Delivery) Result
}

// Delivery is one event on its way to one sink.
type Delivery struct {
	// ID is the idempotency key: the same for every attempt of this delivery,
	// different for every other delivery.
	ID      string
	Event   *Event
	Attempt int // 1 for the first
}

// Result tells what became of a Deliver call.
type Result struct {
	// Errors holds one entry for each delivery, in order, nil where it was
	// delivered. A nil slice: all were delivered. See Permanent, RetryAfter and Unwell.
	Errors []error
	// State is committed with the settlement of these deliveries.
	State []Put
}

// AllFailed is the result of a call in which every one of n deliveries met err.
func AllFailed(n int, err error) Result {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return Result{Errors: errs}
}

// Ordered is a sink that takes MaxBatch deliveries at a time, in the order of their
// events, and all those of one event in one call, so that it may be a few more. The
// next call, from whatever lane, comes only after the
// settlement of the last one is on disk, its State included; when that
// settlement failed, Forget is called first: what the last call did is not on record.
type Ordered interface {
	Sink
	MaxBatch() int
	Forget()
}

// Settler is an Ordered sink that has work to do once what its last call returned
// is on disk, the publishing of a complete file, say. Settled is called after each
// settlement that committed, before the next call; a sink takes its next call as
// proof as well.
type Settler interface{ Settled() }

// FieldOrder is a sink that lays out an object's fields in an order. UseFields is
// called before the first Deliver when every flow that leads to the sink ends in a
// map of the same fields, with their names as written there.
type FieldOrder interface{ UseFields(names []string) }

// Closer is a component that holds something open.
type Closer interface{ Close() error }

// Fielder is a step that gives bodies their fields, in an order.
type Fielder interface{ Fields() []string }
