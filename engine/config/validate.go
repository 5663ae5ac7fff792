package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
)

// validator is a configuration that checks what tags cannot say.
type validator interface{ Validate(*component.Problems) }

// locator is a configuration with paths that tags cannot tell from other text: they are
// made absolute, relative to the directory of the file that it stands in.
type locator interface{ Locate(dir string) }

// claimer is a configuration that wants something for itself alone.
type claimer interface{ Claims() []component.Claim }

// claimant is who has a claim already.
type claimant struct {
	address component.Address
	place   string
}

// validate asks every struct that was filled what is wrong with it. What it says
// of attributes that are wrong already is left out.
func (d *decoding) validate() {
	for _, s := range d.sections {
		if c, ok := s.config.(locator); ok {
			c.Locate(filepath.Dir(d.file.path))
		}
		v, ok := s.config.(validator)
		if !ok {
			continue
		}
		var p component.Problems
		v.Validate(&p)
		if k, ok := s.config.(component.CommonChecker); ok && !d.isOpen("id") {
			k.CheckCommon(d.common, &p)
		}
		for _, problem := range p.List {
			d.problem(s, problem)
		}
	}
	for _, h := range d.holes {
		if !d.failed {
			d.l.warn(h.at, fmt.Sprintf("{{ in %s", h.field.name),
				fmt.Sprintf("%s is read once, at load, and not for every event: braces are text like any other there. What is computed at load is written ${…}.", h.field.name))
		}
	}
}

func (d *decoding) problem(s section, p component.Problem) {
	path := join(s.path, p.Attr)
	if d.isOpen(path) || d.failed && p.Warning {
		return
	}
	at := d.find(s, p.Attr)
	if p.Warning {
		d.l.warn(at, p.Summary, p.Detail)
		return
	}
	d.error(at, p.Summary, p.Detail)
}

// isOpen tells whether what stands at path, or below it, is not what was meant.
func (d *decoding) isOpen(path string) bool {
	for _, open := range d.open {
		if path == "" || strings.HasPrefix(path, open+"[") || strings.HasPrefix(path, open+".") || open == path || strings.HasPrefix(open, path+".") || strings.HasPrefix(open, path+"[") {
			return true
		}
	}
	return false
}

// find gives the place of an attribute named by its path from section s: its
// value, or else the innermost block around it that is written.
func (d *decoding) find(s section, attr string) spot {
	at, found := d.file.at(header(s.block)), s
	rest := attr
	for _, inner := range d.sections {
		tail, ok := strings.CutPrefix(join(s.path, attr), inner.path)
		if inner.path != "" && ok && len(inner.path) > len(found.path) && (tail == "" || tail[0] == '.') {
			found, rest = inner, strings.TrimPrefix(tail, ".")
			at = d.file.at(header(inner.block))
		}
	}
	name, _, _ := strings.Cut(rest, ".")
	name, _, _ = strings.Cut(name, "[")
	if a := found.block.Body.Attributes[name]; a != nil {
		at = d.file.at(element(a, rest).Range())
	}
	at.context = found.context
	return at
}

// element finds the part of a's value that rest ("methods[1]") points at.
func element(a *hclsyntax.Attribute, rest string) hclsyntax.Expression {
	var i int
	list, ok := a.Expr.(*hclsyntax.TupleConsExpr)
	if n, _ := fmt.Sscanf(strings.TrimPrefix(rest, a.Name), "[%d]", &i); n == 1 && ok && i >= 0 && i < len(list.Exprs) {
		return list.Exprs[i]
	}
	return a.Expr
}

// claim enters what the component wants for itself, and reports what another one has.
func (d *decoding) claim(address component.Address) {
	if d.failed || len(d.open) > 0 || d.l.each != nil && d.l.each.absent {
		return
	}
	for _, s := range d.sections {
		c, ok := s.config.(claimer)
		if !ok {
			continue
		}
		for _, claim := range c.Claims() {
			at := d.find(s, claim.Attr)
			first, taken := d.l.claims[claim.What]
			if !taken {
				d.l.claims[claim.What] = claimant{address, fmt.Sprintf("%s:%d", d.file.name, d.file.pos(at.start).Line)}
				continue
			}
			detail := fmt.Sprintf("%s at %s has it already, and only one can.", first.address, first.place)
			if first.address.Base() == address.Base() && d.l.each != nil {
				detail = fmt.Sprintf("%s and %s, of one for_each, both want it, and only one can.\nLet each.key or each.value make the difference.", first.address, address)
			}
			d.error(at, fmt.Sprintf("%s is taken", claim.What), detail)
		}
	}
}
