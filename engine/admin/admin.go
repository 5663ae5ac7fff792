// Package admin is how people and scripts look into a running daemon and act on
// it: a small HTTP API on a unix socket, and the client of it that the commands use.
//
// It knows the daemon only through the interface Daemon, and the shapes in
// status.go and dead.go are the JSON that `--json` prints.
package admin

import (
	"context"
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
}

// Errors that a Daemon answers with and the API has a status for.
var (
	ErrNotFound = errors.New("no such entry")
	ErrInUse    = errors.New("in use by the running configuration")
	ErrNoPlace  = errors.New("the running configuration has no place for it")
)
