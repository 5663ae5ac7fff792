package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// defaulter is a nested struct that has defaults of its own.
type defaulter interface{ SetDefaults() }

func setDefaults(v reflect.Value) {
	if d, ok := v.Addr().Interface().(defaulter); ok {
		d.SetDefaults()
	}
}

// blocks fills the fields that are nested blocks.
func (d *decoding) blocks(b *hclsyntax.Block, path string, ts []target, others map[string]bool) {
	for _, t := range ts {
		presetStructs(t)
	}
	first := map[string]*hclsyntax.Block{}
	count := map[string]int{}
	for _, nested := range b.Body.Blocks {
		if others[nested.Type] {
			continue
		}
		f, v := lookup(ts, nested.Type)
		switch {
		case f == nil:
			d.unknownBlock(b, nested, enclosing{b, ts, others})
			continue
		case f.form == attribute:
			d.error(d.at(header(nested)), fmt.Sprintf("%s is an attribute", nested.Type), fmt.Sprintf("Write it with an equals sign: %s.", f.asAttribute()))
			continue
		case first[nested.Type] != nil && f.typ.Kind() != reflect.Slice:
			d.error(d.at(header(nested)), fmt.Sprintf("a second %s block", nested.Type), fmt.Sprintf("The first one stands at %s; there can be one.", d.file.place(first[nested.Type].TypeRange)))
			continue
		}
		first[nested.Type] = nested
		inside := join(path, nested.Type)
		if f.typ.Kind() == reflect.Slice {
			inside = fmt.Sprintf("%s[%d]", inside, count[nested.Type])
		}
		count[nested.Type]++
		d.nested(nested, inside, f, v)
	}
}

// presetStructs sets the defaults of nested structs that are there without a
// block, unless the struct around them has done so.
func presetStructs(t target) {
	for _, f := range t.spec.fields {
		if f.form == block && f.typ.Kind() == reflect.Struct {
			if v := t.value.FieldByIndex(f.index); v.IsZero() {
				setDefaults(v)
			}
		}
	}
}

// nested fills field f from one block.
func (d *decoding) nested(b *hclsyntax.Block, path string, f *field, v reflect.Value) {
	outer := d.context
	defer func() { d.context = outer }()
	d.context += ", " + blockName(b)
	into := elementOf(v)
	if f.form == choice {
		d.choose(b, path, into)
		return
	}
	if len(b.Labels) > 0 {
		d.error(d.at(b.LabelRanges[0]), fmt.Sprintf("%s takes no label", b.Type), fmt.Sprintf("Write it as %s { … }.", b.Type))
		return
	}
	d.block(b, path, into.Addr().Interface())
}

// elementOf gives the struct that the next block fills: the field itself, what it
// points to, or a new element of a list.
func elementOf(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		setDefaults(v.Elem())
		return v.Elem()
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		last := v.Index(v.Len() - 1)
		if last.Kind() == reflect.Pointer {
			return elementOf(last)
		}
		setDefaults(last)
		return last
	}
	return v
}

// choose fills the one field of a struct of choices that the block's label names.
func (d *decoding) choose(b *hclsyntax.Block, path string, v reflect.Value) {
	if chosen := d.chosen(b, v); chosen != nil {
		d.block(b, join(path, b.Labels[0]), chosen)
	}
}

// chosen makes the struct that the block's label names, with its defaults, and gives a
// pointer to it; nil if the label names none.
func (d *decoding) chosen(b *hclsyntax.Block, v reflect.Value) any {
	sp := d.l.specs.of(v.Type())
	known := sp.names(attribute)
	if len(b.Labels) != 1 {
		d.error(d.at(header(b)), fmt.Sprintf("%s takes one label", b.Type), fmt.Sprintf("It says which: %s %s { … }.", b.Type, quoted(known)))
		return nil
	}
	label := b.Labels[0]
	f := sp.byName[label]
	if f == nil {
		d.error(d.at(b.LabelRanges[0]), fmt.Sprintf("unknown %s %q", b.Type, label),
			fmt.Sprintf("There are %s.", list(known))+line(suggest(label, known)))
		return nil
	}
	chosen := v.FieldByIndex(f.index)
	chosen.Set(reflect.New(chosen.Type().Elem()))
	setDefaults(chosen.Elem())
	return chosen.Interface()
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, name := range names {
		q[i] = fmt.Sprintf("%q", name)
	}
	return either(q)
}

func (d *decoding) unknownBlock(b, nested *hclsyntax.Block, own enclosing) {
	known := append(fieldNames(own.takes, block, choice), keys(own.others)...)
	hint := d.blockHint(nested.Type, own)
	if hint == "" {
		hint = suggest(nested.Type, append(known, fieldNames(own.takes, attribute)...))
	}
	if hint == "" {
		hint = d.l.elsewhere(nested.Type, block, d.top().Type)
	}
	if hint == "" {
		hint = fmt.Sprintf("%s has no blocks in it.", blockName(b))
		if len(known) > 0 {
			hint = fmt.Sprintf("The blocks of %s are %s.", blockName(b), some(known))
		}
	}
	d.error(d.at(nested.TypeRange), fmt.Sprintf("unknown block %q", nested.Type), hint)
}

// blockHint tells of a block that has another place where that is.
func (d *decoding) blockHint(typ string, own enclosing) string {
	around := d.around[:len(d.around)-1] // without own
	inner := *d
	inner.around = around
	if hint := inner.belongs(typ, block, own); hint != "" {
		return hint
	}
	_, atTop := blockTypes[typ]
	switch {
	case atTop:
		return fmt.Sprintf("%s is a block of the top level: it cannot stand in %s. Is a } missing above it?", typ, blockName(d.top()))
	case d.l.stepTypes()[typ]:
		return fmt.Sprintf("%s is a step: it stands in a flow, a transform or a route's case.", typ)
	case branchTypes[typ]:
		return fmt.Sprintf("%s is a branch: it stands in a route.", typ)
	}
	return ""
}

// blockExample shows how block f is written.
func blockExample(f *field) string {
	if f.example != "" {
		return f.example
	}
	if f.form != choice {
		return f.name + " { … }"
	}
	var labels []string
	t := structOf(f.typ)
	for i := range t.NumField() {
		label, _, _ := strings.Cut(t.Field(i).Tag.Get("hcl"), ",")
		labels = append(labels, fmt.Sprintf("%q", label))
	}
	return fmt.Sprintf("%s %s { … }", f.name, either(labels))
}
