package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
)

// references reads one reference or a list of them.
func (d *decoding) references(v reflect.Value, f *field, e hclsyntax.Expression) {
	exprs := []hclsyntax.Expression{e}
	if t, ok := e.(*hclsyntax.TupleConsExpr); ok {
		exprs = t.Exprs
	}
	var refs []component.Ref
	for _, x := range exprs {
		ref := d.reference(x, f)
		if !ref.IsSet() {
			continue
		}
		if slices.Contains(refs, ref) {
			d.error(d.at(x.Range()), fmt.Sprintf("%s stands twice in %s", ref.Address, f.name), "Once is enough.")
			continue
		}
		refs = append(refs, ref)
	}
	v.Set(reflect.ValueOf(refs))
}

// reference reads a traversal like sink.http.erp.
func (d *decoding) reference(e hclsyntax.Expression, f *field) component.Ref {
	at := d.at(e.Range())
	path, ok := traversalPath(e)
	if !ok {
		d.notReference(e, f, at)
		return component.Ref{}
	}
	addr := component.Address(strings.Join(path, "."))
	if !allowed(path, f.ref) {
		d.error(at, fmt.Sprintf("%s cannot stand in %s", addr, f.name), fmt.Sprintf("It takes %s.", wanted(f.ref))+
			line(d.l.suggestAddress(addr, f.ref)))
		return component.Ref{}
	}
	if f.gone {
		return component.Ref{Address: addr}
	}
	if d.l.index[addr] == nil {
		d.failed = true
		if !d.l.mayStand(path[len(path)-1]) {
			d.error(at, fmt.Sprintf("there is no %s", addr), d.l.unknownAddressHint(addr, f.ref))
		}
		return component.Ref{}
	}
	d.refs = append(d.refs, reference{f.name, addr, at})
	return component.Ref{Address: addr}
}

// traversalPath gives the parts of a.b.c.
func traversalPath(e hclsyntax.Expression) ([]string, bool) {
	t, diags := hcl.AbsTraversalForExpr(e)
	if diags.HasErrors() {
		return nil, false
	}
	path := []string{t.RootName()}
	for _, step := range t[1:] {
		attr, ok := step.(hcl.TraverseAttr)
		if !ok {
			return nil, false
		}
		path = append(path, attr.Name)
	}
	return path, true
}

func (d *decoding) notReference(e hclsyntax.Expression, f *field, at spot) {
	detail := fmt.Sprintf("%s takes %s.", f.name, wanted(f.ref))
	if t, ok := e.(*hclsyntax.TemplateExpr); ok {
		s, _ := isLiteral(t)
		switch {
		case d.l.index[component.Address(s)] != nil:
			detail = fmt.Sprintf("A reference is not quoted: %s = %s.", f.name, s)
		case s != "":
			detail = "A reference is a path without quotes. " + detail + line(d.l.suggestAddress(component.Address(s), f.ref))
		}
		d.error(at, "a string for a reference", detail)
		return
	}
	d.error(at, "a value for a reference", detail)
}

// allowed tells whether path begins like one of the tag's prefixes and is as long as
// an address is.
func allowed(path, prefixes []string) bool {
	labels, ok := blockTypes[path[0]]
	if !ok || len(path) != 1+len(labels) {
		return false
	}
	addr := strings.Join(path, ".") + "."
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(addr, p+".") })
}

// wanted describes what a ref tag allows: source.KIND.NAME, connection.http.NAME.
func wanted(prefixes []string) string {
	forms := make([]string, len(prefixes))
	for i, p := range prefixes {
		forms[i] = p
		if n := len(blockTypes[p]); n == 2 {
			forms[i] += ".KIND"
		}
		forms[i] += ".NAME"
	}
	return "a reference like " + either(forms)
}

func (l *loader) unknownAddressHint(addr component.Address, prefixes []string) string {
	if hint := l.suggestAddress(addr, prefixes); hint != "" {
		return hint
	}
	known := l.addresses(prefixes)
	if len(known) == 0 {
		return "None of this type is declared."
	}
	if len(known) > 10 {
		known = append(known[:10], "…")
	}
	return "Declared are " + strings.Join(known, ", ") + "."
}

// suggestAddress looks for the same name under another kind, then for a similar name
// under this one, then for anything similar.
func (l *loader) suggestAddress(addr component.Address, prefixes []string) string {
	known := l.addresses(prefixes)
	kind, name := splitAddress(string(addr))
	var siblings []string
	for _, k := range known {
		otherKind, other := splitAddress(k)
		if other == name {
			return fmt.Sprintf("Did you mean %s?", k)
		}
		if otherKind == kind {
			siblings = append(siblings, other)
		}
	}
	if best := nearest(name, siblings); best != "" {
		return fmt.Sprintf("Did you mean %s.%s?", kind, best)
	}
	if best := nearest(string(addr), known); best != "" {
		return fmt.Sprintf("Did you mean %s?", best)
	}
	return ""
}

func splitAddress(addr string) (kind, name string) {
	i := strings.LastIndexByte(addr, '.')
	return addr[:max(i, 0)], addr[i+1:]
}

// addresses are those declared that a ref tag allows.
func (l *loader) addresses(prefixes []string) []string {
	var known []string
	for addr := range l.index {
		if allowed(strings.Split(string(addr), "."), prefixes) {
			known = append(known, string(addr))
		}
	}
	slices.Sort(known)
	return known
}
