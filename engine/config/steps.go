package config

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// way is what the checks need to know of a run of steps and the graph does not say.
type way struct {
	to      []destination // of the run and of all cases in it
	applied []destination // transforms
	ends    bool          // every event ends in it: it has a to, or a route whose cases all end
}

// destination is where events go, with the place that says so.
type destination struct {
	address component.Address
	at      spot
}

// end takes the to of block b into account.
func (w *way) end(d *decoding, b *hclsyntax.Block, body *Body) {
	for _, ref := range d.refs {
		if ref.field == "to" {
			body.To = append(body.To, ref.address)
			w.to = append(w.to, destination{ref.address, ref.at})
		}
	}
	attr := b.Body.Attributes["to"]
	if attr != nil && w.ends {
		d.unreachable(attr.NameRange.Start.Byte, attr.NameRange.End.Byte)
	}
	w.ends = w.ends || len(body.To) > 0 || attr != nil && d.isOpen("to")
}

// deadLetter takes the flow to which dead letters go into account.
func (w *way) deadLetter(d *decoding) {
	for _, ref := range d.refs {
		if ref.field == "dead_letter" {
			w.to = append(w.to, destination{ref.address, ref.at})
		}
	}
}

func (d *decoding) unreachable(start, end int) {
	d.l.warn(spot{file: d.file, start: start, end: end, context: d.context}, "nothing gets here",
		"Every case of the route above ends in a to of its own, and an event that matches none goes no further.")
}

// stepTypes are the blocks that stand in a flow.
func (l *loader) stepTypes() map[string]bool {
	if l.steps == nil {
		l.steps = map[string]bool{"route": true, "apply": true}
		for name := range l.kinds[component.ClassStep] {
			l.steps[name] = true
		}
	}
	return l.steps
}

// steps decodes the steps in b, in the order written.
func (d *decoding) steps(b *hclsyntax.Block) (*Body, *way) {
	body, w := &Body{}, &way{}
	for _, sb := range b.Body.Blocks {
		if !d.l.stepTypes()[sb.Type] {
			continue
		}
		if w.ends {
			d.unreachable(header(sb).Start.Byte, header(sb).End.Byte)
		}
		if step, ok := d.step(sb, w); ok {
			body.Steps = append(body.Steps, step)
		}
	}
	return body, w
}

// inside is a decoding for a block within this one.
func (d *decoding) inside(b *hclsyntax.Block) *decoding {
	inner := *d
	inner.context += ", " + blockName(b)
	inner.around, inner.own = append(slices.Clone(d.around), d.own), enclosing{}
	inner.sections, inner.refs, inner.open, inner.failed = nil, nil, nil, false
	return &inner
}

func (d *decoding) step(b *hclsyntax.Block, w *way) (Step, bool) {
	step := Step{Type: b.Type, Place: d.file.place(b.TypeRange)}
	inner := d.inside(b)
	if kind, ok := d.l.kinds[component.ClassStep][b.Type]; ok {
		step.Kind, step.Config = kind, kind.NewConfig()
		if chooser := d.l.specs.of(reflect.TypeOf(step.Config).Elem()).own; chooser != nil {
			return step, inner.labelled(b, &step, chooser)
		}
	}
	if !d.stepLabel(b, &step) {
		return step, false
	}
	switch b.Type {
	case "route":
		inner.route(b, &step, w)
	case "apply":
		inner.apply(b, &step, w)
	default:
		inner.complete(b, &step)
	}
	return step, true
}

// labelled decodes a step whose label chooses what its block takes beside the rest.
func (d *decoding) labelled(b *hclsyntax.Block, step *Step, chooser *field) bool {
	chosen := d.chosen(b, reflect.ValueOf(step.Config).Elem().FieldByIndex(chooser.index))
	if chosen == nil {
		return false
	}
	step.Label = b.Labels[0]
	d.complete(b, step, chosen)
	return true
}

// complete decodes the block of a step that is a kind.
func (d *decoding) complete(b *hclsyntax.Block, step *Step, beside ...any) {
	d.block(b, "", append([]any{step.Config}, beside...)...)
	d.validate()
	d.claim(component.Address(step.Place))
}

// stepLabel reads the label that a step may carry.
func (d *decoding) stepLabel(b *hclsyntax.Block, step *Step) bool {
	switch {
	case len(b.Labels) > 1:
		d.error(d.at(b.LabelRanges[1]), fmt.Sprintf("%s takes one label at most", b.Type), fmt.Sprintf("It is a name for metrics and traces: %s %q { … }.", b.Type, b.Labels[0]))
		return false
	case len(b.Labels) == 1 && !nameRule.MatchString(b.Labels[0]):
		d.l.badName(d.at(b.LabelRanges[0]), b.Labels[0])
		return false
	case len(b.Labels) == 1:
		step.Label = b.Labels[0]
	}
	return true
}

type applyConfig struct {
	Transform component.Ref `hcl:"transform,required" ref:"transform" doc:"Whose steps run in place." example:"transform.clean"`
}

func (d *decoding) apply(b *hclsyntax.Block, step *Step, w *way) {
	var cfg applyConfig
	d.block(b, "", &cfg)
	if !cfg.Transform.IsSet() {
		return
	}
	step.Apply, _ = d.l.index[cfg.Transform.Address].result.(*Body)
	w.applied = append(w.applied, destination{cfg.Transform.Address, d.refs[0].at})
}

type routeConfig struct {
	Mode string `hcl:"mode" enum:"first|all" doc:"Whether an event takes the first case that matches, or all of them."`
}

func newRouteConfig() routeConfig { return routeConfig{Mode: "first"} }

type caseConfig struct {
	When expr.Expr       `hcl:"when,required" yields:"bool" doc:"Which events take this branch." example:"\"body.total > 100\""`
	To   []component.Ref `hcl:"to" ref:"sink|flow" doc:"Where the branch ends; without it, it goes on below the route."`
}

type otherwiseConfig struct {
	To []component.Ref `hcl:"to" ref:"sink|flow" doc:"Where the branch ends; without it, it goes on below the route."`
}

var branchTypes = map[string]bool{"case": true, "otherwise": true}

// route decodes the cases in b. The way ends here if every one of them does.
func (d *decoding) route(b *hclsyntax.Block, step *Step, w *way) {
	cfg := newRouteConfig()
	d.fill(b, "", branchTypes, &cfg)
	step.All = cfg.Mode == "all"
	seen := map[string]*hclsyntax.Block{}
	var otherwise *Case
	all := true
	for _, cb := range b.Body.Blocks {
		if !branchTypes[cb.Type] || !d.branchName(cb, seen) {
			continue
		}
		c, inner := d.branch(cb)
		all = all && inner.ends
		w.to = append(w.to, inner.to...)
		w.applied = append(w.applied, inner.applied...)
		if cb.Type == "otherwise" {
			otherwise = &c
			continue
		}
		step.Cases = append(step.Cases, c)
	}
	if len(step.Cases) == 0 {
		d.error(d.at(header(b)), "a route without cases", `A route has branches: case "vip" { when = "body.total > 100" … }.`)
	}
	if otherwise != nil {
		step.Cases = append(step.Cases, *otherwise)
	}
	w.ends = w.ends || all && len(step.Cases) > 0
}

// branchName checks the label of a case, and that there is one branch of a name.
func (d *decoding) branchName(b *hclsyntax.Block, seen map[string]*hclsyntax.Block) bool {
	want, name := []string{"name"}, "otherwise"
	if b.Type == "otherwise" {
		want = nil
	}
	if !d.l.labelsFit(d.file, b, want, d.context) {
		d.failed = true
		return false
	}
	if len(b.Labels) > 0 {
		name = b.Labels[0]
	}
	if first := seen[name]; first != nil {
		d.error(d.at(header(b)), fmt.Sprintf("%s is there twice", blockName(b)), fmt.Sprintf("The first one stands at %s.", d.file.place(first.TypeRange)))
		return false
	}
	seen[name] = b
	return true
}

func (d *decoding) branch(b *hclsyntax.Block) (Case, *way) {
	inner := d.inside(b)
	c := Case{Name: "otherwise"}
	if b.Type == "case" {
		var cfg caseConfig
		inner.fill(b, "", d.l.stepTypes(), &cfg)
		c.Name, c.When = b.Labels[0], cfg.When
	} else {
		inner.fill(b, "", d.l.stepTypes(), &otherwiseConfig{})
	}
	body, w := inner.steps(b)
	w.end(inner, b, body)
	c.Body = body
	return c, w
}
