package engine

import (
	"fmt"
	"slices"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
)

// generation numbers the configuration that runs.
const generation = 1

// programs makes the flows of the configuration ready to run, and the topology
// that the journal keeps account of.
func (e *engine) programs() ([]flow.Spec, journal.Topology, error) {
	b := builder{engine: e, flows: map[component.Address]*config.Flow{}}
	for _, f := range e.cfg.Flows {
		b.flows[f.Address] = f
	}
	var specs []flow.Spec
	topology := journal.Topology{Generation: generation}
	for _, f := range e.cfg.Flows {
		if !f.Enabled || len(f.From) == 0 {
			continue
		}
		nodes, err := b.body(f.Body, nil)
		if err != nil {
			return nil, topology, err
		}
		program := flow.NewProgram(nodes)
		from := addresses(f.From)
		specs = append(specs, flow.Spec{
			Name: string(f.Address), Sources: from, Program: program,
			OrderBy: f.OrderBy, Concurrency: f.Concurrency,
		})
		topology.Flows = append(topology.Flows, e.account(f, from, program))
	}
	e.orderFields(specs)
	return specs, topology, nil
}

func addresses(list []component.Address) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = string(a)
	}
	return out
}

// orderFields tells sinks that lay out fields the order of the last map before
// them, where all ways to the sink agree on it.
func (e *engine) orderFields(specs []flow.Spec) {
	orders := map[component.Address][][]string{}
	for _, s := range specs {
		s.Program.EachSend(func(sink component.Address, last component.Step) {
			var fields []string
			if f, ok := last.(component.Fielder); ok {
				fields = f.Fields()
			}
			orders[sink] = append(orders[sink], fields)
		})
	}
	for sink, all := range orders {
		user, ok := e.sinks[sink].Sink.(component.FieldOrder)
		same := func(fields []string) bool { return slices.Equal(fields, all[0]) }
		if ok && all[0] != nil && !slices.ContainsFunc(all, func(f []string) bool { return !same(f) }) {
			user.UseFields(all[0])
		}
	}
}

// account is what the journal must know of a flow.
func (e *engine) account(f *config.Flow, from []string, p *flow.Program) journal.Flow {
	jf := journal.Flow{
		Name: string(f.Address), Sources: from, Oldest: f.Start.Oldest,
		Backlog: int64(e.cfg.Daemon.Journal.Backlog),
	}
	if f.Start.Back > 0 {
		jf.Since = now().Add(-f.Start.Back)
	}
	for _, s := range p.Sinks() {
		jf.Sinks = append(jf.Sinks, string(s))
	}
	return jf
}

// builder turns configured bodies into nodes.
type builder struct {
	*engine
	flows map[component.Address]*config.Flow
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
			nodes = append(nodes, flow.Send{Sink: addr, When: sink.Common.When})
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
		nodes = append(nodes, flow.Call{Flow: string(addr), Nodes: inner})
	}
	return nodes, nil
}
