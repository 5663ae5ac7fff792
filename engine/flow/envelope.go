package flow

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/row"
)

// An envelope is an exception's event as it was to be sent, or for a dead letter
// of a step as it came in: a JSON object of its parts. Id, time and position
// stand in the exception itself. What the children of a split have in common, parent
// and what is large in meta, is a part that their exceptions share.

// sharing seals and opens envelopes. It knows the shared part that it had last, since the
// children of an event come one after the other.
type sharing struct {
	part   *journal.Shared
	parent any
	meta   map[string]any
}

// seal puts the event into the exception.
func (s *sharing) seal(ex *journal.Exception, e *component.Event) error {
	e, err := e.Whole()
	if err != nil {
		return err
	}
	parts := map[string]any{"body": e.Body}
	meta := e.Meta
	if ex.Shared = nil; e.Parent != nil {
		var common map[string]any
		meta, common = divide(e.Meta)
		if ex.Shared, err = s.of(e.Parent, common); err != nil {
			return fmt.Errorf("encode parent of event %s: %w", e.ID, err)
		}
	}
	if len(meta) > 0 {
		parts["meta"] = meta
	}
	if len(e.Vars) > 0 {
		parts["vars"] = e.Vars
	}
	if e.Key != "" {
		parts["key"] = e.Key
	}
	if ex.Envelope, err = format.AppendJSON(nil, parts); err != nil {
		return fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return nil
}

// divide takes lists and objects of meta apart from what may differ from child to child.
func divide(meta map[string]any) (own, common map[string]any) {
	own, common = map[string]any{}, map[string]any{}
	for name, v := range meta {
		switch v.(type) {
		case map[string]any, []any:
			common[name] = v
		default:
			own[name] = v
		}
	}
	return own, common
}

// of is the shared part of these.
func (s *sharing) of(parent any, meta map[string]any) (*journal.Shared, error) {
	if s.part != nil && same(s.parent, parent) && maps.EqualFunc(s.meta, meta, same) {
		return s.part, nil
	}
	body, err := format.AppendJSON(nil, map[string]any{"parent": parent, "meta": meta})
	if err != nil {
		return nil, err
	}
	*s = sharing{&journal.Shared{Body: body}, parent, meta}
	return s.part, nil
}

// same tells of two values that they are one; it may not know it.
func same(a, b any) bool {
	switch a := a.(type) {
	case *row.Row:
		return a == b
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && reflect.ValueOf(a).UnsafePointer() == reflect.ValueOf(b).UnsafePointer()
	case []any:
		b, ok := b.([]any)
		return ok && len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
	}
	return false
}

// open is the reverse of seal.
func (s *sharing) open(ex *journal.Exception) (*component.Event, error) {
	v, err := format.DecodeJSON(ex.Envelope)
	if err != nil {
		return nil, fmt.Errorf("decode event %s: %w", ex.EventID, err)
	}
	parts, _ := v.(map[string]any)
	e := &component.Event{ID: ex.EventID, Source: ex.Source, Time: ex.EventTime, Path: ex.Path, Body: parts["body"]}
	e.Meta, _ = parts["meta"].(map[string]any)
	e.Vars, _ = parts["vars"].(map[string]any)
	e.Key, _ = parts["key"].(string)
	if ex.Shared == nil {
		return e, nil
	}
	if err := s.know(ex.Shared); err != nil {
		return nil, fmt.Errorf("decode parent of event %s: %w", ex.EventID, err)
	}
	if e.Parent = s.parent; e.Meta == nil {
		e.Meta = map[string]any{}
	}
	maps.Copy(e.Meta, s.meta)
	return e, nil
}

// know decodes a shared part.
func (s *sharing) know(part *journal.Shared) error {
	if s.part == part {
		return nil
	}
	v, err := format.DecodeJSON(part.Body)
	if err != nil {
		return err
	}
	parts, _ := v.(map[string]any)
	meta, _ := parts["meta"].(map[string]any)
	*s = sharing{part, parts["parent"], meta}
	return nil
}

// Show gives body and meta of an exception's event as JSON, for people to look at.
func Show(ex *journal.Exception) (body, meta json.RawMessage, err error) {
	var parts struct{ Body, Meta json.RawMessage }
	err = json.Unmarshal(ex.Envelope, &parts)
	if err == nil && ex.Shared != nil {
		var e *component.Event
		if e, err = new(sharing).open(ex); err == nil {
			parts.Meta, err = format.AppendJSON(nil, e.Meta)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("decode envelope: %w", err)
	}
	return parts.Body, parts.Meta, nil
}
