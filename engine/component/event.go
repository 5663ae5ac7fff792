package component

import (
	"maps"
	"strconv"
	"time"

	"github.com/syncd/syncd/engine/expr"
)

// Draft is an event as a source hands it in: Raw with its ContentType, decoded by
// whoever needs it; or, for records of one shape, the Values of its Names (nil,
// bool, int64, float64 or string); or a decoded Body.
type Draft struct {
	ContentType string // of Raw, as package format knows them
	Raw         []byte
	Names       []string
	Values      []any
	Body        any
	Meta        map[string]any
	RawMeta     []byte // Meta, already encoded as a JSON object: cheaper; Meta is nil then
}

// Event is an event on its way through a flow. It and all it holds are read-only.
type Event struct {
	ID     string // ours, unique, sortable by time
	Source string // address
	Time   time.Time
	Key    string
	Meta   map[string]any
	Body   any
	Vars   map[string]any
	Parent any    // after a split: the body that was split
	Path   string // child path: which way through splits and routes, "" at first
}

// Input is what expressions see of the event.
func (e *Event) Input() *expr.Input {
	return &expr.Input{
		Body: e.Body, Meta: e.Meta, Vars: e.Vars, Parent: e.Parent, Seed: e.ID + e.Path,
		Event: expr.Event{ID: e.ID, Source: e.Source, Key: e.Key, Time: e.Time},
	}
}

// With is the event with another body.
func (e *Event) With(body any) *Event {
	c := *e
	c.Body = body
	return &c
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
