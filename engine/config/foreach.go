package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
	"github.com/zclconf/go-cty/cty"
)

// forEach is an attribute that is read before its block is decoded.
type forEach struct{}

// repeatable is what every block takes that may stand for many components.
type repeatable struct {
	ForEach forEach `hcl:"for_each" doc:"A map, or a set of text: one component for each element, which sees each.key and each.value." example:"{ cl = \"Chile\", pe = \"Perú\" }"`
}

// repeatableTypes are the blocks that take for_each.
var repeatableTypes = []string{"connection", "source", "sink", "flow"}

const forEachForm = `Write a map, { cl = "Chile", pe = "Perú" }, or a set, toset(["cl", "pe"]).`

// repeat is what a for_each says: the keys of its components.
type repeat struct {
	keys []string // sorted
	open bool     // not known here, or wrong: there is one instance, which stands for all
}

// keyed is one element of a for_each.
type keyed struct {
	key   string
	value cty.Value
}

// expand gives each block its components: itself, or those that its for_each makes.
func (l *loader) expand() {
	for _, typ := range repeatableTypes {
		for i := range l.blocks[typ] {
			d := &l.blocks[typ][i]
			attr := d.block.Body.Attributes["for_each"]
			if attr == nil {
				l.components[typ] = append(l.components[typ], d)
				continue
			}
			l.components[typ] = append(l.components[typ], l.instances(d, attr.Expr)...)
		}
	}
}

// instances are the components of a block with for_each. Where it has none, or
// they are not known, there is one whose each is not known, so that the block is
// still checked.
func (l *loader) instances(d *declared, e hclsyntax.Expression) []*declared {
	at := d.file.at(e.Range())
	at.context = "in " + blockName(d.block)
	elements, known := l.elements(e, at)
	d.repeat = &repeat{open: !known}
	if len(elements) == 0 {
		in := d.someInstance()
		in.each.absent = known
		l.enterInstance(d, in)
		return []*declared{in}
	}
	var all []*declared
	for _, el := range elements {
		in := d.instance(el)
		d.repeat.keys = append(d.repeat.keys, el.key)
		l.enterInstance(d, in)
		all = append(all, in)
	}
	return all
}

func (l *loader) enterInstance(d, in *declared) {
	if l.index[d.address] == d && !in.each.absent {
		l.index[in.address] = in
	}
}

// elements evaluates a for_each. False: what it yields is not known here, or has
// mistakes, now reported.
func (l *loader) elements(e hclsyntax.Expression, at spot) (list []keyed, known bool) {
	l.expanding = true
	v, ok := l.value(e, at)
	l.expanding = false
	switch t := v.Type(); {
	case !ok:
		return nil, false
	case v.IsMarked():
		l.sensitiveForEach(at)
	case v.IsNull():
		l.error(at, "for_each is null", "Nothing is written {}. "+forEachForm)
	case t.IsObjectType() || t.IsMapType():
		return l.mapElements(v, e, at)
	case t.IsSetType() || t.IsListType() || t.IsTupleType():
		return l.setElements(v, e, at)
	case t != cty.DynamicPseudoType:
		l.error(at, "for_each takes a map or a set", fmt.Sprintf("This is %s. %s", article(v), forEachForm))
	}
	return nil, false
}

func (l *loader) sensitiveForEach(at spot) {
	l.error(at, "sensitive value not allowed in for_each", "Its keys become part of names, which show in logs and status. A value in a map may be sensitive, a key may not.")
}

func (l *loader) mapElements(v cty.Value, e hclsyntax.Expression, at spot) (list []keyed, known bool) {
	if !v.IsKnown() || !l.keysOnce(e, at) {
		return nil, false
	}
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if !l.keyFits(key.AsString(), at) {
			return nil, false
		}
		list = append(list, keyed{key.AsString(), value})
	}
	return list, true
}

// keysOnce refuses a map, written out, in which a key stands twice: HCL takes the last.
func (l *loader) keysOnce(e hclsyntax.Expression, at spot) bool {
	object, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return true
	}
	seen := map[string]bool{}
	for _, item := range object.Items {
		v, diags := item.KeyExpr.Value(at.file.eval)
		if diags.HasErrors() || !v.IsKnown() || v.IsNull() || v.IsMarked() || v.Type() != cty.String {
			continue
		}
		if key := v.AsString(); seen[key] {
			l.keyTwice(key, at.on(item.KeyExpr.Range()))
			return false
		}
		seen[v.AsString()] = true
	}
	return true
}

func (l *loader) keyTwice(key string, at spot) {
	l.error(at, fmt.Sprintf("key %q stands twice in for_each", key), "Each key is the name of one component.")
}

// setElements takes a list like a set, since each of its texts may stand there once.
func (l *loader) setElements(v cty.Value, e hclsyntax.Expression, at spot) (list []keyed, known bool) {
	if !v.IsKnown() {
		return nil, false
	}
	written, _ := e.(*hclsyntax.TupleConsExpr)
	seen := map[string]bool{}
	for it := v.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		at := at
		if written != nil && len(list) < len(written.Exprs) {
			at = at.on(written.Exprs[len(list)].Range())
		}
		key, ok := l.setKey(elem, at)
		switch {
		case !ok:
			return nil, false
		case seen[key]:
			l.keyTwice(key, at)
			return nil, false
		}
		seen[key] = true
		list = append(list, keyed{key, elem})
	}
	slices.SortFunc(list, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	return list, true
}

func (l *loader) setKey(v cty.Value, at spot) (string, bool) {
	switch {
	case v.IsMarked():
		l.sensitiveForEach(at)
	case v.Type() == cty.DynamicPseudoType && !v.IsKnown():
	case v.IsNull() || v.Type() != cty.String:
		l.error(at, "an element of for_each is no text", fmt.Sprintf("This is %s, and its elements become names. %s", article(v), forEachForm))
	case v.IsKnown():
		return v.AsString(), l.keyFits(v.AsString(), at)
	}
	return "", false
}

func (l *loader) keyFits(key string, at spot) bool {
	switch {
	case key == "":
		l.error(at, "an empty key in for_each", "A key is the name of a component.")
	case strings.ContainsFunc(key, unicode.IsControl):
		l.error(at, fmt.Sprintf("invalid key %s in for_each", component.QuoteKey(key)), "A key is the name of a component: it may not have line breaks and other control characters.")
	default:
		return true
	}
	return false
}

// on is the spot of rng in the same surroundings.
func (at spot) on(rng hcl.Range) spot {
	at.start, at.end = rng.Start.Byte, rng.End.Byte
	return at
}

// refuseForEach answers a for_each where there is none.
func (d *decoding) refuseForEach(b *hclsyntax.Block, attr *hclsyntax.Attribute, ts []target) {
	detail := "It makes many components of one source, sink, flow or connection."
	if _, top := blockTypes[b.Type]; !top {
		detail += " There are no loops over what stands in a block: a list in an event is taken apart by split, or by map(…) in an expression."
	}
	if slices.ContainsFunc(ts, func(t target) bool { return t.spec.rest != nil }) {
		detail += " A field of this name is set by replace."
	}
	d.error(d.at(attr.NameRange), fmt.Sprintf("for_each cannot stand in %s", blockName(b)), detail)
}
