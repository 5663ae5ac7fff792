package config

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// warnUnreferred tells what is declared and never named: mostly a leftover, or the
// sign that a name elsewhere is another one than was meant.
func (l *loader) warnUnreferred() {
	for _, root := range globalRoots {
		for _, name := range keys(l.globals.defs[root]) {
			if g := l.globals.defs[root][name]; !l.globals.used[g.String()] {
				l.warn(g.file.at(g.header), g.String()+" is not used", "Nothing refers to it: take it out, or is another name misspelt?")
			}
		}
	}
	for _, typ := range []string{"listener", "table", "transform"} {
		for i := range l.blocks[typ] {
			l.warnUnreferredBlock(&l.blocks[typ][i])
		}
	}
	for _, d := range l.components["connection"] {
		if d.stands() {
			l.warnUnreferredBlock(d)
		}
	}
}

func (l *loader) warnUnreferredBlock(d *declared) {
	if name := d.address.Base(); !l.referred[name] && !l.globals.used[string(name)] {
		l.warn(d.spot(), string(name)+" is not used", "Nothing refers to it: take it out, or is a reference to it missing?")
	}
}

// constantCondition notes a condition that is the same for every event, unless it
// is a switch made of var or local.
func (d *decoding) constantCondition(x expr.Expr, f *field, e hclsyntax.Expression) {
	v, known := x.Always()
	if _, isText := e.(*hclsyntax.TemplateExpr); !known || !isText || x.Uses("var") || x.Uses("local") {
		return
	}
	warning := constant{d.at(e.Range()), f.name + " is always true", "It is the same for every event: take it out, or make it depend on the event."}
	if v == false {
		warning.summary, warning.detail = f.name+" is always false", "It is the same for every event, so that none of them passes."
	}
	d.l.constants = append(d.l.constants, warning)
}

// constant is a condition that is the same for every event.
type constant struct {
	at              spot
	summary, detail string
}

// rememberer is a sink whose receiver knows a delivery again, for so long.
type rememberer interface{ Remembers() component.Memory }

// checkMemory warns of a sink that tries again after its receiver has forgotten.
func (d *decoding) checkMemory(c *Component) {
	r, ok := c.Config.(rememberer)
	if !ok || d.failed {
		return
	}
	if m := r.Remembers(); c.Sink.Retry.For > m.For {
		d.l.warn(d.find(section{c.Sink, "", d.own.block, d.context}, "retry.for"), "retry.for outlives the receiver's memory", m.Why)
	}
}
