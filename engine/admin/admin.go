// Package admin is how people and scripts look into a running daemon and act on
// it: a small HTTP API on a unix socket, and the client of it that the commands use.
//
// It knows the daemon only through the interface Daemon, and the shapes in
// status.go and dead.go are the JSON that `--json` prints.
package admin

import (
	"context"
	"encoding/json"
	"errors"
)

// Daemon is what the API needs of the running whole. All methods are safe for
// concurrent use. Flows and sinks are named by address: "flow.orders", "sink.http.erp".
type Daemon interface {
	// Status tells how everything stands, at one moment.
	Status(ctx context.Context) (Status, error)

	// Dead lists dead letters in the order of their ids: those that f selects, of an
	// id greater than after, at most limit. Payload, Meta and History may be left out.
	Dead(ctx context.Context, f Filter, after int64, limit int) ([]DeadLetter, error)

	// DeadLetter gives one dead letter, whole. Errors: ErrNotFound.
	DeadLetter(ctx context.Context, id int64) (DeadLetter, error)

	// Retry gives a dead letter another attempt at once. Errors: ErrNotFound, and
	// ErrNoPlace when what it belongs to does not run.
	Retry(ctx context.Context, id int64) error

	// Drop gives a dead letter up, on record. Errors: ErrNotFound.
	Drop(ctx context.Context, id int64) error

	// DropLane gives up, on record, all that waits on a lane that no running flow
	// has, and forgets the lane. Errors: ErrNotFound, ErrInUse.
	DropLane(ctx context.Context, flow, sink string) error

	// Trigger has a source run now, beside its schedule. Errors: ErrNotFound, ErrNoPlace.
	Trigger(ctx context.Context, source string) error

	// Checkpoints tells, for each source that keeps how far it has come, what that is.
	Checkpoints(ctx context.Context) ([]Checkpoint, error)

	// Kept lists what a source keeps, in the order of the keys: those that begin with
	// prefix, behind after, at most limit. Errors: ErrNotFound.
	Kept(ctx context.Context, source, prefix, after string, limit int) ([]Kept, error)

	// SetCheckpoint has a source go on from value or, with a key, changes the value that
	// it keeps there. Errors: ErrNotFound, ErrNoPlace, ErrUnfit, ErrStopping.
	SetCheckpoint(ctx context.Context, source, key string, value json.RawMessage) error

	// ResetCheckpoint has a source begin anew or, with a key, forget the value that it
	// keeps there. Errors: ErrNotFound, ErrNoPlace, ErrStopping.
	ResetCheckpoint(ctx context.Context, source, key string) error

	// Reload reads the configuration again and takes it over; the outcome says what
	// became of it. Errors: ErrStopping.
	Reload(ctx context.Context, o ReloadOptions) (Reload, error)

	// Keep confirms a reload that waits for it. Errors: ErrNothingToKeep, ErrStopping.
	Keep(ctx context.Context) error

	// Plan tells what a reload of the configuration at path ("": its own) would do.
	Plan(ctx context.Context, path string) (Plan, error)

	// Generations lists the configurations that ran, the newest first.
	Generations(ctx context.Context) ([]Generation, error)

	// Generation gives one of them with its files: 0 is the one that runs, -1 the one
	// before it. Errors: ErrNotFound.
	Generation(ctx context.Context, number int64) (Generation, error)

	// Rollback makes an earlier one run again; 0: the one before the one that runs.
	// Errors: ErrNotFound, ErrLacksSecrets, ErrStopping.
	Rollback(ctx context.Context, number int64) (Reload, error)
}

// Errors that a Daemon answers with and the API has a status for.
var (
	ErrNotFound = errors.New("no such entry")
	ErrInUse    = errors.New("in use by the running configuration")
	ErrNoPlace  = errors.New("the running configuration has no place for it")
	ErrStopping = errors.New("the daemon is stopping")
	ErrUnfit    = errors.New("the value does not fit")

	ErrNothingToKeep = errors.New("no reload waits to be kept")
	ErrLacksSecrets  = errors.New("secrets of that configuration are not kept")
)
