package config

import (
	"embed"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
)

// Schema says what may stand in a block. It is made from the declarations alone, for
// whoever tells people of them: explain, the reference, editors.
type Schema struct {
	Type       string      `json:"type"`                 // "source", "verify"
	Kind       string      `json:"kind,omitempty"`       // its first label where that says which one it is: "webhook"
	Named      bool        `json:"named,omitempty"`      // a label of the user's own follows
	Doc        string      `json:"doc"`                  // a sentence
	Page       string      `json:"page,omitempty"`       // Markdown: what the sentence and the attributes leave open
	Required   bool        `json:"required,omitempty"`   // of a nested block: it must be there
	Repeated   bool        `json:"repeated,omitempty"`   // of a nested block: any number may be there
	Attributes []Attribute `json:"attributes,omitempty"` // in the order of the reference
	Fields     *Attribute  `json:"fields,omitempty"`     // what any attribute beside them is
	Blocks     []Schema    `json:"blocks,omitempty"`
	// Choices is what the block's one label may be, as Kind of each; its attributes and
	// blocks stand in the block as well.
	Choices []Schema `json:"choices,omitempty"`
	Steps   bool     `json:"steps,omitempty"` // steps may stand in it as well
}

// Attribute says what an attribute is. Texts of HCL are written as in a file.
type Attribute struct {
	Name       string   `json:"name"`
	Doc        string   `json:"doc"`
	Evaluated  string   `json:"evaluated"`            // value, expr, template or reference
	Type       string   `json:"type"`                 // of what: "duration", "list of text"
	Default    string   `json:"default,omitempty"`    // HCL
	Example    string   `json:"example,omitempty"`    // HCL
	Enum       []string `json:"enum,omitempty"`       // the values there are
	References []string `json:"references,omitempty"` // beginnings of the addresses that it takes
	Scope      []string `json:"scope,omitempty"`      // the names that an expression in it sees
	Yields     string   `json:"yields,omitempty"`     // what an expression in it must yield: bool, list or text
	Min        string   `json:"min,omitempty"`
	Max        string   `json:"max,omitempty"`
	Required   bool     `json:"required,omitempty"`
	Identity   bool     `json:"identity,omitempty"` // a change starts the checkpoint over
	Secret     bool     `json:"secret,omitempty"`   // sensitive values may stand in it
	Common     bool     `json:"common,omitempty"`   // every block of the type takes it
}

// Address is how the block is called: `source "webhook"`, `filter`.
func (s *Schema) Address() string {
	if s.Kind == "" {
		return s.Type
	}
	return fmt.Sprintf("%s %q", s.Type, s.Kind)
}

// Find is the nested block of that type and kind, nil if there is none.
func (s *Schema) Find(typ, kind string) *Schema {
	return find(s.Blocks, typ, kind)
}

func find(all []Schema, typ, kind string) *Schema {
	i := slices.IndexFunc(all, func(b Schema) bool { return b.Type == typ && b.Kind == kind })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// Attribute is the attribute of that name, nil if there is none.
func (s *Schema) Attribute(name string) *Attribute {
	i := slices.IndexFunc(s.Attributes, func(a Attribute) bool { return a.Name == name })
	if i < 0 {
		return s.Fields
	}
	return &s.Attributes[i]
}

// Language is everything that configurations can be written of.
type Language struct {
	Blocks []Schema `json:"blocks"` // of the top level
	Steps  []Schema `json:"steps"`
}

// Block is the block of the top level of that type and kind, or the step, nil if there is none.
func (l *Language) Block(typ, kind string) *Schema {
	if s := find(l.Blocks, typ, kind); s != nil {
		return s
	}
	if s := find(l.Steps, typ, kind); s != nil {
		return s
	}
	if s := find(l.Steps, typ, ""); s != nil {
		return s.choose(kind)
	}
	return nil
}

// choose is the block with one of its choices, nil if that is none.
func (s *Schema) choose(label string) *Schema {
	chosen := find(s.Choices, s.Type, label)
	if chosen == nil {
		return nil
	}
	all := *s
	all.Kind, all.Choices = label, nil
	all.Attributes = slices.Concat(s.Attributes, chosen.Attributes)
	all.Blocks = slices.Concat(s.Blocks, chosen.Blocks)
	return &all
}

// All are the blocks of the top level, then the steps.
func (l *Language) All() []Schema { return slices.Concat(l.Blocks, l.Steps) }

// Describe tells what can be written with kinds.
func Describe(kinds []component.Kind) *Language {
	d := describer{specs: specs{}}
	lang := &Language{}
	for _, b := range settings {
		lang.Blocks = append(lang.Blocks, d.setting(b))
	}
	for _, k := range kinds {
		if k.Class == component.ClassStep {
			lang.Steps = append(lang.Steps, d.kind(k, ""))
		} else {
			lang.Blocks = append(lang.Blocks, d.kind(k, k.Name))
		}
	}
	for _, b := range constructs {
		lang.Steps = append(lang.Steps, d.setting(b))
	}
	return lang
}

// setting is a block that is no kind.
type setting struct {
	typ, kind string
	doc       string
	named     bool
	names     []string   // that expressions in it see
	config    func() any // pointer to a struct
	fields    *Attribute
	nested    []setting
	steps     bool
}

// settings are the blocks of the top level that are no kinds.
var settings = []setting{
	{typ: "daemon", doc: "How the daemon itself runs.", config: func() any { c := newDaemonConfig(".syncd"); return &c }},
	{typ: "listener", kind: "http", named: true, doc: "An address that sources are reached at.", config: func() any { return &listenerConfig{} }},
	{typ: "variable", named: true, doc: "A value that is set from outside.", config: func() any { return &variableConfig{} }},
	{typ: "locals", doc: "Values of your own, for use in several places.",
		fields: &Attribute{Name: "NAME", Doc: "Becomes local.NAME.", Evaluated: "value", Type: "any value"}},
	{typ: "table", named: true, doc: "Lookup data of a file, by key.", config: func() any { return &tableConfig{} }},
	{typ: "secret", named: true, doc: "Text that never shows.", config: func() any { return &secretConfig{} }},
	{typ: "flow", named: true, doc: "Brings events from sources through steps to sinks.", names: flowNames, steps: true, config: func() any { c := newFlowConfig(); return &c }},
	{typ: "transform", named: true, doc: "A run of steps that flows apply.", steps: true, config: func() any { return &transformConfig{} }},
	{typ: "moved", doc: "A rename that keeps state.", config: func() any { return &movedConfig{} }},
}

// constructs are the steps that are the engine's own.
var constructs = []setting{
	{typ: "route", doc: "Takes events one way or another.", names: flowNames, config: func() any { c := newRouteConfig(); return &c }, nested: []setting{
		{typ: "case", named: true, doc: "A branch for the events for which its condition is true.", names: flowNames, steps: true, config: func() any { return &caseConfig{} }},
		{typ: "otherwise", doc: "The branch for events that no case took.", steps: true, config: func() any { return &otherwiseConfig{} }},
	}},
	{typ: "apply", doc: "Runs the steps of a transform in place.", config: func() any { return &applyConfig{} }},
}

//go:embed pages
var pages embed.FS

// page is the text on a setting, "" if its attributes say all.
func page(typ string) string {
	text, err := fs.ReadFile(pages, "pages/"+typ+".md")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

type describer struct {
	specs   specs
	records bool // of the kind that is described
}

func (d describer) setting(b setting) Schema {
	s := Schema{Type: b.typ, Kind: b.kind, Named: b.named, Doc: b.doc, Page: page(b.typ), Fields: b.fields, Steps: b.steps}
	if b.config != nil {
		d.fill(&s, reflect.ValueOf(b.config()).Elem(), b.names)
	}
	for _, n := range b.nested {
		inner := d.setting(n)
		inner.Repeated = n.named
		s.Blocks = append(s.Blocks, inner)
	}
	return s
}

func (d describer) kind(k component.Kind, label string) Schema {
	s := Schema{Type: string(k.Class), Kind: label, Named: label != "", Doc: k.Doc, Page: k.Page}
	if k.Class == component.ClassStep {
		s.Type = k.Name
	}
	names := namesOf(k)
	d.records = k.Records
	d.fill(&s, reflect.ValueOf(k.NewConfig()).Elem(), names)
	for _, config := range sharedBy(k.Class) {
		shared := Schema{}
		d.fill(&shared, reflect.ValueOf(config).Elem(), names)
		for _, a := range shared.Attributes {
			a.Common = true
			s.Attributes = append(s.Attributes, a)
		}
		s.Blocks = append(s.Blocks, shared.Blocks...)
	}
	return s
}

// sharedBy are the structs that every block of the class fills beside its kind's own.
func sharedBy(class component.Class) []any {
	switch class {
	case component.ClassSource, component.ClassSink:
		return []any{newCommon(class), &repeatable{}}
	case component.ClassConnection:
		return []any{&repeatable{}}
	}
	return nil
}

// newCommon is what every source, or every sink, takes.
func newCommon(class component.Class) any {
	switch class {
	case component.ClassSource:
		c := &component.SourceCommon{}
		c.SetDefaults()
		return c
	case component.ClassSink:
		c := &component.SinkCommon{}
		c.SetDefaults()
		return c
	}
	return nil
}

// fill describes the fields of v, a struct that holds the defaults.
func (d describer) fill(s *Schema, v reflect.Value, names []string) {
	sp := d.specs.of(v.Type())
	presetStructs(target{sp, v})
	for _, f := range sp.fields {
		switch f.form {
		case attribute:
			s.Attributes = append(s.Attributes, f.describe(v.FieldByIndex(f.index), f.sees(names, d.records)))
		case block:
			s.Blocks = append(s.Blocks, d.block(f, v, names))
		case choice:
			s.Blocks = append(s.Blocks, d.choices(f, names)...)
		}
	}
	if sp.own != nil {
		named := *sp.own
		named.name = s.Type
		s.Choices = d.choices(&named, names)
	}
	if sp.rest != nil {
		a := sp.rest.describe(reflect.Value{}, sp.rest.sees(names, d.records))
		s.Fields = &a
	}
}

func (d describer) block(f *field, outer reflect.Value, names []string) Schema {
	s := Schema{Type: f.name, Doc: f.doc, Required: f.required, Repeated: f.typ.Kind() == reflect.Slice}
	v := reflect.New(structOf(f.typ)).Elem()
	if f.typ.Kind() == reflect.Struct {
		v.Set(outer.FieldByIndex(f.index))
	} else {
		setDefaults(v)
	}
	d.fill(&s, v, names)
	return s
}

// choices are a schema for each label that block f may have.
func (d describer) choices(f *field, names []string) []Schema {
	var all []Schema
	for _, label := range d.specs.of(structOf(f.typ)).fields {
		s := Schema{Type: f.name, Kind: label.name, Doc: label.doc, Required: f.required, Repeated: f.typ.Kind() == reflect.Slice}
		v := reflect.New(structOf(label.typ)).Elem()
		setDefaults(v)
		d.fill(&s, v, names)
		all = append(all, s)
	}
	return all
}
