package flow

import (
	"encoding/json"
	"fmt"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/journal"
)

// An envelope is an exception's event as it was to be sent, or for a dead letter
// of a step as it came in: a JSON object of its parts. Id, time and position
// stand in the exception itself.

func seal(e *component.Event) ([]byte, error) {
	e, err := e.Whole()
	if err != nil {
		return nil, err
	}
	parts := map[string]any{"body": e.Body}
	if len(e.Meta) > 0 {
		parts["meta"] = e.Meta
	}
	if len(e.Vars) > 0 {
		parts["vars"] = e.Vars
	}
	if e.Parent != nil {
		parts["parent"] = e.Parent
	}
	if e.Key != "" {
		parts["key"] = e.Key
	}
	b, err := format.AppendJSON(nil, parts)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return b, nil
}

// open is the reverse of seal.
func open(ex *journal.Exception) (*component.Event, error) {
	v, err := format.DecodeJSON(ex.Envelope)
	if err != nil {
		return nil, fmt.Errorf("decode event %s: %w", ex.EventID, err)
	}
	parts, _ := v.(map[string]any)
	e := &component.Event{
		ID: ex.EventID, Source: ex.Source, Time: ex.EventTime, Path: ex.Path,
		Body: parts["body"], Parent: parts["parent"],
	}
	e.Meta, _ = parts["meta"].(map[string]any)
	e.Vars, _ = parts["vars"].(map[string]any)
	e.Key, _ = parts["key"].(string)
	return e, nil
}

// Show gives body and meta of an envelope as JSON, for people to look at.
func Show(envelope []byte) (body, meta json.RawMessage, err error) {
	var parts struct{ Body, Meta json.RawMessage }
	if err := json.Unmarshal(envelope, &parts); err != nil {
		return nil, nil, fmt.Errorf("decode envelope: %w", err)
	}
	return parts.Body, parts.Meta, nil
}
