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
	"github.com/syncd/syncd/engine/spelling"
)

// decoding fills the configuration of one component or step from its block, by
// the tags of its fields.
type decoding struct {
	l        *loader
	file     *file
	context  string                  // "in flow \"orders\", filter"
	names    []string                // that expressions see
	records  bool                    // the component's events are records
	common   *component.SourceCommon // of a source
	around   []enclosing             // the blocks around this one, outermost first
	own      enclosing               // the one that is this decoding's first
	sections []section
	refs     []reference
	open     []string // attributes whose value is not known or not valid, by path
	holes    []hole
	failed   bool
}

// hole is a {{ in an attribute where it opens none.
type hole struct {
	field *field
	at    spot
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
	own := enclosing{b, t, others}
	if d.own.block == nil {
		d.own = own
	}
	meant := d.attributes(own, path)
	d.around = append(d.around, own)
	d.blocks(b, path, t, others)
	d.around = d.around[:len(d.around)-1]
	d.requireAll(b, path, t, meant)
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

// attributes fills the fields that are attributes. It gives the names that those
// it does not know were meant to be.
func (d *decoding) attributes(own enclosing, path string) (meant []string) {
	b, ts := own.block, own.takes
	var others []*hclsyntax.Attribute
	for _, attr := range inOrder(b.Body.Attributes) {
		f, v := lookup(ts, attr.Name)
		switch {
		case f == nil && attr.Name == "for_each":
			d.refuseForEach(b, attr, ts)
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
			return nil
		}
	}
	for _, attr := range others {
		meant = append(meant, d.unknownAttribute(own, attr))
	}
	return meant
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

// unknownAttribute reports an attribute that the block does not take, and gives the
// name that was probably meant.
func (d *decoding) unknownAttribute(own enclosing, attr *hclsyntax.Attribute) (meant string) {
	known := fieldNames(own.takes, attribute, block, choice)
	hint := d.foreignAttribute(own, attr)
	if hint == "" {
		hint = d.belongs(attr.Name, attribute, own)
	}
	if hint == "" {
		if meant = spelling.Nearest(attr.Name, known); meant != "" {
			hint = fmt.Sprintf("Did you mean %q?", meant)
		}
	}
	if hint == "" {
		hint = d.l.elsewhere(attr.Name, attribute, d.top().Type)
	}
	if hint == "" {
		hint = d.takes(own.block, known)
	}
	d.error(d.at(attr.NameRange), fmt.Sprintf("unknown attribute %q", attr.Name), hint)
	return meant
}

// top is the block of the top level that is being decoded.
func (d *decoding) top() *hclsyntax.Block {
	if len(d.around) > 0 {
		return d.around[0].block
	}
	return d.own.block
}

// takes lists what may stand in b.
func (d *decoding) takes(b *hclsyntax.Block, known []string) string {
	if len(known) == 0 {
		return fmt.Sprintf("%s takes no attributes.", blockName(b))
	}
	return fmt.Sprintf("%s takes %s.", blockName(b), some(known))
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
// One that was probably meant by an unknown name is not reported a second time.
func (d *decoding) requireAll(b *hclsyntax.Block, path string, ts []target, meant []string) {
	for _, t := range ts {
		for _, f := range t.spec.fields {
			if f.required && !given(b, f.name) {
				if !slices.Contains(meant, f.name) {
					d.missing(b, f)
				}
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
	detail := fmt.Sprintf("%s is required: %s", f.name, lowerFirst(f.doc))
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
