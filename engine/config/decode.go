package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// decoding fills the configuration of one component or step from its block, by
// the tags of its fields.
type decoding struct {
	l        *loader
	file     *file
	context  string   // "in flow \"orders\", filter"
	names    []string // that expressions see
	sections []section
	refs     []reference
	open     []string // attributes whose value is not known or not valid, by path
	failed   bool
}

// section is a block that filled a struct: where Validate's problems belong.
type section struct {
	config  any    // pointer to the struct
	path    string // "verify[0].hmac"
	block   *hclsyntax.Block
	context string
}

// reference is what a Ref attribute names.
type reference struct {
	field   string
	address component.Address
	at      spot
}

func (l *loader) decoding(f *file, context string, names ...string) *decoding {
	return &decoding{l: l, file: f, context: context, names: names}
}

func (d *decoding) at(rng hcl.Range) spot {
	at := d.file.at(rng)
	at.context = d.context
	return at
}

func (d *decoding) error(at spot, summary, detail string) {
	d.failed = true
	d.l.error(at, summary, detail)
}

// block fills the configs, pointers to structs that share one block, from b.
func (d *decoding) block(b *hclsyntax.Block, path string, configs ...any) {
	d.fill(b, path, nil, configs...)
}

// fill is block with nested blocks of other types left to the caller, who names them.
func (d *decoding) fill(b *hclsyntax.Block, path string, others map[string]bool, configs ...any) {
	t := d.targets(configs)
	for _, config := range configs {
		d.sections = append(d.sections, section{config, path, b, d.context})
	}
	d.attributes(b, path, t)
	d.blocks(b, path, t, others)
	d.requireAll(b, path, t)
}

// target is a struct being filled.
type target struct {
	spec  *spec
	value reflect.Value
}

func (d *decoding) targets(configs []any) []target {
	ts := make([]target, len(configs))
	for i, config := range configs {
		v := reflect.ValueOf(config).Elem()
		ts[i] = target{d.l.specs.of(v.Type()), v}
	}
	return ts
}

func lookup(ts []target, name string) (*field, reflect.Value) {
	for _, t := range ts {
		if f := t.spec.byName[name]; f != nil {
			return f, t.value.FieldByIndex(f.index)
		}
	}
	return nil, reflect.Value{}
}

func fieldNames(ts []target, forms ...form) []string {
	var names []string
	for _, t := range ts {
		names = append(names, t.spec.names(forms...)...)
	}
	slices.Sort(names)
	return names
}

func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	list := make([]*hclsyntax.Attribute, 0, len(attrs))
	for _, attr := range attrs {
		list = append(list, attr)
	}
	slices.SortFunc(list, func(a, b *hclsyntax.Attribute) int {
		return cmp.Compare(a.SrcRange.Start.Byte, b.SrcRange.Start.Byte)
	})
	return list
}

func (d *decoding) attributes(b *hclsyntax.Block, path string, ts []target) {
	var others []*hclsyntax.Attribute
	for _, attr := range inOrder(b.Body.Attributes) {
		f, v := lookup(ts, attr.Name)
		switch {
		case f == nil:
			others = append(others, attr)
		case f.form != attribute:
			d.error(d.at(attr.NameRange), fmt.Sprintf("%s is a block", attr.Name), fmt.Sprintf("Write it without the equals sign: %s.", blockExample(f)))
		default:
			d.attempt(join(path, attr.Name), func() { d.value(v, f, attr.Expr, join(path, attr.Name)) })
		}
	}
	for _, t := range ts {
		if t.spec.rest != nil {
			t.value.FieldByIndex(t.spec.rest.index).Set(reflect.ValueOf(d.object(others, t.spec.rest)))
			return
		}
	}
	for _, attr := range others {
		d.unknownAttribute(b, attr, ts)
	}
}

// attempt does what fills the attribute at path, and remembers if it failed.
func (d *decoding) attempt(path string, fill func()) {
	before := d.failed
	d.failed = false
	fill()
	if d.failed {
		d.open = append(d.open, path)
	}
	d.failed = d.failed || before
}

func (d *decoding) unknownAttribute(b *hclsyntax.Block, attr *hclsyntax.Attribute, ts []target) {
	known := fieldNames(ts, attribute, block, choice)
	detail := fmt.Sprintf("%s takes no attributes.", blockName(b))
	if len(known) > 0 {
		detail = fmt.Sprintf("%s takes %s.", blockName(b), list(known))
	}
	d.error(d.at(attr.NameRange), fmt.Sprintf("unknown attribute %q", attr.Name), detail+line(suggest(attr.Name, known)))
}

// object makes one expression of all attributes that have no field of their own.
func (d *decoding) object(attrs []*hclsyntax.Attribute, f *field) expr.Expr {
	fields := make([]expr.Field, 0, len(attrs))
	for _, attr := range attrs {
		named := *f
		named.name = attr.Name
		fields = append(fields, expr.Field{Name: attr.Name, Value: d.expression(attr.Expr, &named)})
	}
	return expr.Object(fields)
}

// requireAll reports each attribute or block that must be there and is not.
func (d *decoding) requireAll(b *hclsyntax.Block, path string, ts []target) {
	for _, t := range ts {
		for _, f := range t.spec.fields {
			if f.required && !given(b, f.name) {
				d.missing(b, f)
				d.open = append(d.open, join(path, f.name))
			}
		}
	}
}

func (d *decoding) missing(b *hclsyntax.Block, f *field) {
	what, example := "attribute", ""
	switch {
	case f.form != attribute:
		what, example = "block", blockExample(f)
	case f.example != "":
		example = f.name + " = " + f.example
	}
	detail := fmt.Sprintf("%s needs it. %s", blockName(b), f.doc)
	if example != "" {
		detail += line("For example: " + example)
	}
	d.error(d.at(header(b)), fmt.Sprintf("missing %s %q", what, f.name), detail)
}

func given(b *hclsyntax.Block, name string) bool {
	if _, ok := b.Body.Attributes[name]; ok {
		return true
	}
	return slices.ContainsFunc(b.Body.Blocks, func(x *hclsyntax.Block) bool { return x.Type == name })
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
