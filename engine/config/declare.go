package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
	"golang.org/x/text/unicode/norm"
)

// blockTypes are the blocks of the top level and what their labels are.
var blockTypes = map[string][]string{
	"daemon":     nil,
	"listener":   {"kind", "name"},
	"variable":   {"name"},
	"locals":     nil,
	"secret":     {"name"},
	"table":      {"name"},
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
			l.error(f.at(attr.NameRange), fmt.Sprintf("attribute %q outside of a block", attr.Name), l.looseHint(attr.Name))
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
		l.misdeclare(b)
		return
	}
	if !l.labelsFit(f, b, labels, "") {
		l.misdeclare(b)
		return
	}
	l.blocks[b.Type] = append(l.blocks[b.Type], declared{
		address: component.Address(strings.Join(append([]string{b.Type}, b.Labels...), ".")), file: f, block: b,
	})
}

// misdeclare remembers a block that could not be read, so that whoever refers to
// it is not told that there is none.
func (l *loader) misdeclare(b *hclsyntax.Block) {
	for _, label := range b.Labels {
		l.misdeclared[label] = true
		l.misdeclared[fixName(label)] = true
	}
}

func (l *loader) looseHint(name string) string {
	if _, ok := blockTypes[name]; ok {
		return fmt.Sprintf("%s is a block, which has no equals sign: %s { … }.", name, labelled(name, blockTypes[name]))
	}
	if hint := l.fromTop(name, attribute); hint != "" {
		return hint
	}
	return fmt.Sprintf("The top level of a configuration holds blocks only: %s. A value of your own goes into locals { %s = … }.", list(keys(blockTypes)), name)
}

func (l *loader) unknownBlockHint(typ string) string {
	if say := foreignBlocks[typ]; say != "" {
		return say
	}
	hint := suggest(typ, keys(blockTypes))
	for _, class := range []component.Class{component.ClassSource, component.ClassSink, component.ClassConnection} {
		if _, ok := l.kinds[class][typ]; ok {
			hint = fmt.Sprintf("Did you mean %s %q \"name\" { … }?", class, typ)
		}
	}
	if _, ok := l.kinds[component.ClassStep][typ]; ok {
		hint = "This is a step: it stands in a flow, a transform or a route's case."
	}
	if hint == "" {
		hint = l.fromTop(typ, block)
	}
	if hint == "" {
		hint = fmt.Sprintf("Blocks of the top level are %s.", list(keys(blockTypes)))
	}
	return hint
}

// labelsFit checks number and form of a block's labels.
func (l *loader) labelsFit(f *file, b *hclsyntax.Block, want []string, context string) bool {
	at := f.at(header(b))
	at.context = context
	if len(b.Labels) != len(want) {
		l.error(at, fmt.Sprintf("%s takes %s", b.Type, labelCount(want)), fmt.Sprintf("Write it as %s { … }.", l.relabelled(b, want)))
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

// labelled shows a block's type with its labels.
func labelled(typ string, labels []string) string {
	for _, label := range labels {
		typ += fmt.Sprintf(" %q", strings.ToUpper(label))
	}
	return typ
}

// relabelled is labelled with the labels of b that are there in their places.
func (l *loader) relabelled(b *hclsyntax.Block, want []string) string {
	if len(b.Labels) != 1 || len(want) != 2 {
		return labelled(b.Type, want)
	}
	label := b.Labels[0]
	if _, isKind := l.kinds[component.Class(b.Type)][label]; isKind || b.Type == "listener" && label == "http" {
		return fmt.Sprintf("%s %q \"NAME\"", b.Type, label)
	}
	return fmt.Sprintf("%s \"KIND\" %q", b.Type, label)
}

const nameForm = "A name begins with a small letter and goes on with small letters, digits and _."

func (l *loader) badName(at spot, name string) {
	detail := nameForm
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
	}, strings.ToLower(plainLetters(name)))
	if fixed = strings.Trim(fixed, "_"); nameRule.MatchString(fixed) {
		return fixed
	}
	return ""
}

// plainLetters takes the accents off letters: shöp becomes shop.
func plainLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ReplaceAll(s, "ß", "ss")))
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
