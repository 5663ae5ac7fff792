package config

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"
)

// assignUnit sets fields whose types have a notation of their own: durations,
// sizes, rates, secrets, addresses. False: v is none of these.
func (d *decoding) assignUnit(v reflect.Value, f *field, val cty.Value, at spot) bool {
	switch v.Type() {
	case durationType:
		setParsed(d, v, f, val, at, parseDuration, durationForm)
	case sizeType:
		setParsed(d, v, f, val, at, parseSize, sizeForm)
	case rateType:
		setParsed(d, v, f, val, at, parseRate, rateForm)
	case prefixType:
		setParsed(d, v, f, val, at, parsePrefix, `Write an address or a network: "10.0.0.7", "10.0.0.0/8" or "2001:db8::/32".`)
	case secretType:
		if s, ok := d.str(f, val, at); ok {
			v.Set(reflect.ValueOf(component.NewSecret(s)))
		}
	default:
		return false
	}
	return true
}

func setParsed[T any](d *decoding, v reflect.Value, f *field, val cty.Value, at spot, parse func(string) (T, error), form string) {
	s, ok := d.str(f, val, at)
	if !ok {
		return
	}
	parsed, err := parse(s)
	if err != nil {
		if guess := guessUnit(v.Type(), s); guess != "" {
			d.error(at, fmt.Sprintf("invalid %s %q", f.name, s), form+line(guess))
			return
		}
		d.error(at, fmt.Sprintf("invalid %s: %v", f.name, err), form)
		return
	}
	v.Set(reflect.ValueOf(parsed))
	d.checkBounds(v, f, at)
}

func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no address", s)
	}
	return p.Masked(), nil
}

// str is val as text; numbers and bools are text too.
func (d *decoding) str(f *field, val cty.Value, at spot) (string, bool) {
	s, err := convert.Convert(val, cty.String)
	if err != nil || s.IsNull() {
		d.error(at, f.name+" takes text", fmt.Sprintf("This is %s. Put text in quotes.", article(val)))
		return "", false
	}
	return s.AsString(), true
}

func article(val cty.Value) string {
	switch t := val.Type(); {
	case val.IsNull():
		return "null"
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "true or false"
	case t == cty.String:
		return "text"
	case t.IsObjectType() || t.IsMapType():
		return "an object"
	}
	return "a list"
}

// assignScalar sets strings, numbers and bools.
func (d *decoding) assignScalar(v reflect.Value, f *field, val cty.Value, at spot) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		if s, ok := d.str(f, val, at); ok {
			d.setString(v, f, s, at)
		}
	case reflect.Bool:
		b, err := convert.Convert(val, cty.Bool)
		if err != nil || b.IsNull() {
			d.error(at, f.name+" takes true or false", fmt.Sprintf("This is %s.", article(val)))
			return
		}
		v.SetBool(b.True())
	default:
		d.setNumber(v, f, val, at)
	}
}

func (d *decoding) setString(v reflect.Value, f *field, s string, at spot) {
	if len(f.enum) > 0 && !slices.Contains(f.enum, s) {
		d.error(at, fmt.Sprintf("invalid %s %q", f.name, s), fmt.Sprintf("It may be %s.", quoted(f.enum))+line(suggest(s, f.enum)))
		return
	}
	if f.name != "description" && strings.Contains(s, "{{") {
		d.holes = append(d.holes, hole{f, at})
	}
	if f.path && s != "" {
		s = absolute(filepath.Dir(d.file.path), s)
		d.l.include(s)
	}
	if f.place && s != "" && !filepath.IsAbs(s) {
		if d.elsewhere() {
			d.relative(f, s, at)
			return
		}
		s = absolute(filepath.Dir(d.file.path), s)
	}
	v.SetString(s)
}

func (d *decoding) setNumber(v reflect.Value, f *field, val cty.Value, at spot) {
	n, err := convert.Convert(val, cty.Number)
	if err != nil || n.IsNull() {
		d.error(at, f.name+" takes a number", fmt.Sprintf("This is %s.", article(val)))
		return
	}
	if err := gocty.FromCtyValue(n, v.Addr().Interface()); err != nil {
		d.error(at, f.name+" takes a whole number", fmt.Sprintf("%s is none that fits.", at.source()))
		return
	}
	d.checkBounds(v, f, at)
}

// checkBounds holds a number, size or duration against the tags min and max.
func (d *decoding) checkBounds(v reflect.Value, f *field, at spot) {
	if f.min != "" && number(v) < bound(v.Type(), f.min) {
		d.error(at, fmt.Sprintf("%s is too small", f.name), fmt.Sprintf("It must be at least %s.", f.min))
	}
	if f.max != "" && number(v) > bound(v.Type(), f.max) {
		d.error(at, fmt.Sprintf("%s is too large", f.name), fmt.Sprintf("It may be at most %s.", f.max))
	}
}

func number(v reflect.Value) float64 {
	switch {
	case v.CanInt():
		return float64(v.Int())
	case v.CanFloat():
		return v.Float()
	}
	r := v.Interface().(component.Rate)
	return float64(r.N) / r.Per.Seconds()
}

// bound reads a min or max tag, which is written as in HCL.
func bound(t reflect.Type, tag string) float64 {
	var x float64
	var err error
	switch t {
	case durationType:
		var b time.Duration
		b, err = parseDuration(tag)
		x = float64(b)
	case sizeType:
		var b component.Size
		b, err = parseSize(tag)
		x = float64(b)
	case rateType:
		var b component.Rate
		if b, err = parseRate(tag); err == nil {
			x = number(reflect.ValueOf(b))
		}
	default:
		_, err = fmt.Sscan(tag, &x)
	}
	if err != nil {
		panic(fmt.Sprintf("config: bound %q of a %s: %v", tag, t, err))
	}
	return x
}
