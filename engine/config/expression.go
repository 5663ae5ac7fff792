package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/expr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// scope is what expressions see that may use names. Scopes of the same names are
// one, so that thousands of expressions share it.
func (l *loader) scope(names []string) *expr.Scope {
	id := strings.Join(names, ",")
	if sc, ok := l.scopes[id]; ok {
		return sc
	}
	sc := &expr.Scope{Names: names}
	if all, ok := l.scopes[""]; ok {
		sc.Var, sc.Local, sc.Sensitive, sc.Secrets, sc.Tables, sc.Used = all.Var, all.Local, all.Sensitive, all.Secrets, all.Tables, all.Used
	} else {
		l.fillScope(sc)
	}
	l.scopes[id] = sc
	return sc
}

// fillScope gives sc the variables, locals and secrets.
func (l *loader) fillScope(sc *expr.Scope) {
	sc.Var, sc.Local, sc.Secrets = map[string]any{}, map[string]any{}, map[string]string{}
	sc.Tables, sc.Used = l.tables, l.globals.used
	for _, root := range globalRoots {
		for _, name := range keys(l.globals.defs[root]) {
			g := l.globals.defs[root][name]
			value, _ := g.value.UnmarkDeep()
			switch {
			case root == "secret":
				sc.Secrets[name] = secretText(value)
			case g.value.ContainsMarked():
				sc.Sensitive = append(sc.Sensitive, g.String())
			case root == "var":
				sc.Var[name] = seen(value)
			default:
				sc.Local[name] = seen(value)
			}
		}
	}
}

func secretText(v cty.Value) string {
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return ""
	}
	return s.AsString()
}

// scopeOf is what the expressions of field f see.
func (d *decoding) scopeOf(f *field) *expr.Scope {
	return d.l.each.scope(d.l.scope(f.sees(d.names, d.records)))
}

// expression makes an expr attribute, or a leaf of one.
func (d *decoding) expression(e hclsyntax.Expression, f *field) expr.Expr {
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return d.expression(e.Expression, f)
	case *hclsyntax.TemplateExpr:
		if s, ok := isLiteral(e); ok {
			return d.compile(d.file.literal(e.Range(), s), f, d.at(e.Range()))
		}
		return d.notLiteral(e)
	case *hclsyntax.TemplateWrapExpr:
		return d.notLiteral(e)
	case *hclsyntax.ObjectConsExpr:
		return d.objectOf(e, f)
	case *hclsyntax.TupleConsExpr:
		elems := make([]expr.Expr, len(e.Exprs))
		for i, elem := range e.Exprs {
			elems[i] = d.expression(elem, f)
		}
		return expr.List(elems)
	}
	return d.constant(e, f)
}

func (d *decoding) compile(t *text, f *field, whole spot) expr.Expr {
	x, err := expr.Compile(d.source(t, f), d.scopeOf(f))
	if err != nil {
		d.faults("expression", t, err, whole)
		return expr.Expr{}
	}
	return x
}

// source is t as package expr wants it. Where a uuid is made, its place gets a
// name that edits elsewhere do not change: the attribute, the text, and which of
// several such texts it is.
func (d *decoding) source(t *text, f *field) expr.Source {
	s := t.source(d.file)
	if strings.Contains(s.Text, "uuid") {
		name := d.context + d.l.each.label() + "/" + f.name + ": " + s.Text
		s.Place = fmt.Sprintf("%s #%d", name, d.l.uuids[name])
		d.l.uuids[name]++
	}
	return s
}

// checkYield refuses an expression that can never yield what f needs.
func (d *decoding) checkYield(x expr.Expr, f *field, at spot) {
	if f.yield == "" {
		return
	}
	var e *expr.Error
	if err := yields[f.yield](x); errors.As(err, &e) {
		d.error(at, faultSummary("expression", e), sentence(upperFirst(e.Message))+line(sentence(upperFirst(e.Hint))))
	}
}

// yields are the checks that the tag of that name may ask for.
var yields = map[string]func(expr.Expr) error{
	"bool": expr.Expr.CheckBool, "list": expr.Expr.CheckList, "text": expr.Expr.CheckText,
}

func (d *decoding) objectOf(e *hclsyntax.ObjectConsExpr, f *field) expr.Expr {
	fields := make([]expr.Field, 0, len(e.Items))
	seen := map[string]bool{}
	for _, item := range e.Items {
		key, ok := d.key(item.KeyExpr)
		if ok && seen[key] {
			d.error(d.at(item.KeyExpr.Range()), fmt.Sprintf("field %q is set twice", key), "Keep one of the two.")
		}
		seen[key] = true
		fields = append(fields, expr.Field{Name: key, Value: d.expression(item.ValueExpr, f)})
	}
	return expr.Object(fields)
}

// notLiteral answers ${} in an expression with what to write instead.
func (d *decoding) notLiteral(e hclsyntax.Expression) expr.Expr {
	at := d.at(e.Range())
	if ts := e.Variables(); len(ts) > 0 {
		at = d.at(ts[0].SourceRange())
	}
	hint := "An expression is fixed text: it sees var and local by name."
	if say := d.withoutInterpolation(e); say != "" {
		hint += line(fmt.Sprintf("Write %q.", say))
	}
	d.error(at, "${…} in an expression", hint)
	return expr.Expr{}
}

// withoutInterpolation is the expression that e, a string with ${}, was most
// likely meant to be: its names bare, and without the quotes that were around
// them. "": there is none.
func (d *decoding) withoutInterpolation(e hclsyntax.Expression) string {
	raw := d.file.source(e.Range())
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	say := interpolation.ReplaceAllStringFunc(raw[1:len(raw)-1], func(s string) string {
		return interpolation.FindStringSubmatch(s)[2]
	})
	if _, err := expr.Compile(expr.Source{Text: say}, d.l.each.scope(d.l.scope(d.names))); err != nil {
		return ""
	}
	return say
}

// interpolation is a name in ${}, with quotes around it or not.
var interpolation = regexp.MustCompile(`(?:'|\\")?\$\{(~?)\s*([\w.]+)\s*~?\}(?:'|\\")?`)

// constant evaluates what is no literal at load.
func (d *decoding) constant(e hclsyntax.Expression, f *field) expr.Expr {
	v, ok := d.evaluated(e, f)
	if !ok {
		return expr.Expr{}
	}
	if v.ContainsMarked() {
		d.error(d.at(e.Range()), "sensitive value not allowed in "+f.name,
			"What an expression yields goes into events. Only secret.NAME, as an argument of a hash function, may be used in one.")
		return expr.Expr{}
	}
	return expr.Constant(seen(v))
}

// seen is v as expressions see it: what is not known yet is left open.
func seen(v cty.Value) any {
	if !v.IsWhollyKnown() {
		return expr.Unknown{}
	}
	return goValue(v)
}

// faults reports what package expr found wrong in t, each at its own place.
func (d *decoding) faults(what string, t *text, err error, whole spot) {
	var all expr.Errors
	var one *expr.Error
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = expr.Errors{one}
	default:
		d.error(whole, "invalid "+what, sentence(err.Error()))
		return
	}
	for _, e := range all {
		at := whole
		at.start = t.fileOffset(e.Offset)
		at.end = max(at.start+1, t.fileOffset(e.Offset+max(e.Length, 1)))
		d.error(at, faultSummary(what, e), sentence(opening(e.Message))+line(sentence(upperFirst(e.Hint))))
	}
}

// faultSummary says in a few words what kind of fault e is.
func faultSummary(what string, e *expr.Error) string {
	for _, f := range []struct{ part, summary string }{
		{"there is no function", "unknown function in "}, {"there is no method", "unknown function in "},
		{"there is no operator", "unknown operator in "},
		{"can see here", "unknown name in "}, {"there is no ", "unknown name in "}, {"an event has no", "unknown name in "}, {"a response has no", "unknown name in "},
		{"this is an expression", "{{ in an "}, {" takes ", "wrong number of arguments in "},
		{" is sensitive", "sensitive value in "}, {"can only be an argument", "secret in "},
		{" needs ", "wrong kind of value in "}, {"never equal", "wrong kind of value in "}, {"cannot order", "wrong kind of value in "},
		{"it has no field", "wrong kind of value in "}, {"does not join", "wrong kind of value in "}, {" yields ", "wrong kind of value in "},
	} {
		if strings.Contains(e.Message, f.part) {
			return f.summary + what
		}
	}
	return "invalid " + what
}

// opening makes a message begin like a sentence, unless it begins with a name.
func opening(s string) string {
	for _, word := range []string{"there ", "this ", "the ", "unexpected ", "unclosed ", "a ", "an ", "text "} {
		if strings.HasPrefix(s, word) {
			return upperFirst(s)
		}
	}
	return s
}

func sentence(s string) string {
	if s == "" || strings.ContainsRune(".?!…", lastRune(s)) {
		return s
	}
	return s + "."
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}
