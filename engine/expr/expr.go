// Package expr compiles and runs what a configuration computes for every
// event: expressions (expr-lang) and templates with {{ holes }}.
//
// Both are compiled once, at load, with the place of every character known, and
// run under a budget of steps and bytes that an event cannot escape.
//
// The language is expr-lang's, read by its parser. What runs is a tree of nodes
// of our own, since the library's machine can be made to allocate without bound,
// wraps what overflows and cannot tell where nil came from. A test holds the two
// to the same results. Where they differ, it is meant: a member of nil is nil;
// whole numbers are int64, exact or an error, also in powers, and round, ceil and
// floor leave them as they are; len, indexOf and slices of a text count
// characters; keys, values and pairs are sorted; groupBy makes an object, with
// keys of text; toJSON writes one line; join takes numbers too; now() is the time
// of the event. Times and durations also have methods such as Year() and Hours().
package expr

import "time"

// Input is what one evaluation sees. Values are nil, bool, int64, float64,
// json.Number (a whole number beyond 64 bits), string, time.Time, []any and
// map[string]any; Body alone may also be a *row.Row, which no result ever holds. An
// evaluation never changes its input, and results may share structure with it: every
// value is read-only for whoever gets it.
type Input struct {
	Body   any
	Meta   map[string]any
	Kept   Meta // where Meta is nil: what gives it if the expression looks at it
	Event  Event
	Vars   map[string]any
	Parent any
	// Record, Response and Cursor exist only for attributes whose Scope names them.
	Record, Response, Cursor any
	// Seed tells apart the evaluations that uuid() must tell apart: event id and
	// child path. The same seed yields the same uuids.
	Seed string
}

// Meta is an event's meta in the form in which it is kept. It is decoded once, when
// something asks for it. It is safe for concurrent use.
type Meta interface {
	Meta() (map[string]any, error)
}

// Event is what expressions see as event.id, event.source, event.time and event.key.
type Event struct {
	ID, Source, Key string
	Time            time.Time
}

func (e *Event) object() map[string]any {
	return map[string]any{"id": e.ID, "source": e.Source, "key": e.Key, "time": e.Time}
}

// Position is a place in a file; Line and Column count from 1, columns in characters.
type Position struct {
	File         string
	Line, Column int
}

// Source is the text of an expression or template and where it stands.
type Source struct {
	Text string
	// Place names the attribute in a way that outlives edits elsewhere in the file:
	// "flow.orders/map[0].order_id". It tells apart the uuid() of two attributes;
	// without it, the position in the file does.
	Place string
	// Locate tells where the byte at offset stands; offset may equal len(Text).
	// nil: positions are relative to Text itself.
	Locate func(offset int) Position
	// Secrets are the parts of Text that must not show.
	Secrets []string
}
