// Package component says what a source, a step, a sink and a connection must
// be. It is the one page that the author of a new kind reads.
//
// A kind is declared once, as a Kind value that its list (sources.go,
// transforms.go, sinks.go) names. Its configuration is a struct; see Kind for
// the tags from which decoding, diagnostics, redaction and reference come.
package component

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/semaphore"
)

// Env is what a component is given to live in.
type Env struct {
	Address Address
	Log     *slog.Logger // labelled with the address
	// Now is the clock for stored timestamps, UTC. Waiting uses package time.
	Now func() time.Time
	// State reads what this component stored with its batches or settlements.
	State State
	// Store keeps what a connection must remember by itself; nil for all but connections.
	Store Store
	// Connection gives the shared connection that a Ref in the configuration names; see Connect.
	Connection func(Ref) (any, error)
	// Remembers is how long, of a source, an id is remembered after it was seen; 0: its
	// events have none.
	Remembers time.Duration
	// InFlight is the daemon's budget in bytes for bodies being received.
	InFlight *semaphore.Weighted
	// Spool makes an empty file, on the disk of the journal, for what is too large to wait
	// in memory. It has no name, and is gone when it is closed or the daemon ends.
	Spool func() (*os.File, error)
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

// Store is the keyed state of one connection, which changes with nothing else: a token
// that its issuer has rotated, say. It outlives reloads, at which the connections of
// before and after may both be in use for a while.
type Store interface {
	State
	// Set has puts on disk when it returns nil, and nothing of them otherwise.
	Set(ctx context.Context, puts []Put) error
	// Lock waits until no other connection of this address, of whatever configuration,
	// is between Lock and unlock. Its error is that of ctx.
	Lock(ctx context.Context) (unlock func(), err error)
}

// Put is keyed state to commit together with what caused it. A nil Value deletes.
//
// Operators look at it by `syncd checkpoint`. Keys of a kind of which there may be
// many share what stands before a colon: "file:in/a.csv". What stands under
// "secret:…" is never shown.
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
	Silent bool // nobody looks at the answers: there are none
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

// Triggered is a source that can be told to run now, beside its schedule. Trigger
// returns when that is noted, not when the run is over; a run that is under way is
// not begun a second time, and the error says so.
type Triggered interface{ Trigger() error }

// Parser is a source that hands in records which it could not read. Parse reads one
// again, as the source is configured now, when its dead letter is retried: d has
// Raw, Names and RawMeta as they were handed in.
type Parser interface {
	Parse(d Draft) (Draft, error)
}

// Checkpointed is a source that can be told by hand where to go on from. Checkpoint
// makes of what an operator wrote, JSON, the state to keep; its error says what that
// must look like. It may be asked at any time, and changes nothing itself: Run is
// stopped for the change, and begins anew with it.
type Checkpointed interface {
	Checkpoint(value json.RawMessage) ([]Put, error)
}

// Reporter is a source that has more to tell than its counters. It is asked at any
// time, also while Run is not running.
type Reporter interface{ Report() Report }

// Report is how a source that works in runs stands.
type Report struct {
	Next  time.Time // when the next run begins; zero: none is planned, or one is under way
	Last  time.Time // when the last complete run began; zero: none yet
	Error string    // what the last run failed of, with request and place; "" after a complete one
	Note  string    // anything else worth a line: "page 12 of a run", "3 files wait to settle"
}

// Previewer is a source that can show what a first run would begin with. Preview asks
// for one page, of which it gives up to n records, and stores nothing; it needs no Run.
// With an error, what is known by then comes too.
type Previewer interface {
	Preview(ctx context.Context, n int) (*Preview, error)
}

// Preview is what a source that works in runs has asked for, and what has come.
type Preview struct {
	Request string // as it goes out, secrets masked
	Status  int    // of the answer
	Count   int64  // records in it
	Records []any  // the first of them, at most as many as were asked for
	Next    string // the request for the next page; "": there is none
	Cursor  any    // what the next run would begin from, were this page the last; nil: nothing
}

// Step turns one event into none, one or many. The event and all that it holds
// are read-only: a step that changes something returns a changed copy (see
// Event.With and Event.Child). Branching and waiting are the engine's constructs.
type Step interface {
	Apply(ctx context.Context, e *Event) ([]*Event, error)
}

// Shaped is a step or sink for which records of one shape need not be made objects:
// the Body of its events may be a *row.Row, and their Meta is to be had from Input or
// Whole alone. It saves time where many small records pass.
type Shaped interface{ TakesRows() }

// Sink delivers. Calls may run concurrently, as many as the concurrency of its
// lanes allows, each with one delivery, unless the sink is Ordered or a Batcher.
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
	// Batch is the idempotency key of all deliveries of this call together, for a
	// Batcher: whenever it is the same, they are the same, in the same order.
	Batch string
}

// Result tells what became of a Deliver call.
type Result struct {
	// Errors holds one entry for each delivery, in order, nil where it was
	// delivered. A nil slice: all were delivered. See Permanent, RetryAfter and Unwell.
	Errors []error
	// Batch is what the whole call of a Batcher failed of; Errors is not looked at then.
	// A permanent error splits the batch: its halves are tried, each under its own key,
	// until the deliveries at fault stand alone. Any other has the same batch come again.
	Batch error
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

// Pipelined is an Ordered sink that can take a call while the settlement of the last one,
// and no other, is on its way to disk. It is asked each time, between the two calls.
// Nothing of the second is settled before the first; when the first cannot be settled,
// Forget comes after both.
type Pipelined interface {
	Ordered
	Pipelines() bool
}

// Paced is a sink that shares something limited with others, the requests that a
// connection allows. Before each Deliver the engine calls Await, which returns nil when
// its turn has come: that time counts for no timeout and as no attempt. Done follows
// the Deliver. Await tries before it looks at ctx, and fails only when that has ended.
type Paced interface {
	Sink
	Await(ctx context.Context) error
	Done()
}

// Batcher is a sink that can take several deliveries in one call: rows of one
// statement, elements of one request. Which deliveries are in a batch is on disk before
// the first attempt, so that every attempt, after a crash too, has the same ones, in the
// same order, under the same Delivery.Batch. Deliveries of one order_by key are never in
// the same batch.
//
// What Deliver returns is of the whole batch, by Result.Batch, or, where the destination
// tells of each, by Result.Errors: those that are to be tried again are then another
// batch, with a key of its own.
type Batcher interface {
	Sink
	// Batching says how large a batch may become. It is asked once; nil: a call has one
	// delivery, and no Batch.
	Batching() *Batching
	// Group names what deliveries of one batch must have in common, a path and headers,
	// say: those of equal names may share one. An error is the event's own, and final.
	Group(e *Event) (string, error)
}

// Settler is an Ordered sink that has work to do once what its last call returned
// is on disk, the publishing of a complete file, say. Settled is called after each
// settlement that committed, before the next call, unless that has begun already (see
// Pipelined).
type Settler interface{ Settled() }

// FieldOrder is a sink that lays out an object's fields in an order. UseFields is
// called before the first Deliver when every flow that leads to the sink ends in a
// map of the same fields, with their names as written there.
type FieldOrder interface{ UseFields(names []string) }

// Closer is a component that holds something open.
type Closer interface{ Close() error }

// Fielder is a step that gives bodies their fields, in an order.
type Fielder interface{ Fields() []string }
