package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// globals are what every attribute may refer to by name: var, local and secret.
type globals struct {
	shared *hcl.EvalContext
	defs   map[string]map[string]*global // by root and name
	used   map[string]bool               // "var.site", by HCL or an expression
	plain  bool                          // while variables are read: none of them may be used
}

var globalRoots = []string{"local", "secret", "var"}

// global is one variable, local or secret.
type global struct {
	root, name string
	file       *file
	header     hcl.Range
	expr       hclsyntax.Expression // nil: the value is known from elsewhere
	value      cty.Value
	state      resolveState
}

type resolveState int

const (
	unresolved resolveState = iota
	resolving
	resolved
)

func (g *global) String() string { return g.root + "." + g.name }

// evaluate gives every variable, local and secret its value.
func (l *loader) evaluate() {
	l.globals = globals{shared: l.prepareFunctions(), defs: map[string]map[string]*global{}, used: map[string]bool{}}
	for _, root := range globalRoots {
		l.globals.defs[root] = map[string]*global{}
	}
	l.evaluateVariables()
	l.defineLocals()
	l.defineSecrets()
	for _, root := range []string{"local", "secret"} {
		for _, name := range keys(l.globals.defs[root]) {
			l.resolve(l.globals.defs[root][name], nil)
		}
	}
	l.checkSecrets()
	l.publish()
	l.checkVariables()
}

// publish makes all values known to the files' evaluation contexts.
func (l *loader) publish() {
	l.globals.shared.Variables = map[string]cty.Value{}
	for root, defs := range l.globals.defs {
		values := make(map[string]cty.Value, len(defs))
		for name, g := range defs {
			values[name] = g.value
		}
		l.globals.shared.Variables[root] = cty.ObjectVal(values)
	}
}

func (l *loader) defineLocals() {
	for i := range l.blocks["locals"] {
		d := &l.blocks["locals"][i]
		for _, b := range d.block.Body.Blocks {
			l.error(d.file.at(header(b)), fmt.Sprintf("unexpected block %q in locals", b.Type), fmt.Sprintf("locals holds values: %s = { … }.", b.Type))
		}
		for _, attr := range inOrder(d.block.Body.Attributes) {
			l.define(&global{root: "local", name: attr.Name, file: d.file, header: attr.NameRange, expr: attr.Expr})
		}
	}
}

func (l *loader) define(g *global) {
	if !nameRule.MatchString(g.name) {
		l.badName(g.file.at(g.header), g.name)
		return
	}
	if first, ok := l.globals.defs[g.root][g.name]; ok {
		l.error(g.file.at(g.header), fmt.Sprintf("%s is declared twice", g), fmt.Sprintf("The first one stands at %s.", first.file.place(first.header)))
		return
	}
	l.globals.defs[g.root][g.name] = g
}

func (l *loader) defineSecrets() {
	for i := range l.blocks["secret"] {
		d := &l.blocks["secret"][i]
		if l.index[d.address] != d {
			continue
		}
		g := &global{root: "secret", name: d.block.Labels[0], file: d.file, header: header(d.block)}
		g.value, g.state = cty.DynamicVal.Mark(sensitiveMark), resolved
		if attr := d.block.Body.Attributes["value"]; attr != nil {
			g.expr, g.state = attr.Expr, unresolved
		}
		l.define(g)
	}
}

// resolve evaluates g after what it refers to; path is how it was reached.
func (l *loader) resolve(g *global, path []string) {
	if g.state == resolved {
		return
	}
	path = append(path, g.String())
	if g.state == resolving {
		l.error(g.file.at(g.header), fmt.Sprintf("%s refers to itself", g), cyclePath(path)+".")
		g.value, g.state = cty.DynamicVal, resolved
		return
	}
	g.state = resolving
	ctx := g.file.eval.NewChild()
	ctx.Variables = map[string]cty.Value{}
	for root, values := range l.dependencies(g, path) {
		ctx.Variables[root] = cty.ObjectVal(values)
	}
	if g.state == resolved { // part of a cycle
		return
	}
	v, _ := l.valueIn(ctx, g.expr, spot{file: g.file, context: "in " + g.root + " " + g.name})
	if g.root == "secret" {
		v = v.Mark(sensitiveMark)
	}
	g.value, g.state = v, resolved
}

// dependencies are the values that g's expression names, by root.
func (l *loader) dependencies(g *global, path []string) map[string]map[string]cty.Value {
	values := map[string]map[string]cty.Value{"var": {}, "local": {}, "secret": {}}
	for _, t := range g.expr.Variables() {
		dep := l.globals.find(t)
		if dep == nil {
			continue
		}
		l.resolve(dep, path)
		values[dep.root][dep.name] = dep.value
	}
	return values
}

// find is the global that a traversal begins with, nil if there is none.
func (g *globals) find(t hcl.Traversal) *global {
	if len(t) < 2 {
		return nil
	}
	step, ok := t[1].(hcl.TraverseAttr)
	if !ok {
		return nil
	}
	return g.defs[t.RootName()][step.Name]
}

// cyclePath draws a path that comes back to where it once was: a → b → a.
func cyclePath(path []string) string {
	last := path[len(path)-1]
	for i, name := range path {
		if name == last {
			return strings.Join(path[i:], " → ")
		}
	}
	return last
}
