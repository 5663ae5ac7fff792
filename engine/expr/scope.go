package expr

import (
	"maps"
	"slices"
	"strings"
)

// Scope is what an expression may see.
type Scope struct {
	// Names are the top-level names beside var, local and secret: "body", "meta", …
	// They are fields of Input, in lower case. A nil *Scope has body, meta, event, vars, parent.
	Names []string
	// Var and Local hold the values known at load. Sensitive ones are left out
	// and named in Sensitive ("var.token"): using one is an error that says so.
	// One that is not known yet is Unknown.
	Var, Local map[string]any
	Sensitive  []string
	// Secrets may be used only as arguments of hash functions.
	Secrets map[string]string
	// Each is what for_each gives the component: key and value; nil where there is
	// none. Fields of the value that are sensitive are left out and named in
	// Sensitive ("each.value.token"), or all of it ("each.value").
	Each map[string]any
	// Tables are what table(name, key) looks into; nil is one that could not be read.
	Tables map[string]*Table
	// Used, if there is one, is told every name of these that a text uses: "var.site".
	Used map[string]bool
}

// loaders say how each top-level name is read; their order numbers the bits of nameSet.
var loaders = []struct {
	name string
	load func(*Input) any
}{
	{"body", (*Input).lazy},
	{"meta", (*Input).lazy},
	{"event", func(in *Input) any { return in.Event.object() }},
	{"vars", func(in *Input) any { return object(in.Vars) }},
	{"parent", func(in *Input) any { return in.Parent }},
	{"record", func(in *Input) any { return in.Record }},
	{"response", func(in *Input) any { return in.Response }},
	{"cursor", func(in *Input) any { return in.Cursor }},
	{"var", nil},
	{"local", nil},
	{"secret", nil},
	{"each", nil},
}

const (
	bodyName = name(iota)
	metaName
)

// lazy stands for what a machine reads in its own way.
func (*Input) lazy() any { return nil }

// usual is how many of the loaders a nil *Scope offers.
const usual = 5

// object keeps an absent object from becoming a typed nil.
func object(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

// nameSet holds the top-level names that a text uses, by their place in loaders.
type nameSet uint16

func nameIndex(name string) int {
	for i := range loaders {
		if loaders[i].name == name {
			return i
		}
	}
	return -1
}

func (s nameSet) has(name string) bool {
	i := nameIndex(name)
	return i >= 0 && s&(1<<i) != 0
}

func (sc *Scope) sees(name string) bool {
	if sc != nil {
		return slices.Contains(sc.Names, name)
	}
	i := nameIndex(name)
	return i >= 0 && i < usual
}

// visible lists every name that an expression can see, sorted.
func (sc *Scope) visible() []string {
	all := []string{"var", "local", "secret"}
	if sc != nil {
		all = append(all, sc.Names...)
		if sc.hasEach() {
			all = append(all, "each")
		}
	} else {
		for _, l := range loaders[:usual] {
			all = append(all, l.name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// entry gives what group (var or local) holds under name, and whether it is sensitive.
func (sc *Scope) entry(group, name string) (v any, sensitive, ok bool) {
	if sc == nil {
		return nil, false, false
	}
	if slices.Contains(sc.Sensitive, group+"."+name) {
		return nil, true, true
	}
	from := sc.Var
	if group == "local" {
		from = sc.Local
	}
	v, ok = from[name]
	return v, false, ok
}

func (sc *Scope) note(name string) {
	if sc != nil && sc.Used != nil {
		sc.Used[name] = true
	}
}

// entries are the names that group (var, local or secret) has.
func (sc *Scope) entries(group string) []string {
	if sc == nil {
		return nil
	}
	var names []string
	switch group {
	case "var":
		names = slices.Collect(maps.Keys(sc.Var))
	case "local":
		names = slices.Collect(maps.Keys(sc.Local))
	case "secret":
		names = slices.Collect(maps.Keys(sc.Secrets))
	}
	for _, s := range sc.Sensitive {
		if rest, ok := strings.CutPrefix(s, group+"."); ok {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names
}
