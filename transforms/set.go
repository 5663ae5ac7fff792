package transforms

import (
	"context"
	"fmt"
	"maps"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Set changes some fields of the body.
var Set = component.StepKind("set", "Adds or replaces fields of the body; an object merges into the one that is there.",
	func() *SetConfig { return &SetConfig{} },
	func(_ component.Env, c *SetConfig) (component.Step, error) { return &set{c.Fields}, nil })

// SetConfig is a set's block: every attribute is a field to set.
type SetConfig struct {
	Fields expr.Expr `hcl:",fields" doc:"The fields to set, as of a map." example:"total = \"body.net + body.tax\""`
}

// Validate refuses a set without a field.
func (c *SetConfig) Validate(p *component.Problems) {
	if len(c.Fields.Fields()) == 0 {
		p.Error("", "a set without fields", "Give at least one field: total = \"body.net + body.tax\".")
	}
}

type set struct{ fields expr.Expr }

// Apply gives the event with the fields set. The body must be an object, or nil.
func (s *set) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	v, err := s.fields.Eval(e.Input())
	if err != nil {
		return nil, err
	}
	old, ok := e.Body.(map[string]any)
	if !ok && e.Body != nil {
		return nil, fmt.Errorf("set fields: the body is %s, not an object: use replace to make it one", describe(e.Body))
	}
	return one(e.With(merge(s.fields, old, v.(map[string]any)))), nil
}

// merge copies old along the paths that the configuration writes as objects,
// which tells an object that is to be merged from one that an expression yielded.
func merge(shape expr.Expr, old, changes map[string]any) map[string]any {
	out := make(map[string]any, len(old)+len(changes))
	maps.Copy(out, old)
	for name, v := range changes {
		part := shape.Field(name)
		if part.Fields() != nil {
			if inner, ok := out[name].(map[string]any); ok {
				v = merge(part, inner, v.(map[string]any))
			}
		}
		out[name] = v
	}
	return out
}

// describe names the kind of a body for a message.
func describe(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case string:
		return "text"
	case []any:
		return "a list"
	case bool:
		return "true or false"
	case map[string]any:
		return "an object"
	}
	return "a number"
}
