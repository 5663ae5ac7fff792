package simulation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
)

// version is what may change of a plan from one start of the daemon to the next, or
// while it runs.
type version struct {
	gone   map[string]bool       // flows taken out of the configuration
	off    map[journal.Lane]bool // lanes taken out
	fixed  map[string]bool       // flows whose poison steps are repaired
	edited map[string]int        // how often flows and sinks were written anew
}

func newVersion() version {
	return version{gone: map[string]bool{}, off: map[journal.Lane]bool{}, fixed: map[string]bool{}, edited: map[string]int{}}
}

func (v version) clone() version {
	return version{maps.Clone(v.gone), maps.Clone(v.off), maps.Clone(v.fixed), maps.Clone(v.edited)}
}

// compiled is a flow that is ready to run, and what it was made of.
type compiled struct {
	text string
	spec flow.Spec
}

// text is all that v says of the flow.
func (p *plan) text(v version, f *flowPlan) string {
	text := fmt.Sprint(v.fixed[f.name], v.edited[f.name])
	for _, l := range p.lanes(f) {
		text += fmt.Sprint(v.off[l])
	}
	return text
}

// programs turns a version of the plan into what runs and what the journal keeps
// account of. A flow of which the same was said the last time stays what it is.
func (p *plan) programs(s seed, v version, last map[string]compiled) ([]flow.Spec, journal.Topology, error) {
	t := journal.Topology{Generation: 1}
	var specs []flow.Spec
	for _, f := range p.flows {
		if v.gone[f.name] {
			continue
		}
		c := compiled{text: p.text(v, f)}
		if c.spec = last[f.name].spec; c.text != last[f.name].text {
			var err error
			if c.spec, err = p.compile(s, v, f); err != nil {
				return nil, t, err
			}
		}
		last[f.name] = c
		spec := c.spec
		jf := journal.Flow{Name: f.name, Sources: f.sources, Oldest: f.oldest, Backlog: f.backlog}
		for _, a := range spec.Program.Sinks() {
			jf.Sinks = append(jf.Sinks, string(a))
		}
		specs, t.Flows = append(specs, spec), append(t.Flows, jf)
	}
	return specs, t, nil
}

func (p *plan) compile(s seed, v version, f *flowPlan) (flow.Spec, error) {
	b := builder{p: p, f: f, v: v, memo: map[string]expr.Expr{}}
	nodes := append([]flow.Node{flow.Apply{Name: "label", Step: &label{s: s, f: f, seen: map[int]bool{}}}}, b.body(f.body, nil)...)
	spec := flow.Spec{Name: f.name, Sources: f.sources, Program: flow.NewProgram(nodes), Concurrency: f.concurrency}
	edited := v.edited[f.name]
	if edited > 0 {
		spec.Concurrency = 1 + s.pick(maxConcurrency, "concurrency", f.index, edited)
	}
	switch {
	case f.orderBy:
		spec.OrderBy, spec.Hold = b.compile("body.k"), f.hold
	case f.fickle && edited%3 > 0:
		spec.OrderBy = b.compile([]string{"body.k", "body.v"}[edited%3-1])
	}
	return spec, b.err
}

// lanes are those that the flow has when nothing of it is taken out. What stands
// below a route whose cases all end is not reached.
func (p *plan) lanes(f *flowPlan) []journal.Lane {
	seen := map[journal.Lane]bool{}
	var out []journal.Lane
	var look func(*body) (below bool) // whether something goes on below the body
	look = func(b *body) bool {
		for _, st := range b.steps {
			below := st.kind != route
			for _, br := range st.cases {
				below = look(br.body) || below
			}
			if !below {
				return false
			}
		}
		for _, t := range b.to {
			if t.called != nil {
				look(t.called)
				continue
			}
			if l := f.lane(p.sinks[t.sink]); !seen[l] {
				seen[l] = true
				out = append(out, l)
			}
		}
		return b.to == nil
	}
	look(f.body)
	return out
}

// builder makes nodes of bodies.
type builder struct {
	p    *plan
	f    *flowPlan
	v    version
	memo map[string]expr.Expr
	err  error
}

func (b *builder) body(x *body, below []flow.Node) []flow.Node {
	rest := below
	if x.to != nil {
		rest = b.targets(x.to)
	}
	for i := len(x.steps) - 1; i >= 0; i-- {
		rest = b.step(x.steps[i], rest)
	}
	return rest
}

func (b *builder) step(st *step, rest []flow.Node) []flow.Node {
	var s component.Step
	switch st.kind {
	case filter:
		s = filterStep{st.match}
	case split:
		s = splitStep{}
	case poison:
		s = poisonStep{st.match, b.v.fixed[b.f.name]}
	case route:
		r := flow.Route{Name: "route", All: st.all}
		for _, br := range st.cases {
			c := flow.Case{Name: br.name, Nodes: b.body(br.body, rest)}
			if !br.otherwise {
				c.When = b.condition(br.match, "==")
			}
			r.Cases = append(r.Cases, c)
		}
		return []flow.Node{r}
	}
	return append([]flow.Node{flow.Apply{Name: fmt.Sprintf("step%d", st.kind), Step: s}}, rest...)
}

func (b *builder) targets(to []target) []flow.Node {
	var nodes []flow.Node
	for _, t := range to {
		if t.called != nil {
			nodes = append(nodes, flow.Call{Flow: t.name, Nodes: b.body(t.called, nil)})
			continue
		}
		sink := b.p.sinks[t.sink]
		if b.v.off[b.f.lane(sink)] {
			continue
		}
		send := flow.Send{Sink: component.Address(sink.address)}
		if sink.when.mod != 0 {
			send.When = b.condition(sink.when, "!=")
		}
		nodes = append(nodes, send)
	}
	return nodes
}

func (b *builder) condition(m match, op string) expr.Expr {
	return b.compile(fmt.Sprintf("body.v %% %d %s %d", m.mod, op, m.rest))
}

func (b *builder) compile(text string) expr.Expr {
	if e, ok := b.memo[text]; ok {
		return e
	}
	e, err := expr.Compile(expr.Source{Text: text}, &expr.Scope{Names: []string{"body", "meta", "vars", "event", "parent"}})
	if err != nil && b.err == nil {
		b.err = err
	}
	b.memo[text] = e
	return e
}

// label is the first step of every flow. It lets sinks know which flow a delivery
// comes from, and the first time takes a time of its own for each event, so that
// flows that share a source never ask for a sink at the same moment. Later it takes
// none: whether a lane must run the steps again or finds their outcome in memory
// makes no difference.
type label struct {
	s seed
	f *flowPlan

	mu   sync.Mutex
	seen map[int]bool
}

func (l *label) first(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.seen[n]
	l.seen[n] = true
	return !seen
}

func (l *label) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	if n := serial(e); l.first(n) {
		sleep(l.s.between(100, 100_000, "step", l.f.index, n))
	}
	return []*component.Event{e.WithVar("flow", int64(l.f.index))}, nil
}

type filterStep struct{ match match }

func (s filterStep) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	if s.match.takes(value(e)) {
		return nil, nil
	}
	return []*component.Event{e}, nil
}

type splitStep struct{}

func (splitStep) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	parent := e.Body.(map[string]any)
	var out []*component.Event
	for i := range value(e) % 4 {
		c := element{value: value(e)}.child(i)
		out = append(out, e.Child(i, map[string]any{"n": parent["n"], "k": parent["k"], "v": int64(c.value)}))
	}
	return out, nil
}

type poisonStep struct {
	match match
	fixed bool
}

func (s poisonStep) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	switch {
	case s.fixed || !s.match.takes(value(e)):
		return []*component.Event{e}, nil
	case value(e)%2 == 0:
		panic("poison")
	}
	return nil, errors.New("poison")
}

// serial is the number of an event, by which fakes and model know it.
func serial(e *component.Event) int { return field(e, "n") }

// value is what steps decide by.
func value(e *component.Event) int { return field(e, "v") }

func field(e *component.Event, name string) int {
	return int(e.Body.(map[string]any)[name].(int64))
}
