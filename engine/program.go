package engine

import (
	"fmt"
	"slices"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
)

// makePrograms makes the flows of the configuration ready to run; those that stay
// keep the program that runs.
func (a *assembly) makePrograms() error {
	b := builder{assembly: a, flows: map[component.Address]*config.Flow{}, sinks: map[component.Address]*config.Component{}}
	for _, f := range a.graph.cfg.Flows {
		b.flows[f.Address] = f
	}
	for _, s := range a.graph.cfg.Sinks {
		b.sinks[s.Address] = s
	}
	for _, f := range a.graph.cfg.Flows {
		if !f.Enabled || len(f.From) == 0 {
			continue
		}
		if spec, ok := a.old.specs[f.Address]; ok && a.plan.Keeps(f.Address) {
			a.graph.specs[f.Address] = spec
			continue
		}
		nodes, err := b.body(f.Body, nil)
		if err != nil {
			return err
		}
		program := flow.NewProgram(nodes)
		if f.DeadLetter != "" {
			dead, err := b.targets([]component.Address{f.DeadLetter})
			if err != nil {
				return err
			}
			program = program.WithDeadLetters(dead)
		}
		a.graph.specs[f.Address] = flow.Spec{
			Name: string(f.Address), Origin: a.origins[string(f.Address)], Sources: addresses(f.From),
			Program: program, OrderBy: f.OrderBy, Hold: f.Hold, Concurrency: f.Concurrency,
		}
	}
	a.orderFields()
	return nil
}

func addresses(list []component.Address) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = string(a)
	}
	return out
}

// orderFields finds the order of the last map before each sink, where all ways to
// the sink agree on it.
func (a *assembly) orderFields() {
	orders := map[component.Address][][]string{}
	for _, s := range a.graph.list() {
		s.Program.EachSend(func(sink component.Address, last component.Step) {
			var fields []string
			if f, ok := last.(component.Fielder); ok {
				fields = f.Fields()
			}
			orders[sink] = append(orders[sink], fields)
		})
	}
	for sink, all := range orders {
		differs := func(fields []string) bool { return !slices.Equal(fields, all[0]) }
		if all[0] != nil && !slices.ContainsFunc(all, differs) {
			a.graph.fields[sink] = all[0]
		}
	}
}

// layout is what the journal keeps account of.
func (a *assembly) layout() journal.Topology {
	t := journal.Topology{Generation: a.graph.generation, Moved: moves(a.graph.cfg), Origins: a.origins}
	for _, f := range a.graph.cfg.Flows {
		if spec, ok := a.graph.specs[f.Address]; ok {
			t.Flows = append(t.Flows, a.account(f, spec))
		}
	}
	for _, c := range a.plan.Changes {
		if c.Reset {
			t.Reset = append(t.Reset, string(c.Address))
		}
	}
	return t
}

// account is what the journal must know of a flow.
func (a *assembly) account(f *config.Flow, spec flow.Spec) journal.Flow {
	jf := journal.Flow{
		Name: string(f.Address), Sources: spec.Sources, Oldest: f.Start.Oldest,
		Backlog: int64(a.graph.cfg.Daemon.Journal.Backlog),
	}
	if f.Start.Back > 0 {
		jf.Since = now().Add(-f.Start.Back)
	}
	for _, s := range spec.Program.Sinks() {
		jf.Sinks = append(jf.Sinks, string(s))
	}
	return jf
}

// builder turns configured bodies into nodes.
type builder struct {
	*assembly
	flows map[component.Address]*config.Flow
	sinks map[component.Address]*config.Component
}

// body makes nodes of a body. below is where an event goes on when the body does
// not say so itself.
func (b *builder) body(body *config.Body, below []flow.Node) ([]flow.Node, error) {
	rest := below
	if len(body.To) > 0 {
		var err error
		if rest, err = b.targets(body.To); err != nil {
			return nil, err
		}
	}
	for _, step := range slices.Backward(body.Steps) {
		var err error
		if rest, err = b.step(step, rest); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// step puts a step before rest.
func (b *builder) step(s config.Step, rest []flow.Node) ([]flow.Node, error) {
	switch {
	case s.Apply != nil:
		return b.body(s.Apply, rest)
	case s.Cases != nil:
		return b.route(s, rest)
	}
	opened, err := s.Kind.Open(b.env(component.Address(s.Place)), s.Config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Place, err)
	}
	node := flow.Apply{Name: stepName(s), Step: opened.(component.Step)}
	return append([]flow.Node{node}, rest...), nil
}

func stepName(s config.Step) string {
	if s.Label == "" {
		return s.Type
	}
	return s.Type + "." + s.Label
}

func (b *builder) route(s config.Step, rest []flow.Node) ([]flow.Node, error) {
	r := flow.Route{Name: stepName(s), All: s.All}
	for _, c := range s.Cases {
		nodes, err := b.body(c.Body, rest)
		if err != nil {
			return nil, err
		}
		r.Cases = append(r.Cases, flow.Case{Name: c.Name, When: c.When, Nodes: nodes})
	}
	return []flow.Node{r}, nil
}

// targets makes nodes of a `to`: sinks are sent to, flows run in place.
func (b *builder) targets(to []component.Address) ([]flow.Node, error) {
	var nodes []flow.Node
	for _, addr := range to {
		if sink := b.sinks[addr]; sink != nil {
			nodes = append(nodes, flow.Send{Sink: addr, When: sink.Sink.When})
			continue
		}
		called := b.flows[addr]
		if called == nil {
			return nil, fmt.Errorf("%s is neither a sink nor a flow", addr)
		}
		inner, err := b.body(called.Body, nil)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, flow.Call{Flow: string(addr), Origin: b.origins[string(addr)], Nodes: inner})
	}
	return nodes, nil
}
