package config

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/zclconf/go-cty/cty"
)

// form is what a field of a configuration struct is in HCL.
type form int

const (
	attribute form = iota
	block          // a nested block
	choice         // a nested block with a label that says which
	rest           // all attributes that have no field
	own            // what the block's own label chooses, whose attributes stand beside the others
)

// field is one field of a configuration struct, its tags read.
type field struct {
	name                                 string
	index                                []int
	typ                                  reflect.Type
	form                                 form
	required, identity, secret, path     bool
	place                                bool // a path, of this machine unless the component has a connection
	gone                                 bool // a reference to what is no more
	doc, example, min, max, scope, yield string
	standard                             string // its default as HCL, where the value itself does not show it
	enum, ref                            []string
	escape                               expr.Escape
}

// spec is what a configuration struct says about its block.
type spec struct {
	fields []*field
	byName map[string]*field
	rest   *field
	own    *field
}

func (s *spec) names(forms ...form) []string {
	var names []string
	for _, f := range s.fields {
		for _, want := range forms {
			if f.form == want {
				names = append(names, f.name)
			}
		}
	}
	return names
}

type specs map[reflect.Type]*spec

// of reads the tags of t, a struct, once. It panics on a tag that makes no sense:
// CheckKinds finds these before a user does.
func (s specs) of(t reflect.Type) *spec {
	if sp, ok := s[t]; ok {
		return sp
	}
	sp := &spec{byName: map[string]*field{}}
	sp.collect(t, nil)
	s[t] = sp
	return sp
}

func (s *spec) collect(t reflect.Type, prefix []int) {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(append([]int(nil), prefix...), i)
		tag, tagged := sf.Tag.Lookup("hcl")
		switch {
		case sf.Anonymous && !tagged && sf.Type.Kind() == reflect.Struct:
			s.collect(sf.Type, index)
		case tagged:
			s.add(t, newField(t, sf, tag, index))
		}
	}
}

func (s *spec) add(t reflect.Type, f *field) {
	switch f.form {
	case rest:
		s.rest = f
		return
	case own:
		s.own = f
		return
	}
	if s.byName[f.name] != nil {
		panic(fmt.Sprintf("config: %s has two fields for %q", t, f.name))
	}
	s.byName[f.name] = f
	s.fields = append(s.fields, f)
}

func newField(t reflect.Type, sf reflect.StructField, tag string, index []int) *field {
	name, options, _ := strings.Cut(tag, ",")
	f := &field{
		name: name, index: index, typ: sf.Type,
		doc: sf.Tag.Get("doc"), example: sf.Tag.Get("example"), standard: sf.Tag.Get("default"), min: sf.Tag.Get("min"), max: sf.Tag.Get("max"),
		scope: sf.Tag.Get("scope"), yield: sf.Tag.Get("yields"),
		path: sf.Tag.Get("path") == "file", place: sf.Tag.Get("path") == "place",
		enum: alternatives(sf.Tag.Get("enum")), ref: alternatives(sf.Tag.Get("ref")),
	}
	var ok bool
	if f.escape, ok = escapes[sf.Tag.Get("escape")]; !ok {
		panic(fmt.Sprintf("config: %s.%s: unknown escape %q", t, sf.Name, sf.Tag.Get("escape")))
	}
	if f.yield != "" && yields[f.yield] == nil {
		panic(fmt.Sprintf("config: %s.%s: nothing yields %q", t, sf.Name, f.yield))
	}
	for _, option := range strings.Split(options, ",") {
		switch option {
		case "":
		case "required":
			f.required = true
		case "identity":
			f.identity = true
		case "secret":
			f.secret = true
		case "gone":
			f.gone = true
		case "block":
			f.form = block
		case "oneof":
			f.form = choice
		case "fields":
			f.form = rest
		case "label":
			f.form = own
		default:
			panic(fmt.Sprintf("config: %s.%s: unknown option %q", t, sf.Name, option))
		}
	}
	return f
}

// sees are the names that an expression in f sees, where the usual ones are names.
func (f *field) sees(names []string, records bool) []string {
	if f.scope == "" {
		return names
	}
	all := slices.Clone(names)
	for name := range strings.SplitSeq(f.scope, ",") {
		name, optional := strings.CutPrefix(name, "?")
		if (!optional || records) && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

var escapes = map[string]expr.Escape{
	"": expr.Text, "text": expr.Text, "path": expr.Path, "query": expr.Query, "header": expr.Header,
	"file": expr.FileName, "arg": expr.Argument, "html": expr.HTML,
}

func alternatives(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Split(tag, "|")
}

// The types that fields have beside Go's own.
var (
	exprType     = reflect.TypeFor[expr.Expr]()
	templateType = reflect.TypeFor[expr.Template]()
	refType      = reflect.TypeFor[component.Ref]()
	secretType   = reflect.TypeFor[component.Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[component.Size]()
	rateType     = reflect.TypeFor[component.Rate]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
	ctyType      = reflect.TypeFor[cty.Value]()
	anyType      = reflect.TypeFor[any]()
	forEachType  = reflect.TypeFor[forEach]()
	laterType    = reflect.TypeFor[later]()
)

// structOf is the struct that a block of field type t fills.
func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// CheckKinds tells what is wrong with the declarations of kinds: a tag or type that
// decoding does not know, an attribute without doc, two kinds of one name. It is
// for the tests of the lists of kinds.
func CheckKinds(kinds []component.Kind) error {
	s := specs{}
	seen := map[string]bool{}
	var errs []error
	for _, k := range kinds {
		id := fmt.Sprintf("%s %q", k.Class, k.Name)
		if seen[id] {
			errs = append(errs, fmt.Errorf("%s is declared twice", id))
		}
		seen[id] = true
		if !strings.HasSuffix(k.Doc, ".") {
			errs = append(errs, fmt.Errorf("%s: its doc is no sentence", id))
		}
		errs = append(errs, s.check(id, reflect.TypeOf(k.NewConfig()).Elem())...)
	}
	return errors.Join(errs...)
}

func (s specs) check(where string, t reflect.Type) (errs []error) {
	defer func() {
		if r := recover(); r != nil {
			errs = append(errs, fmt.Errorf("%s: %v", where, r))
		}
	}()
	sp := s.of(t)
	fields := sp.fields
	for _, f := range []*field{sp.rest, sp.own} {
		if f != nil {
			fields = append(fields, f)
		}
	}
	for _, f := range fields {
		at := where + ", " + f.name
		if f.doc == "" {
			errs = append(errs, fmt.Errorf("%s: no doc", at))
		}
		switch {
		case f.form == block:
			errs = append(errs, s.check(at, structOf(f.typ))...)
		case f.form == choice || f.form == own:
			for _, label := range s.of(structOf(f.typ)).fields {
				if label.typ.Kind() != reflect.Pointer {
					errs = append(errs, fmt.Errorf("%s %s: no pointer to a struct", at, label.name))
					continue
				}
				errs = append(errs, s.check(at+" "+label.name, structOf(label.typ))...)
			}
		case !decodable(f.typ):
			errs = append(errs, fmt.Errorf("%s: no way to decode a %s", at, f.typ))
		}
	}
	return errs
}

func decodable(t reflect.Type) bool {
	switch t {
	case exprType, templateType, refType, secretType, durationType, sizeType, rateType, prefixType, ctyType, anyType:
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return true
	case reflect.Pointer:
		return t.Elem().Kind() == reflect.Bool || t.Elem().Kind() == reflect.Int
	case reflect.Slice:
		return decodable(t.Elem())
	case reflect.Map:
		return t.Key().Kind() == reflect.String && decodable(t.Elem())
	}
	return false
}
