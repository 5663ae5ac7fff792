package config

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/syncd/syncd/engine/component"
	"github.com/zclconf/go-cty/cty"
)

// Snapshot is what one reading of a configuration found, whatever mistakes it has.
type Snapshot struct {
	Diagnostics  Diagnostics
	Declarations []Declaration // by address
	Depends      []string      // files beside its own that it read or looked for, absolute

	files map[string]*file // by path
}

// Declaration is a block that others refer to by its address, or a local.
type Declaration struct {
	Address     string // "sink.http.erp", "var.site"
	Description string
	Range       Range  // of its type and labels, or of its name
	Value       string // of a variable or local, as HCL; "" where it is not known here or must not show
	Sensitive   bool
}

// Read reads the configuration at path as Load does, for whoever watches it being
// written: what it declares is told also while it has mistakes.
func Read(path string, kinds []component.Kind, opts Options) *Snapshot {
	l := newLoader(kinds, opts)
	l.read(path)
	_, diags := l.finish()
	s := &Snapshot{Diagnostics: diags, Depends: l.depends, files: make(map[string]*file, len(l.files))}
	for _, f := range l.files {
		s.files[f.path] = f.again() // which does not lead to this loader, and so to what was earlier
	}
	for _, d := range l.index {
		if d.block.Type != "daemon" && d.block.Type != "variable" && d.block.Type != "secret" {
			s.Declarations = append(s.Declarations, d.declaration())
		}
	}
	for _, defs := range l.globals.defs {
		for _, g := range defs {
			s.Declarations = append(s.Declarations, g.declaration(l.index))
		}
	}
	slices.SortFunc(s.Declarations, func(a, b Declaration) int { return cmp.Compare(a.Address, b.Address) })
	return s
}

// Text is what the file at path, which is absolute, held when it was read.
func (s *Snapshot) Text(path string) (text []byte, ok bool) {
	f := s.file(path)
	if f == nil {
		return nil, false
	}
	return f.text, true
}

// Files are the paths of all files, absolute, in order.
func (s *Snapshot) Files() []string { return keys(s.files) }

// Find is what is declared under an address, nil if nothing is.
func (s *Snapshot) Find(address string) *Declaration {
	i, ok := slices.BinarySearchFunc(s.Declarations, address, func(d Declaration, address string) int { return cmp.Compare(d.Address, address) })
	if !ok {
		return nil
	}
	return &s.Declarations[i]
}

func (s *Snapshot) file(path string) *file {
	if s == nil {
		return nil
	}
	return s.files[path]
}

func (d *declared) declaration() Declaration {
	return Declaration{Address: string(d.address), Description: description(d.block), Range: d.file.rangeOf(d.spot())}
}

// declaration is g as others see it. A variable and a secret are blocks of index.
func (g *global) declaration(index map[component.Address]*declared) Declaration {
	d := Declaration{Address: g.String(), Range: g.file.rangeOf(g.file.at(g.header)), Sensitive: g.value.ContainsMarked()}
	block := map[string]string{"var": "variable", "secret": "secret"}[g.root]
	if b := index[component.Address(block+"."+g.name)]; b != nil {
		d.Description = description(b.block)
	}
	if !d.Sensitive && g.value.IsWhollyKnown() {
		d.Value = string(bytes.TrimSpace(hclwrite.TokensForValue(g.value).Bytes()))
	}
	return d
}

// description is a block's own, if it is plain text.
func description(b *hclsyntax.Block) string {
	attr := b.Body.Attributes["description"]
	if attr == nil {
		return ""
	}
	v, diags := attr.Expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

func (f *file) rangeOf(at spot) Range {
	return Range{File: f.path, Start: f.pos(at.start), End: f.pos(at.end)}
}
