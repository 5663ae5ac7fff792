package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/spelling"
)

// references reads one reference or a list of them. Of a block with for_each, its
// address alone means all its components.
func (d *decoding) references(v reflect.Value, f *field, e hclsyntax.Expression) {
	exprs := []hclsyntax.Expression{e}
	if t, ok := e.(*hclsyntax.TupleConsExpr); ok {
		exprs = t.Exprs
	}
	var refs []component.Ref
	for _, x := range exprs {
		m, ok := d.mention(x, f)
		if !ok {
			continue
		}
		refs = d.add(refs, m, f, d.mentioned(m, f, true))
	}
	v.Set(reflect.ValueOf(refs))
}

// add adds what m means to the references of f, each once.
func (d *decoding) add(refs []component.Ref, m mention, f *field, found []component.Address) []component.Ref {
	told := d.l.isOpen(m)
	for _, addr := range found {
		ref := component.Ref{Address: addr}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
			d.refs = append(d.refs, reference{f.name, addr, m.at})
			continue
		}
		if !told {
			d.error(m.at, fmt.Sprintf("%s stands twice in %s", addr, f.name), twiceHint(m, addr))
		}
		told = true
	}
	return refs
}

func twiceHint(m mention, addr component.Address) string {
	if m.address() != addr {
		return fmt.Sprintf("%s means all components of its for_each.", m.base())
	}
	return "Once is enough."
}

// reference reads what exactly one component is meant by.
func (d *decoding) reference(e hclsyntax.Expression, f *field) component.Ref {
	m, ok := d.mention(e, f)
	if !ok {
		return component.Ref{}
	}
	if f.gone {
		return component.Ref{Address: m.address()}
	}
	found := d.mentioned(m, f, false)
	if len(found) == 0 {
		return component.Ref{}
	}
	d.refs = append(d.refs, reference{f.name, found[0], m.at})
	return component.Ref{Address: found[0]}
}

// mention is a reference as it is written: sink.http.erp, or sink.http.erp["cl"].
type mention struct {
	at    spot
	path  []string
	key   *string // nil: none is written
	keyAt spot
	open  bool // the key is not known here
}

func (m mention) base() component.Address { return component.Address(strings.Join(m.path, ".")) }

func (m mention) address() component.Address {
	if m.key == nil {
		return m.base()
	}
	return m.base().Instance(*m.key)
}

// mention reads a traversal that f allows. False: it is none, and that is reported.
func (d *decoding) mention(e hclsyntax.Expression, f *field) (mention, bool) {
	m := mention{at: d.at(e.Range())}
	base, key := indexed(e)
	var ok bool
	if m.path, ok = traversalPath(base); !ok {
		d.notReference(e, f, m.at)
		return m, false
	}
	if !allowed(m.path, f.ref) {
		addr := m.base()
		hint := d.l.suggestAddress(addr, f.ref)
		if decl := d.l.index[component.Address(strings.Join(m.path[:len(m.path)-1], "."))]; decl != nil && decl.repeat != nil {
			hint = fmt.Sprintf("One component of a for_each is written %s.", decl.address.Instance(m.path[len(m.path)-1]))
		}
		d.error(m.at, fmt.Sprintf("%s cannot stand in %s", addr, f.name), fmt.Sprintf("It takes %s.", wanted(f.ref))+line(hint))
		return m, false
	}
	d.l.referred[m.base()] = true
	return m, key == nil || d.mentionKey(&m, key)
}

func (d *decoding) mentionKey(m *mention, e hclsyntax.Expression) bool {
	m.keyAt = d.at(e.Range())
	v, ok := d.l.value(e, m.keyAt)
	if !ok {
		d.failed = true
		return false
	}
	key, ok := d.keyText(v, m.keyAt)
	m.key, m.open = &key, ok && !v.IsKnown()
	return ok
}

// indexed takes x[key] apart; key is nil where there is none.
func indexed(e hclsyntax.Expression) (base hcl.Expression, key hclsyntax.Expression) {
	switch e := e.(type) {
	case *hclsyntax.IndexExpr:
		return e.Collection, e.Key
	case *hclsyntax.ScopeTraversalExpr:
		last := len(e.Traversal) - 1
		if index, ok := e.Traversal[last].(hcl.TraverseIndex); ok {
			base := &hclsyntax.ScopeTraversalExpr{Traversal: e.Traversal[:last], SrcRange: e.SrcRange}
			return base, &hclsyntax.LiteralValueExpr{Val: index.Key, SrcRange: index.SrcRange}
		}
	}
	return e, nil
}

// traversalPath gives the parts of a.b.c.
func traversalPath(e hcl.Expression) ([]string, bool) {
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

// mentioned gives the components that m means, one unless f takes many. None: what
// is wrong with it is reported.
func (d *decoding) mentioned(m mention, f *field, many bool) []component.Address {
	decl := d.l.index[m.base()]
	switch {
	case decl == nil:
		d.failed = true
		if !d.l.mayStand(m.path[len(m.path)-1]) {
			d.error(m.at, fmt.Sprintf("there is no %s", m.base()), d.l.unknownAddressHint(m.base(), f.ref))
		}
		return nil
	case decl.repeat != nil:
		return d.instancesOf(decl, m, f, many)
	case m.key != nil:
		d.error(m.keyAt, fmt.Sprintf("%s has no for_each", m.base()), fmt.Sprintf("It is one component: write %s.", m.base()))
		return nil
	}
	return []component.Address{m.base()}
}

func (d *decoding) notReference(e hclsyntax.Expression, f *field, at spot) {
	detail := fmt.Sprintf("%s takes %s.", f.name, wanted(f.ref))
	detail += line(d.partOf(e, f))
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

// partOf tells of the reference that stands in e, which is none itself: with quotes
// around it, or something behind it.
func (d *decoding) partOf(e hclsyntax.Expression, f *field) string {
	var inner hcl.Expression
	switch e := e.(type) {
	case *hclsyntax.TemplateWrapExpr:
		inner = e.Wrapped
	case *hclsyntax.SplatExpr:
		inner = e.Source
	case *hclsyntax.ScopeTraversalExpr:
		behind := slices.IndexFunc(e.Traversal[1:], func(t hcl.Traverser) bool { return !isAttr(t) })
		inner = &hclsyntax.ScopeTraversalExpr{Traversal: e.Traversal[:1+max(behind, 0)], SrcRange: e.SrcRange}
	default:
		return ""
	}
	path, ok := traversalPath(inner)
	if !ok || !allowed(path, f.ref) {
		return ""
	}
	addr := strings.Join(path, ".")
	switch e.(type) {
	case *hclsyntax.TemplateWrapExpr:
		return fmt.Sprintf("A reference is not quoted: %s = %s.", f.name, addr)
	case *hclsyntax.SplatExpr:
		return fmt.Sprintf("All components of a for_each are meant by the address alone: %s.", addr)
	}
	return "A reference ends with the component: nothing of it can be read."
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
		typ, _, _ := strings.Cut(prefixes[0], ".")
		return fmt.Sprintf("There is no %s at all; one is declared by %s { … }.", typ, labelled(typ, blockTypes[typ]))
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
	if best := spelling.Nearest(name, siblings); best != "" {
		return fmt.Sprintf("Did you mean %s.%s?", kind, best)
	}
	if best := spelling.Nearest(string(addr), known); best != "" {
		return fmt.Sprintf("Did you mean %s?", best)
	}
	return ""
}

// splitAddress splits the address of a block.
func splitAddress(addr string) (kind, name string) {
	i := strings.LastIndexByte(addr, '.')
	return addr[:max(i, 0)], addr[i+1:]
}

// addresses are those of the blocks that a ref tag allows.
func (l *loader) addresses(prefixes []string) []string {
	var known []string
	for addr, d := range l.index {
		if d.each == nil && allowed(strings.Split(string(addr), "."), prefixes) {
			known = append(known, string(addr))
		}
	}
	slices.Sort(known)
	return known
}
