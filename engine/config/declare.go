package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
)

// blockTypes are the blocks of the top level and what their labels are.
var blockTypes = map[string][]string{
	"daemon":     nil,
	"listener":   {"kind", "name"},
	"variable":   {"name"},
	"locals":     nil,
	"secret":     {"name"},
	"connection": {"kind", "name"},
	"source":     {"kind", "name"},
	"transform":  {"name"},
	"sink":       {"kind", "name"},
	"flow":       {"name"},
	"moved":      nil,
}

var nameRule = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// declare collects the blocks of all files by type and address.
func (l *loader) declare() {
	for _, f := range l.files {
		if f.body == nil {
			continue
		}
		for _, attr := range f.body.Attributes {
			l.error(f.at(attr.NameRange), fmt.Sprintf("attribute %q outside of a block", attr.Name),
				fmt.Sprintf("A configuration's top level holds blocks only: %s. A value of your own goes into locals { %s = … }.", list(keys(blockTypes)), attr.Name))
		}
		for _, b := range f.body.Blocks {
			l.declareBlock(f, b)
		}
	}
	for _, typ := range keys(blockTypes) {
		for i := range l.blocks[typ] {
			l.enter(&l.blocks[typ][i])
		}
	}
}

func (l *loader) declareBlock(f *file, b *hclsyntax.Block) {
	labels, ok := blockTypes[b.Type]
	if !ok {
		l.error(f.at(b.TypeRange), fmt.Sprintf("unknown block %q", b.Type), l.unknownBlockHint(b.Type))
		return
	}
	if !l.labelsFit(f, b, labels, "") {
		return
	}
	l.blocks[b.Type] = append(l.blocks[b.Type], declared{
		address: component.Address(strings.Join(append([]string{b.Type}, b.Labels...), ".")), file: f, block: b,
	})
}

func (l *loader) unknownBlockHint(typ string) string {
	hint := suggest(typ, keys(blockTypes))
	for _, class := range []component.Class{component.ClassSource, component.ClassSink, component.ClassConnection} {
		if _, ok := l.kinds[class][typ]; ok {
			hint = fmt.Sprintf("Did you mean %s %q \"name\" { … }?", class, typ)
		}
	}
	if _, ok := l.kinds[component.ClassStep][typ]; ok {
		hint = "This is a step: it stands in a flow, a transform or a route's case."
	}
	return fmt.Sprintf("Blocks of the top level are %s.", list(keys(blockTypes))) + line(hint)
}

// labelsFit checks number and form of a block's labels.
func (l *loader) labelsFit(f *file, b *hclsyntax.Block, want []string, context string) bool {
	at := f.at(header(b))
	at.context = context
	example := b.Type
	for _, w := range want {
		example += fmt.Sprintf(" %q", strings.ToUpper(w))
	}
	if len(b.Labels) != len(want) {
		l.error(at, fmt.Sprintf("%s takes %s", b.Type, labelCount(want)), fmt.Sprintf("Write it as %s { … }.", example))
		return false
	}
	for i, w := range want {
		if w == "name" && !nameRule.MatchString(b.Labels[i]) {
			at := f.at(b.LabelRanges[i])
			at.context = context
			l.badName(at, b.Labels[i])
			return false
		}
	}
	return true
}

func (l *loader) badName(at spot, name string) {
	detail := "A name begins with a small letter and goes on with small letters, digits and _."
	if fixed := fixName(name); fixed != "" {
		detail += fmt.Sprintf(" Write %q.", fixed)
	}
	l.error(at, fmt.Sprintf("invalid name %q", name), detail)
}

func fixName(name string) string {
	fixed := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, strings.ToLower(name))
	if fixed = strings.Trim(fixed, "_"); nameRule.MatchString(fixed) {
		return fixed
	}
	return ""
}

func labelCount(want []string) string {
	switch len(want) {
	case 0:
		return "no label"
	case 1:
		return "one label, its " + want[0]
	}
	return "two labels, its " + strings.Join(want, " and its ")
}

// enter puts a block under its address, unless the address is taken.
func (l *loader) enter(d *declared) {
	switch d.block.Type {
	case "locals", "moved":
		return
	}
	first, taken := l.index[d.address]
	if !taken {
		l.index[d.address] = d
		return
	}
	detail := fmt.Sprintf("The first one stands at %s. Give one of them another name.", first.place())
	if d.block.Type == "daemon" {
		detail = fmt.Sprintf("The first one stands at %s. Put both into one.", first.place())
	}
	l.error(d.spot(), fmt.Sprintf("%s is declared twice", blockName(d.block)), detail)
}

func keys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
