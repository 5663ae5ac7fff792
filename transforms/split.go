package transforms

import (
	"context"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Split makes events of the elements of a list.
var Split = component.StepKind("split", "Makes one event of each element of a list; what was split is their parent.",
	func() *SplitConfig { return &SplitConfig{} },
	func(_ component.Env, c *SplitConfig) (component.Step, error) { return &split{c.Each}, nil })

// SplitConfig is a split's block.
type SplitConfig struct {
	Each expr.Expr `hcl:"each,required" yields:"list" doc:"The list whose elements become events." example:"\"body.items\""`
}

type split struct{ each expr.Expr }

// Apply gives a child for each element, none for an empty list. What is no list,
// nil included, is an error.
func (s *split) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	list, err := s.each.List(e.Input())
	if err != nil {
		return nil, err
	}
	children := make([]*component.Event, len(list))
	for i, v := range list {
		children[i] = e.Child(i, v)
	}
	return children, nil
}
