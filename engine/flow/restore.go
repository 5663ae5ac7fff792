package flow

import (
	"bytes"
	"fmt"
	"sync/atomic"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/row"
)

// largeBody is how large a body must be to be let go of once a step has made another of
// it: meta, which goes on, is then no part of what the body is in.
const largeBody = 64 << 10

// stored is an event as the journal keeps it, with what it needs in one piece of memory.
type stored struct {
	component.Event
	row  row.Row
	meta storedMeta
}

// restore makes an event of what the journal keeps of it.
func restore(source string, rec *journal.Record) (*component.Event, error) {
	return new(stored).restore(source, rec.ID.String(), rec, new(lastShape))
}

// restore makes e the event with that id. Records of one shape share that: it is
// looked for in last, and noted there.
func (e *stored) restore(source, id string, rec *journal.Record, last *lastShape) (*component.Event, error) {
	e.Event = component.Event{ID: id, Source: source, Time: rec.Time, Key: rec.Key}
	p := &rec.Payload
	switch {
	case format.Of(p.ContentType) == format.Multipart && p.Names == nil:
		e.Kept = &storedMeta{text: rec.Meta, form: p}
	case rec.Meta == nil:
	case len(p.Raw) > largeBody:
		e.Kept = &storedMeta{text: bytes.Clone(rec.Meta)}
	default:
		e.meta.text = rec.Meta
		e.Kept = &e.meta
	}
	if p.Names != nil {
		e.row = row.Row{Shape: last.of(p.Names), Values: p.Values}
		e.Body = &e.row
		return &e.Event, nil
	}
	var err error
	if e.Body, err = format.Decode(p.ContentType, p.Raw); err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	return &e.Event, nil
}

// storedMeta is decoded when somebody asks for it.
type storedMeta struct {
	text    []byte           // a JSON object, or nil
	form    *journal.Payload // whose files are meta.attachments; nil: there are none
	decoded atomic.Pointer[decodedMeta]
}

type decodedMeta struct {
	value map[string]any
	err   error
}

// Meta implements expr.Meta.
func (m *storedMeta) Meta() (map[string]any, error) {
	if m.decoded.Load() == nil {
		d := &decodedMeta{}
		d.value, d.err = m.decode()
		m.decoded.CompareAndSwap(nil, d)
	}
	d := m.decoded.Load()
	return d.value, d.err
}

func (m *storedMeta) decode() (map[string]any, error) {
	meta := map[string]any{}
	if m.text != nil {
		v, err := format.DecodeJSON(m.text)
		if err != nil {
			return nil, err
		}
		meta, _ = v.(map[string]any)
	}
	if m.form != nil {
		_, files, err := format.DecodeMultipart(m.form.ContentType, m.form.Raw)
		if err != nil {
			return nil, err
		}
		meta["attachments"] = files
	}
	return meta, nil
}

// lastShape is the shape of the last record that had one.
type lastShape struct{ atomic.Pointer[row.Shape] }

func (l *lastShape) of(names []string) *row.Shape {
	s := l.Load()
	if s == nil || !s.Is(names) {
		s = row.NewShape(names)
		l.Store(s)
	}
	return s
}
