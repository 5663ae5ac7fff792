package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
)

// enclosing is a block being decoded, as those within it see it.
type enclosing struct {
	block  *hclsyntax.Block
	takes  []target
	others map[string]bool
}

// home is a place where an attribute or block may stand: a block, by its type and
// kind, and the blocks within it that lead there.
type home struct {
	owner string   // `daemon`, `sink "http"`, `any sink`, `filter`
	class string   // "sink"
	path  []string // `journal`, `verify "hmac"`
	form  form
}

// written shows where a thing called name belongs.
func (h home) written(name string) string {
	what := name + " = …"
	if h.form != attribute {
		what = name + " { … }"
	}
	return inBlocks(append([]string{h.owner}, h.path...), what)
}

// inBlocks writes what inside of blocks: on one line if that is valid HCL.
func inBlocks(blocks []string, what string) string {
	if len(blocks) == 1 && !strings.Contains(what, "{") {
		return fmt.Sprintf(": %s { %s }", blocks[0], what)
	}
	var b strings.Builder
	b.WriteString(":\n\n")
	for i, name := range blocks {
		b.WriteString(strings.Repeat("  ", i+1) + name + " {\n")
	}
	b.WriteString(strings.Repeat("  ", len(blocks)+1) + what + "\n")
	for i := range slices.Backward(blocks) {
		b.WriteString(strings.Repeat("  ", i+1) + "}\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// homes are all places for things of any name. They are looked for only when
// something stands at a wrong one.
func (l *loader) homes() map[string][]home {
	if l.allHomes != nil {
		return l.allHomes
	}
	l.allHomes = map[string][]home{}
	l.house(home{owner: "daemon"}, reflect.TypeFor[daemonConfig]())
	l.house(home{owner: `listener "http"`, class: "listener"}, reflect.TypeFor[listenerConfig]())
	l.house(home{owner: "flow"}, reflect.TypeFor[flowConfig]())
	l.house(home{owner: "any source", class: "source"}, reflect.TypeFor[component.SourceCommon]())
	l.house(home{owner: "any sink", class: "sink"}, reflect.TypeFor[component.SinkCommon]())
	for _, class := range []component.Class{component.ClassSource, component.ClassStep, component.ClassSink, component.ClassConnection} {
		for _, name := range keys(l.kinds[class]) {
			owner := fmt.Sprintf("%s %q", class, name)
			if class == component.ClassStep {
				owner = name
			}
			l.house(home{owner: owner, class: string(class)}, reflect.TypeOf(l.kinds[class][name].NewConfig()).Elem())
		}
	}
	return l.allHomes
}

func (l *loader) house(at home, t reflect.Type) {
	l.walk(t, nil, func(name string, path []string, f form) {
		if name != "description" { // nearly everything has one
			h := home{at.owner, at.class, path, f}
			l.allHomes[name] = append(l.allHomes[name], h)
		}
	})
}

// walk calls found for everything that may stand in a block of struct t, and in
// the blocks within.
func (l *loader) walk(t reflect.Type, path []string, found func(name string, path []string, f form)) {
	for _, f := range l.specs.of(t).fields {
		found(f.name, path, f.form)
		switch f.form {
		case block:
			l.walk(structOf(f.typ), append(slices.Clone(path), f.name), found)
		case choice:
			for _, label := range l.specs.of(structOf(f.typ)).fields {
				l.walk(structOf(label.typ), append(slices.Clone(path), fmt.Sprintf("%s %q", f.name, label.name)), found)
			}
		}
	}
}

// belongs says where a thing called name, an attribute or a block that cannot
// stand where it does, belongs: below, above, or into a block of another kind. "": nowhere.
func (d *decoding) belongs(name string, is form, own enclosing) string {
	if hint := d.below(name, is, own); hint != "" {
		return hint
	}
	for i, e := range slices.Backward(d.around) {
		f, _ := lookup(e.takes, name)
		if f != nil && (f.form == attribute) == (is == attribute) || is != attribute && e.others[name] {
			up := len(d.around) - i
			return fmt.Sprintf("It belongs %s up, into %s.", plural(up, "block"), blockName(e.block))
		}
	}
	return ""
}

// below looks for name in the blocks that may stand in this one.
func (d *decoding) below(name string, is form, own enclosing) string {
	var homes []home
	for _, t := range own.takes {
		for _, f := range t.spec.fields {
			inner := t.value.FieldByIndex(f.index).Type()
			if f.form == block {
				homes = append(homes, d.l.find(name, is, structOf(inner), f.name)...)
			}
			if f.form == choice {
				for _, label := range d.l.specs.of(structOf(inner)).fields {
					homes = append(homes, d.l.find(name, is, structOf(label.typ), fmt.Sprintf("%s %q", f.name, label.name))...)
				}
			}
		}
	}
	for _, kind := range keys(d.l.kinds[component.ClassStep]) {
		if own.others[kind] {
			homes = append(homes, d.l.find(name, is, reflect.TypeOf(d.l.kinds[component.ClassStep][kind].NewConfig()).Elem(), kind)...)
		}
	}
	if own.others["route"] && branchTypes[name] {
		homes = append(homes, home{owner: "route", form: is})
	}
	if len(homes) == 0 {
		return ""
	}
	h := homes[0]
	return fmt.Sprintf("It belongs %s down%s", plural(1+len(h.path), "block"), h.written(name))
}

// find gives the place of name in the block owner, whose struct is t.
func (l *loader) find(name string, is form, t reflect.Type, owner string) []home {
	var homes []home
	l.walk(t, nil, func(n string, path []string, f form) {
		if n == name && (f == attribute) == (is == attribute) && name != "description" {
			homes = append(homes, home{owner: owner, path: path, form: f})
		}
	})
	return homes
}

// elsewhere names the kinds of block that have what is called name; those of the
// class given come first.
func (l *loader) elsewhere(name string, is form, class string) string {
	var owners, same []string
	for _, h := range l.homes()[name] { // what is nested deeper comes later
		if (h.form == attribute) != (is == attribute) {
			continue
		}
		owner := h.owner
		if len(h.path) > 0 {
			owner = strings.Join(h.path, ", ") + " in " + owner
		}
		owners = append(owners, owner)
		if h.class == class {
			same = append(same, owner)
		}
	}
	if len(same) > 0 {
		owners = same
	}
	what := "an attribute"
	if is != attribute {
		what = "a block"
	}
	switch n := len(owners); {
	case n == 0:
		return ""
	case n > 4:
		return fmt.Sprintf("%s is %s of %s and others.", name, what, strings.Join(owners[:3], ", "))
	}
	return fmt.Sprintf("%s is %s of %s.", name, what, list(owners))
}

// fromTop tells where a thing that stands at the top level belongs.
func (l *loader) fromTop(name string, is form) string {
	for _, h := range l.homes()[name] {
		if h.owner == "daemon" && (h.form == attribute) == (is == attribute) {
			return "It belongs into daemon" + h.written(name)
		}
	}
	if branchTypes[name] {
		return fmt.Sprintf("%s is a branch: it stands in a route.", name)
	}
	return l.elsewhere(name, is, "")
}

// asAttribute shows how attribute f is written.
func (f *field) asAttribute() string {
	value := "…"
	switch {
	case f.example != "":
		value = f.example
	case len(f.ref) > 0:
		value = strings.TrimPrefix(wanted(f.ref), "a reference like ")
	case len(f.enum) > 0:
		value = fmt.Sprintf("%q", f.enum[0])
	}
	return f.name + " = " + value
}

func plural(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
