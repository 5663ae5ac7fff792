package config

import (
	"errors"
	"fmt"
	"slices"
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
		sc.Var, sc.Local, sc.Sensitive, sc.Secrets = all.Var, all.Local, all.Sensitive, all.Secrets
	} else {
		l.fillScope(sc)
	}
	l.scopes[id] = sc
	return sc
}

// fillScope gives sc the variables, locals and secrets.
func (l *loader) fillScope(sc *expr.Scope) {
	sc.Var, sc.Local, sc.Secrets = map[string]any{}, map[string]any{}, map[string]string{}
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
				sc.Var[name] = goValue(value)
			default:
				sc.Local[name] = goValue(value)
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
	if f.scope == "" {
		return d.l.scope(d.names)
	}
	return d.l.scope(append(slices.Clone(d.names), strings.Split(f.scope, ",")...))
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
		name := d.context + "/" + f.name + ": " + s.Text
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
		d.error(at, "invalid expression", sentence(upperFirst(e.Message))+line(sentence(upperFirst(e.Hint))))
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
	hint := "An expression is fixed text: it sees var and local by name."
	for _, t := range e.Variables() {
		if root := t.RootName(); root == "var" || root == "local" {
			name := d.file.source(t.SourceRange())
			hint += fmt.Sprintf(" Write %s instead of ${%s}.", name, name)
			at = d.at(t.SourceRange())
			break
		}
	}
	d.error(at, "${…} in an expression", hint)
	return expr.Expr{}
}

// constant evaluates what is no literal at load.
func (d *decoding) constant(e hclsyntax.Expression, f *field) expr.Expr {
	v, ok := d.evaluated(e)
	if !ok {
		return expr.Expr{}
	}
	if v.ContainsMarked() {
		d.error(d.at(e.Range()), "sensitive value not allowed in "+f.name,
			"What an expression yields goes into events. Only secret.NAME, as an argument of a hash function, may be used in one.")
		return expr.Expr{}
	}
	return expr.Constant(goValue(v))
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
	switch {
	case strings.HasPrefix(e.Message, "there is no function"), strings.HasPrefix(e.Message, "there is no method"):
		return "unknown function in " + what
	case strings.Contains(e.Message, "can see here"), strings.HasPrefix(e.Message, "there is no "):
		return "unknown name in " + what
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
	if s == "" || strings.ContainsRune(".?!", rune(s[len(s)-1])) {
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
