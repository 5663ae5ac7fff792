package component

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/row"
)

// Draft is an event as a source hands it in: Raw with its ContentType, decoded by
// whoever needs it, with its decoded Body if that is at hand; or, for records of one
// shape, the Values of its Names (nil, bool, int64, float64 or string); or a decoded
// Body alone.
type Draft struct {
	ContentType string // of Raw, as package format knows them
	Raw         []byte
	Names       []string
	Values      []any
	Body        any
	Meta        map[string]any
	RawMeta     []byte // Meta, already encoded as a JSON object: cheaper; Meta is nil then
	// Content is a digest of what it says: with one, an id that is known makes it a
	// duplicate only if that id's last event said the same.
	Content string
	// Fault is why the source could not read this record, whose text is Raw; Names are
	// those of its document, if it has any. It becomes a dead letter; see Parser.
	Fault error
}

// Placed is the Fault of a draft that can tell where the record stands without
// repeating anything of it: "a.csv: line 3".
type Placed interface {
	error
	Place() string
}

// Event is an event on its way through a flow. It and all it holds are read-only.
type Event struct {
	ID     string // ours, unique, sortable by time
	Source string // address
	Time   time.Time
	Key    string
	Meta   map[string]any
	Kept   expr.Meta // where nobody has asked for Meta yet, which is nil then; see Shaped
	Body   any
	Vars   map[string]any
	Parent any    // after a split: the body that was split
	Path   string // child path: which way through splits and routes, "" at first
}

// Input is what expressions see of the event.
func (e *Event) Input() *expr.Input {
	return &expr.Input{
		Body: e.Body, Meta: e.Meta, Kept: e.Kept, Vars: e.Vars, Parent: e.Parent, Seed: e.ID + e.Path,
		Event: expr.Event{ID: e.ID, Source: e.Source, Key: e.Key, Time: e.Time},
	}
}

// Whole is the event with Body and Meta as they are for everybody: no row, nothing
// that waits to be decoded. The error tells why meta cannot be read.
func (e *Event) Whole() (*Event, error) {
	r, isRow := e.Body.(*row.Row)
	if !isRow && e.Kept == nil {
		return e, nil
	}
	c := *e
	if isRow {
		c.Body = r.Map()
	}
	if e.Kept != nil {
		var err error
		if c.Meta, err = e.Kept.Meta(); err != nil {
			return nil, fmt.Errorf("read meta: %w", err)
		}
		c.Kept = nil
	}
	return &c, nil
}

// With is the event with another body.
func (e *Event) With(body any) *Event {
	c := *e
	c.Body = body
	return &c
}

// Becomes is the event with another body as all that a step makes of it.
func (e *Event) Becomes(body any) []*Event {
	var c struct { // one piece of memory
		Event
		list [1]*Event
	}
	c.Event, c.Body, c.list[0] = *e, body, &c.Event
	return c.list[:]
}

// Child is element n of a split: its body, its place in the child path, the
// split body as parent.
func (e *Event) Child(n int, body any) *Event {
	c := *e
	c.Body, c.Parent, c.Path = body, e.Body, e.Path+"/"+strconv.Itoa(n)
	return &c
}

// Via is the event on a branch: a route's case or a called flow.
func (e *Event) Via(branch string) *Event {
	c := *e
	c.Path += "/" + branch
	return &c
}

// WithVar is the event with one more entry in vars.
func (e *Event) WithVar(name string, v any) *Event {
	c := *e
	c.Vars = maps.Clone(e.Vars)
	if c.Vars == nil {
		c.Vars = map[string]any{}
	}
	c.Vars[name] = v
	return &c
}
