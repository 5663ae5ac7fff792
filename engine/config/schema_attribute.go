package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// describe says what f is, in which expressions see names; v holds its default, or
// is no value.
func (f *field) describe(v reflect.Value, names []string) Attribute {
	a := Attribute{
		Name: f.name, Doc: f.doc, Example: f.example, Default: f.standard, Enum: f.enum, References: f.ref,
		Min: f.min, Max: f.max, Required: f.required, Identity: f.identity, Secret: f.secret || holdsSecrets(f.typ),
	}
	if f.form == rest {
		a.Name = "NAME"
	}
	a.Evaluated, a.Type = evaluated(f.typ)
	switch a.Evaluated {
	case "expr":
		a.Yields = f.yield
		fallthrough
	case "template":
		a.Scope = slices.Sorted(slices.Values(append(slices.Clone(names), globalRoots...)))
	}
	if a.Default == "" && !f.required && v.IsValid() {
		a.Default = literal(v)
	}
	return a
}

var scalarNames = map[reflect.Type]string{
	secretType: "text", durationType: "duration", sizeType: "size", rateType: "rate", prefixType: "address or network",
	ctyType: "any value", anyType: "any value", forEachType: "map or set", laterType: "any value",
}

// evaluated says when what is written for a field of type t is evaluated, and of
// what type it then is.
func evaluated(t reflect.Type) (when, typ string) {
	switch t {
	case exprType:
		return "expr", "expression"
	case templateType:
		return "template", "text"
	case refType:
		return "reference", "reference"
	}
	if name, ok := scalarNames[t]; ok {
		return "value", name
	}
	switch t.Kind() {
	case reflect.Pointer:
		return evaluated(t.Elem())
	case reflect.Slice:
		when, typ = evaluated(t.Elem())
		return when, "list of " + plurals(typ)
	case reflect.Map:
		when, typ = evaluated(t.Elem())
		return when, "object of " + plurals(typ)
	case reflect.Bool:
		return "value", "true or false"
	case reflect.Int, reflect.Int64:
		return "value", "whole number"
	case reflect.Float64:
		return "value", "number"
	}
	return "value", "text"
}

func plurals(typ string) string {
	switch typ {
	case "text":
		return typ
	case "address or network":
		return "addresses and networks"
	}
	return typ + "s"
}

// literal writes a default as HCL, "" for one that says nothing.
func literal(v reflect.Value) string {
	if v.IsZero() && v.Kind() != reflect.Bool {
		return ""
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		return strconv.Quote(durationText(x))
	case component.Size:
		return strconv.Quote(sizeText(x))
	case component.Rate:
		return strconv.Quote(fmt.Sprintf("%d/%s", x.N, map[time.Duration]string{time.Second: "s", time.Minute: "m", time.Hour: "h"}[x.Per]))
	}
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return fmt.Sprint(v.Interface())
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		elems := make([]string, v.Len())
		for i := range elems {
			elems[i] = literal(v.Index(i))
		}
		return "[" + strings.Join(elems, ", ") + "]"
	}
	return ""
}

// durationText writes d with the largest unit up to hours that leaves no rest.
func durationText(d time.Duration) string {
	for _, u := range []struct {
		name string
		is   time.Duration
	}{{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if d%u.is == 0 {
			return fmt.Sprintf("%d%s", d/u.is, u.name)
		}
	}
	return d.String()
}

// sizeText writes n with the largest unit that leaves no rest.
func sizeText(n component.Size) string {
	for _, u := range sizeUnits {
		if n%component.Size(u.is) == 0 {
			return fmt.Sprintf("%d%s", int64(n)/int64(u.is), u.name)
		}
	}
	return fmt.Sprintf("%dB", n)
}
