package transforms

import (
	"context"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Filter lets events on for which its condition is true.
var Filter = component.StepKind("filter", "Goes on only with events for which a condition is true.",
	func() *FilterConfig { return &FilterConfig{} },
	func(_ component.Env, c *FilterConfig) (component.Step, error) { return &filter{c.When}, nil })

// FilterConfig is a filter's block.
type FilterConfig struct {
	When expr.Expr `hcl:"when,required" yields:"bool" doc:"Events go on for which this is true." example:"\"body.total > 0\""`
}

type filter struct{ when expr.Expr }

var _ component.Shaped = (*filter)(nil)

// TakesRows says that only the expression looks at the event.
func (s *filter) TakesRows() {}

// Apply gives the event itself, or nothing.
func (s *filter) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	ok, err := s.when.Bool(e.Input())
	if err != nil || !ok {
		return nil, err
	}
	return one(e), nil
}
