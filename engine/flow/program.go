package flow

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Program is the steps of a flow, ready to run: nodes in order. A Route is the
// last of its list: what comes below it in the configuration is part of those
// cases that go on.
type Program struct {
	nodes []Node
	dead  []Node // for dead letters; nil: nobody is told of them
	sinks []component.Address
}

// Node is an element of a Program: Apply, Route, Send or Call.
type Node interface {
	run(x *pass, e *component.Event, rest []Node) error
}

// NewProgram makes a program of nodes.
func NewProgram(nodes []Node) *Program {
	return (&Program{nodes: nodes}).reach()
}

// WithDeadLetters is the program of a flow whose dead letters go through these nodes.
func (p *Program) WithDeadLetters(nodes []Node) *Program {
	return (&Program{nodes: p.nodes, dead: nodes}).reach()
}

// reach finds the sinks.
func (p *Program) reach() *Program {
	seen := map[component.Address]bool{}
	p.EachSend(func(a component.Address, _ component.Step) {
		if !seen[a] {
			seen[a] = true
			p.sinks = append(p.sinks, a)
		}
	})
	return p
}

// Sinks are all sinks that the program can reach.
func (p *Program) Sinks() []component.Address { return p.sinks }

// EachSend calls do for every way to a sink, with the last step on it that gives
// bodies their fields (a component.Fielder); nil where there is none.
func (p *Program) EachSend(do func(sink component.Address, last component.Step)) {
	eachSend(p.nodes, nil, do)
	eachSend(p.dead, nil, do)
}

func eachSend(nodes []Node, last component.Step, do func(component.Address, component.Step)) {
	for _, n := range nodes {
		switch n := n.(type) {
		case Apply:
			if _, ok := n.Step.(component.Fielder); ok {
				last = n.Step
			}
		case Send:
			do(n.Sink, last)
		case Route:
			for _, c := range n.Cases {
				eachSend(c.Nodes, last, do)
			}
		case Call:
			eachSend(n.Nodes, last, do)
		}
	}
}

// Apply is a step.
type Apply struct {
	Name string // label or type, for messages: "map.customer", "filter"
	Step component.Step
}

// Route sends an event down the first case that matches, or with All down every one.
type Route struct {
	Name  string
	Cases []Case
	All   bool
}

// Case is a branch of a route. When not set, it takes what no other took.
type Case struct {
	Name  string
	When  expr.Expr
	Nodes []Node
}

// Send puts the event on the lane to a sink, if the sink's when lets it.
type Send struct {
	Sink component.Address
	When expr.Expr
}

// Call runs another flow's nodes in place.
type Call struct {
	Flow   string // its name
	Origin string // the name that it had first, which is part of the child path; "": Flow
	Nodes  []Node
}

// StepError is an event's failure at a step.
type StepError struct {
	Step string
	Err  error
}

func (e *StepError) Error() string { return e.Step + ": " + e.Err.Error() }
func (e *StepError) Unwrap() error { return e.Err }

// output is a delivery that a pass produced.
type output struct {
	sink  component.Address
	event *component.Event
}

// maxOutputs bounds what one event may become.
const maxOutputs = 100_000

// pass is the way of events through a program, one after the other.
type pass struct {
	ctx   context.Context
	pulse *pulse
	outs  []output // of this event, and of those before it that there was room for
	first int      // of this event
}

// through gives the deliveries that e becomes, or a *StepError: then there are none.
func (x *pass) through(nodes []Node, e *component.Event) (outs []output, err error) {
	x.first = len(x.outs)
	if err := x.walk(nodes, e); err != nil {
		clear(x.outs[x.first:])
		x.outs = x.outs[:x.first]
		return nil, err
	}
	return x.outs[x.first:len(x.outs):len(x.outs)], nil
}

func (x *pass) walk(nodes []Node, e *component.Event) error {
	if len(nodes) == 0 {
		return nil
	}
	x.pulse.beat()
	return nodes[0].run(x, e, nodes[1:])
}

func (a Apply) run(x *pass, e *component.Event, rest []Node) error {
	outs, err := a.apply(x.ctx, e)
	if err != nil {
		return &StepError{a.Name, err}
	}
	for _, o := range outs {
		if err := x.walk(rest, o); err != nil {
			return err
		}
	}
	return nil
}

// apply turns a panic of the step into the event's error.
func (a Apply) apply(ctx context.Context, e *component.Event) (outs []*component.Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	if _, ok := a.Step.(component.Shaped); !ok {
		if e, err = e.Whole(); err != nil {
			return nil, err
		}
	}
	return a.Step.Apply(ctx, e)
}

// panicError is a component's panic, as the error of the event that met it.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func panicked(p any) error { return component.Permanent(&panicError{p, debug.Stack()}) }

func (r Route) run(x *pass, e *component.Event, _ []Node) error {
	taken := false
	for _, c := range r.Cases {
		ok, err := c.takes(e, taken)
		if err != nil {
			return &StepError{r.Name + " case " + c.Name, err}
		}
		if !ok {
			continue
		}
		taken = true
		if err := x.walk(c.Nodes, e.Via(c.Name)); err != nil {
			return err
		}
		if !r.All {
			return nil
		}
	}
	return nil
}

func (c Case) takes(e *component.Event, taken bool) (bool, error) {
	if !c.When.IsSet() {
		return !taken, nil
	}
	return c.When.Bool(e.Input())
}

func (s Send) run(x *pass, e *component.Event, rest []Node) error {
	ok := true
	if s.When.IsSet() {
		var err error
		if ok, err = s.When.Bool(e.Input()); err != nil {
			return &StepError{string(s.Sink) + " when", err}
		}
	}
	if ok {
		if len(x.outs)-x.first == maxOutputs {
			return &StepError{string(s.Sink), fmt.Errorf("one event became more than %d deliveries", maxOutputs)}
		}
		x.outs = append(x.outs, output{s.Sink, e})
	}
	return x.walk(rest, e)
}

func (c Call) run(x *pass, e *component.Event, rest []Node) error {
	if err := x.walk(c.Nodes, e.Via(cmp.Or(c.Origin, c.Flow))); err != nil {
		return err
	}
	return x.walk(rest, e)
}
