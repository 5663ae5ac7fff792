package config

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// value sets v, field f or a part of it, to what e says. Lists and objects that
// are written out are gone through here, so that each element has its own place.
func (d *decoding) value(v reflect.Value, f *field, e hclsyntax.Expression, path string) {
	switch v.Type() {
	case exprType:
		x := d.expression(e, f)
		d.checkYield(x, f, d.at(e.Range()))
		if f.name == "when" { // success = "true", say, has a meaning
			d.constantCondition(x, f, e)
		}
		v.Set(reflect.ValueOf(x))
		return
	case templateType:
		v.Set(reflect.ValueOf(d.template(e, f)))
		return
	case refType:
		v.Set(reflect.ValueOf(d.reference(e, f)))
		return
	case laterType:
		v.Set(reflect.ValueOf(later{e}))
		return
	case forEachType:
		return // expand has read it
	}
	switch {
	case v.Kind() == reflect.Slice && v.Type().Elem() == refType:
		d.references(v, f, e)
	case v.Kind() == reflect.Slice && isTuple(e):
		d.elements(v, f, e.(*hclsyntax.TupleConsExpr), path)
	case v.Kind() == reflect.Map && isObject(e):
		d.entries(v, f, e.(*hclsyntax.ObjectConsExpr), path)
	default:
		d.assignEvaluated(v, f, e, path)
	}
}

func isTuple(e hclsyntax.Expression) bool {
	_, ok := e.(*hclsyntax.TupleConsExpr)
	return ok
}

func isObject(e hclsyntax.Expression) bool {
	_, ok := e.(*hclsyntax.ObjectConsExpr)
	return ok
}

func (d *decoding) elements(v reflect.Value, f *field, e *hclsyntax.TupleConsExpr, path string) {
	s := reflect.MakeSlice(v.Type(), len(e.Exprs), len(e.Exprs))
	for i, elem := range e.Exprs {
		d.value(s.Index(i), f, elem, fmt.Sprintf("%s[%d]", path, i))
	}
	v.Set(s)
}

func (d *decoding) entries(v reflect.Value, f *field, e *hclsyntax.ObjectConsExpr, path string) {
	m := reflect.MakeMapWithSize(v.Type(), len(e.Items))
	for _, item := range e.Items {
		key, ok := d.key(item.KeyExpr)
		if !ok {
			continue
		}
		k := reflect.ValueOf(key).Convert(v.Type().Key())
		if m.MapIndex(k).IsValid() {
			d.error(d.at(item.KeyExpr.Range()), fmt.Sprintf("%q is set twice", key), "Keep one of the two.")
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(elem, f, item.ValueExpr, join(path, key))
		m.SetMapIndex(k, elem)
	}
	v.Set(m)
}

// key evaluates the key of an object that is written out.
func (d *decoding) key(e hclsyntax.Expression) (string, bool) {
	v, ok := d.l.value(e, d.at(e.Range()))
	if !ok {
		d.failed = true
		return "", false
	}
	return d.keyText(v, d.at(e.Range()))
}

func (d *decoding) keyText(v cty.Value, at spot) (string, bool) {
	if v.ContainsMarked() {
		d.error(at, "sensitive value not allowed as a key", "Names show in messages and logs.")
		return "", false
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		d.error(at, "a key must be text", "Write it as a word or a quoted string.")
		return "", false
	}
	if !s.IsKnown() {
		return unknownKey, true
	}
	return s.AsString(), true
}

// assignEvaluated lets HCL evaluate e and puts the result into v.
func (d *decoding) assignEvaluated(v reflect.Value, f *field, e hclsyntax.Expression, path string) {
	val, ok := d.evaluated(e, f)
	if !ok {
		return
	}
	if v.Type() == ctyType {
		if !val.IsNull() {
			v.Set(reflect.ValueOf(val))
		}
		return
	}
	if val, ok = d.unmarked(val, f, v.Type(), e); !ok || val.IsNull() {
		return
	}
	if !val.IsWhollyKnown() {
		d.placeholder(v, path)
		return
	}
	d.assign(v, f, val, d.at(e.Range()))
}

func (d *decoding) evaluated(e hclsyntax.Expression, f *field) (cty.Value, bool) {
	if t, ok := e.(*hclsyntax.TemplateExpr); ok {
		if s, ok := isLiteral(t); ok {
			return cty.StringVal(s), true
		}
	}
	at := d.at(e.Range())
	at.field = f
	val, ok := d.l.value(e, at)
	d.failed = d.failed || !ok
	return val, ok
}

// unmarked lets sensitive values into the fields that may hold them, and nowhere else.
func (d *decoding) unmarked(val cty.Value, f *field, t reflect.Type, e hclsyntax.Expression) (cty.Value, bool) {
	if !val.ContainsMarked() {
		return val, true
	}
	if !f.secret && !holdsSecrets(t) {
		d.error(d.at(e.Range()), "sensitive value not allowed in "+f.name,
			"Its value would show in logs and status. Only attributes that hold secrets take it, and headers and query.")
		return val, false
	}
	val, _ = val.UnmarkDeep()
	return val, true
}

func holdsSecrets(t reflect.Type) bool {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t == secretType
}

// placeholder fills what is not known here; complaints about it are left out.
func (d *decoding) placeholder(v reflect.Value, path string) {
	d.open = append(d.open, path)
	switch {
	case v.Type() == secretType:
		v.Set(reflect.ValueOf(component.NewSecret("placeholder")))
	case v.Kind() == reflect.String:
		v.SetString("placeholder")
	}
}

// assign puts an evaluated value into v.
func (d *decoding) assign(v reflect.Value, f *field, val cty.Value, at spot) {
	switch v.Type() {
	case exprType:
		v.Set(reflect.ValueOf(expr.Constant(goValue(val))))
		return
	case templateType:
		if s, ok := d.str(f, val, at); ok {
			t := &text{}
			d.fillText(t, s, at)
			v.Set(reflect.ValueOf(d.compileTemplate(t, f, at)))
		}
		return
	case anyType:
		if x := goValue(val); x != nil {
			v.Set(reflect.ValueOf(x))
		}
		return
	}
	switch {
	case d.assignUnit(v, f, val, at):
	case v.Kind() == reflect.Slice:
		d.assignList(v, f, val, at)
	case v.Kind() == reflect.Map:
		d.assignMap(v, f, val, at)
	default:
		d.assignScalar(v, f, val, at)
	}
}

func (d *decoding) assignList(v reflect.Value, f *field, val cty.Value, at spot) {
	if t := val.Type(); !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		d.error(at, fmt.Sprintf("%s takes a list", f.name), fmt.Sprintf("Put it in brackets: %s = [%s].", f.name, at.source()))
		return
	}
	list := reflect.MakeSlice(v.Type(), 0, val.LengthInt())
	for it := val.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		x := reflect.New(v.Type().Elem()).Elem()
		d.assign(x, f, elem, at)
		list = reflect.Append(list, x)
	}
	v.Set(list)
}

func (d *decoding) assignMap(v reflect.Value, f *field, val cty.Value, at spot) {
	if t := val.Type(); !t.IsObjectType() && !t.IsMapType() {
		d.error(at, fmt.Sprintf("%s takes an object", f.name), fmt.Sprintf("Write it as %s = { name = value }.", f.name))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for it := val.ElementIterator(); it.Next(); {
		key, elem := it.Element()
		x := reflect.New(v.Type().Elem()).Elem()
		d.assign(x, f, elem, at)
		v.SetMapIndex(reflect.ValueOf(key.AsString()).Convert(v.Type().Key()), x)
	}
}

// goValue is a value of HCL as expressions know values: nil, bool, int64, float64,
// json.Number (whole, beyond 64 bits), string, []any and map[string]any; what is not
// known here is expr.Unknown, or some text.
func goValue(v cty.Value) any {
	switch t := v.Type(); {
	case v.IsNull():
		return nil
	case !v.IsKnown() && t == cty.String:
		return "placeholder"
	case !v.IsKnown():
		return expr.Unknown{}
	case t == cty.String:
		return v.AsString()
	case t == cty.Bool:
		return v.True()
	case t == cty.Number:
		return goNumber(v.AsBigFloat())
	case t.IsObjectType() || t.IsMapType():
		m := make(map[string]any, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			key, elem := it.Element()
			m[key.AsString()] = goValue(elem)
		}
		return m
	case v.CanIterateElements():
		s := make([]any, 0, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			_, elem := it.Element()
			s = append(s, goValue(elem))
		}
		return s
	}
	return nil
}

func goNumber(n *big.Float) any {
	if i, exact := n.Int64(); exact == big.Exact {
		return i
	}
	if n.IsInt() && n.MantExp(nil) < 4096 {
		return json.Number(n.Text('f', 0))
	}
	x, _ := n.Float64()
	return x
}
