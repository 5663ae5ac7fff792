package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/expr"
	"github.com/zclconf/go-cty/cty"
)

// template makes a template attribute, or an element of one.
func (d *decoding) template(e hclsyntax.Expression, f *field) expr.Template {
	at := d.at(e.Range())
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return d.template(e.Expression, f)
	case *hclsyntax.TemplateExpr:
		if s, ok := isLiteral(e); ok {
			return d.compileTemplate(d.file.literal(e.Range(), s), f, at)
		}
		return d.interpolated(e, f)
	}
	v, ok := d.evaluated(e, f)
	if !ok || v.IsNull() {
		return expr.Template{}
	}
	t := &text{}
	if !d.fillValue(t, f, v, e) {
		return expr.Template{}
	}
	return d.compileTemplate(t, f, at)
}

// interpolated puts together a text with ${}: what they yield is text, whatever it holds.
func (d *decoding) interpolated(e *hclsyntax.TemplateExpr, f *field) expr.Template {
	t, whole := &text{}, true
	quoted := d.file.text[e.Range().Start.Byte] == '"'
	for _, part := range e.Parts {
		if s, ok := literalPart(part); ok {
			t.append(d.file.part(part.Range(), s, quoted))
			continue
		}
		if _, open := expr.OpenHole(t.String()); open {
			d.inHole(part)
			return expr.Template{}
		}
		v, ok := d.evaluated(part, f)
		whole = ok && d.fillValue(t, f, v, part) && whole
	}
	if !whole {
		return expr.Template{}
	}
	return d.compileTemplate(t, f, d.at(e.Range()))
}

func (d *decoding) inHole(e hclsyntax.Expression) {
	name := d.file.source(e.Range())
	d.error(d.at(e.Range()), "${…} inside {{ … }}",
		fmt.Sprintf("What stands in {{ }} is an expression: it sees var and local by name. Write %s instead of ${%s}.", name, name))
}

// fillValue adds an evaluated value to t as text.
func (d *decoding) fillValue(t *text, f *field, v cty.Value, e hclsyntax.Expression) bool {
	secret := v.IsMarked()
	v, ok := d.unmarked(v, f, templateType, e)
	if !ok {
		return false
	}
	if !v.IsKnown() {
		t.fill("placeholder", e.Range().Start.Byte)
		return true
	}
	s, ok := d.str(f, v, d.at(e.Range()))
	if ok {
		d.fillText(t, s, d.at(e.Range()))
	}
	if secret {
		t.secrets = append(t.secrets, s)
	}
	return ok
}

// fillText adds s to t so that no brace of it can open a hole, alone or together
// with what stands before and behind: a brace that might is put in a hole itself.
func (d *decoding) fillText(t *text, s string, at spot) {
	if strings.Contains(s, "{{") {
		d.l.warn(at, "{{ in computed text", "What is computed at load is plain text, so that this {{ opens no hole. A template is written where it is used.")
	}
	const brace = `{{ "{" }}`
	before := t.String()
	if strings.HasSuffix(before, "{") && strings.HasPrefix(s, "{") {
		t.trim(1)
		s = "{" + s
	}
	s = strings.ReplaceAll(s, "{{", brace+brace)
	if rest, ok := strings.CutSuffix(s, "{"); ok {
		s = rest + brace
	}
	t.fill(s, at.start)
}

// compileTemplate compiles t; a path is made absolute first.
func (d *decoding) compileTemplate(t *text, f *field, whole spot) expr.Template {
	if (f.path || f.place) && t.Len() > 0 && !strings.HasPrefix(t.String(), "/") {
		if f.place && d.elsewhere() {
			d.relative(f, t.String(), whole)
			return expr.Template{}
		}
		absolute := &text{}
		d.fillText(absolute, filepath.Dir(d.file.path)+"/", spot{file: whole.file, start: whole.start, context: whole.context})
		absolute.append(t)
		t = absolute
	}
	tmpl, err := expr.CompileTemplate(d.source(t, f), f.escape, d.scopeOf(f))
	if err != nil {
		d.faults("template", t, err, whole)
		return expr.Template{}
	}
	return tmpl
}

// append adds another text with its places.
func (t *text) append(other *text) {
	for _, p := range other.pieces {
		p.text += t.Len()
		t.pieces = append(t.pieces, p)
	}
	t.secrets = append(t.secrets, other.secrets...)
	t.WriteString(other.String())
}

// trim takes the last n bytes off.
func (t *text) trim(n int) {
	s := t.String()
	t.Reset()
	t.WriteString(s[:len(s)-n])
}
