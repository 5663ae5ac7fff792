package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/zclconf/go-cty/cty"
)

// unknownKey is the key of the instance that stands for those not known.
const unknownKey = "placeholder"

// each is what for_each gives one component.
type each struct {
	of     *declared // the block
	key    string
	value  cty.Value
	absent bool // the block makes no component and is only checked
	eval   *hcl.EvalContext
	scopes map[*expr.Scope]*expr.Scope // by what expressions see elsewhere
}

// instance is the component that an element of for_each makes of d.
func (d *declared) instance(el keyed) *declared {
	return d.instanceOf(el.key, cty.StringVal(el.key), el.value)
}

// someInstance stands for instances that are not known.
func (d *declared) someInstance() *declared {
	return d.instanceOf(unknownKey, cty.UnknownVal(cty.String), cty.DynamicVal)
}

func (d *declared) instanceOf(name string, key, value cty.Value) *declared {
	eval := d.file.eval.NewChild()
	eval.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
	return &declared{
		address: d.address.Instance(name), file: d.file, block: d.block,
		each: &each{of: d, key: name, value: value, eval: eval, scopes: map[*expr.Scope]*expr.Scope{}},
	}
}

// stands tells whether d is part of the configuration, and not only checked.
func (d *declared) stands() bool { return d.each == nil || !d.each.absent }

// within lets do see the each of d, and notes what it reports as found there.
func (l *loader) within(d *declared, do func()) {
	l.each = d.each
	do()
	l.each = nil
}

// evalContext is what HCL sees in f for the component at hand.
func (l *loader) evalContext(f *file) *hcl.EvalContext {
	if l.each != nil {
		return l.each.eval
	}
	return f.eval
}

// eachKnown checks a traversal that begins with each.
func (l *loader) eachKnown(t hcl.Traversal, at spot) bool {
	name := ""
	if len(t) > 1 && isAttr(t[1]) {
		name = t[1].(hcl.TraverseAttr).Name
	}
	switch {
	case l.each != nil && (name == "key" || name == "value"):
		return true
	case l.each != nil && name != "":
		l.error(at, "unknown each."+name, "There are each.key and each.value."+line(suggestPath("each.", name, []string{"key", "value"})))
	case l.each != nil:
		l.error(at, "each alone is not a value", "Name one of them: each.key or each.value.")
	case l.expanding:
		l.error(at, "each is not known in for_each", "It is what for_each yields.")
	default:
		l.error(at, "each is not known here", "each.key and each.value exist in a source, sink, flow or connection that has a for_each.")
	}
	return false
}

// scope is sc, which others share, with each. A nil e has none.
func (e *each) scope(sc *expr.Scope) *expr.Scope {
	if e == nil {
		return sc
	}
	if mine, ok := e.scopes[sc]; ok {
		return mine
	}
	mine := *sc
	mine.Each = map[string]any{"key": e.key}
	mine.Sensitive = slices.Clone(sc.Sensitive)
	switch {
	case isFields(e.value):
		fields := map[string]any{}
		for it := e.value.ElementIterator(); it.Next(); {
			name, v := it.Element()
			if v.ContainsMarked() {
				mine.Sensitive = append(mine.Sensitive, "each.value."+name.AsString())
				continue
			}
			fields[name.AsString()] = goValue(v)
		}
		mine.Each["value"] = fields
	case e.value.ContainsMarked():
		mine.Sensitive = append(mine.Sensitive, "each.value")
	default:
		mine.Each["value"] = goValue(e.value)
	}
	e.scopes[sc] = &mine
	return &mine
}

func isFields(v cty.Value) bool {
	return !v.IsMarked() && (v.Type().IsObjectType() || v.Type().IsMapType()) && v.IsKnown() && !v.IsNull()
}

// label is the key as it stands behind a block's name; a nil e has none.
func (e *each) label() string {
	if e == nil {
		return ""
	}
	return fmt.Sprintf(" [%s]", component.QuoteKey(e.key))
}

// finding is a diagnostic of an instance.
type finding struct {
	each *each
	Diagnostic
}

// merge makes of what was found in several instances of one block, at one place,
// one diagnostic; its context names the instances unless it is all of them.
func (l *loader) merge() {
	type mistake struct {
		of       *declared
		severity Severity
		at       Range
		summary  string
	}
	var order []mistake
	found := map[mistake][]finding{}
	for _, f := range l.findings {
		m := mistake{f.each.of, f.Severity, f.Range, f.Summary}
		if found[m] == nil {
			order = append(order, m)
		}
		found[m] = append(found[m], f)
	}
	for _, m := range order {
		l.diags = append(l.diags, merged(found[m]))
	}
	l.findings = nil
}

// merged are findings of one mistake.
func merged(all []finding) Diagnostic {
	first := all[0]
	var keys []string
	same := true
	for i, f := range all {
		if i == 0 || f.each != all[i-1].each {
			keys = append(keys, component.QuoteKey(f.each.key))
		}
		same = same && f.Detail == first.Detail
	}
	of := first.each.of
	if len(of.repeat.keys) == 0 || same && len(keys) == len(of.repeat.keys) {
		return first.Diagnostic
	}
	if len(keys) > 3 {
		keys = append(keys[:3], "…")
	}
	d, block := first.Diagnostic, "in "+blockName(of.block)
	if rest, ok := strings.CutPrefix(d.Context, block); ok || d.Context == "" {
		d.Context = fmt.Sprintf("%s [%s]%s", block, strings.Join(keys, ", "), rest)
	}
	return d
}
