package transforms

import (
	"context"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Map builds a new body field by field.
var Map = component.StepKind("map", "Builds the new body from fields; each is an expression, or an object of such.",
	func() *MapConfig { return &MapConfig{} },
	func(_ component.Env, c *MapConfig) (component.Step, error) { return &body{c.Fields}, nil })

// MapConfig is a map's block: every attribute is a field of the new body.
type MapConfig struct {
	Fields expr.Expr `hcl:",fields" doc:"The fields of the new body, in the order of a CSV file's columns." example:"email = \"lower(body.email)\""`
}

// Validate refuses a map without a field, which would empty every body.
func (c *MapConfig) Validate(p *component.Problems) {
	if len(c.Fields.Fields()) == 0 {
		p.Error("", "a map without fields", "Give at least one field: total = \"body.total\".")
	}
}

// Replace makes a value the body.
var Replace = component.StepKind("replace", "Makes the value of one expression the new body.",
	func() *ReplaceConfig { return &ReplaceConfig{} },
	func(_ component.Env, c *ReplaceConfig) (component.Step, error) { return &body{c.Body}, nil })

// ReplaceConfig is a replace's block.
type ReplaceConfig struct {
	Body expr.Expr `hcl:"body,required" doc:"What the body becomes." example:"\"body.order\""`
}

// body is a step whose expression is the new body.
type body struct{ value expr.Expr }

var (
	_ component.Fielder = (*body)(nil)
	_ component.Shaped  = (*body)(nil)
)

// TakesRows says that only the expression looks at the event.
func (s *body) TakesRows() {}

// Fields are the new body's, in the order written; nil where only the event tells.
func (s *body) Fields() []string { return s.value.Fields() }

// Apply gives the event with its new body.
func (s *body) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	v, err := s.value.Body(e.Input())
	if err != nil {
		return nil, err
	}
	return e.Becomes(v), nil
}
