package expr

import (
	"strings"
)

// Template is a compiled template. The zero Template was not given. It may be
// used from many goroutines at once.
type Template struct{ impl *template }

// template is literal text with holes, in order.
type template struct {
	src   Source
	parts []piece
	uses  nameSet
	page  *page // of HTML
	size  int   // of the literal text
}

// piece is a hole, or literal text where hole is nil.
type piece struct {
	literal string
	hole    *program
	at      span
	place   Escape // of a hole: Query behind the ? of a Path
}

// CompileTemplate compiles src, whose holes are escaped for place. The error is
// an *Error or Errors. Literal text is the configuration's own and stays as it is.
func CompileTemplate(src Source, place Escape, sc *Scope) (Template, error) {
	t := &template{src: src}
	parts, bad := splitHoles(src.Text)
	if bad >= 0 {
		return Template{}, neverClosed(src, bad)
	}
	var errs Errors
	for _, p := range parts {
		switch {
		case p.hole:
			errs = append(errs, t.addHole(p, place, sc)...)
		case p.text != "":
			t.parts = append(t.parts, piece{literal: p.text})
			t.size += len(p.text)
			if place == Path && strings.Contains(p.text, "?") {
				place = Query
			}
		}
	}
	if len(errs) == 0 && place == HTML {
		errs = t.compilePage()
	}
	if len(errs) > 0 {
		return Template{}, errs.err()
	}
	return Template{t}, nil
}

// neverClosed is about the hole of src that opens at from: mostly it is a bracket in
// it that is not closed.
func neverClosed(src Source, from int) *Error {
	inner, _, _ := strings.Cut(src.Text[from+2:], "}}")
	if open, _ := unbalanced(inner); open >= 0 && inner[open] != '{' {
		return &Error{Source: src, Offset: from + 2 + open, Length: 1, Message: "this " + inner[open:open+1] + " is never closed"}
	}
	return &Error{Source: src, Offset: from, Length: 2,
		Message: "this {{ is never closed", Hint: "a hole ends with }} outside of quotes and of its own braces"}
}

func (t *template) addHole(p part, place Escape, sc *Scope) Errors {
	at := span{int32(p.from - 2), int32(p.from + len(p.text) + 2)}
	prog, errs := compileText(t.src, p.from, p.text, sc)
	if len(errs) > 0 {
		return errs
	}
	if say := place.never(prog, len(t.parts) == 0); say != "" {
		return Errors{{Source: t.src, Offset: int(at.from), Length: int(at.to - at.from), Message: say}}
	}
	t.uses |= prog.uses
	t.parts = append(t.parts, piece{hole: prog, at: at, place: place})
	return nil
}

// IsSet tells whether the attribute was given.
func (t Template) IsSet() bool { return t.impl != nil }

// Eval fills the holes; a template that is not set gives "". The error is an
// *Error with its place. All holes share one budget.
func (t Template) Eval(in *Input) (s string, err error) {
	if t.impl == nil {
		return "", nil
	}
	if s, ok := t.Literal(); ok {
		return s, nil
	}
	m := newMachine(in)
	defer func() {
		if failed := m.release(recover()); failed != nil {
			s, err = "", failed
		}
	}()
	if t.impl.page != nil {
		return t.impl.page.fill(m, t.impl), nil
	}
	return t.impl.fill(m), nil
}

func (t *template) fill(m *machine) string {
	if len(t.parts) == 1 {
		return t.text(m, &t.parts[0], true)
	}
	var b strings.Builder
	b.Grow(t.size + 16*len(t.parts))
	for i := range t.parts {
		p := &t.parts[i]
		if p.hole == nil {
			b.WriteString(p.literal)
			continue
		}
		s := t.text(m, p, b.Len() == 0)
		m.take(2*len(s), p.at)
		b.WriteString(s)
	}
	return b.String()
}

// text gives what a hole yields, escaped. opens: nothing stands before it.
func (t *template) text(m *machine, p *piece, opens bool) string {
	v := p.hole.eval(m)
	if v == nil {
		m.emptyHole(p)
	}
	s, ok := plainText(v)
	if !ok {
		if kindOf(v)&p.place.fits() == 0 {
			m.fail(p.at, "", "%s cannot stand in %s", kindOf(v), p.place)
		}
		s = m.toJSON(v, p.at)
	}
	m.step(len(s)/16, p.at)
	m.take(3*len(s), p.at)
	escaped, refused := p.place.escape(s, opens)
	if refused != "" {
		m.fail(p.at, "", "%s yields %s, which %s may not", m.quote(p.at), refused, p.place)
	}
	return escaped
}

func (m *machine) emptyHole(p *piece) {
	inner := strings.TrimSpace(m.text.src.Text[p.at.from+2 : p.at.to-2])
	m.fail(p.at, "write {{ "+shorten(inner)+" ?? '' }} where it may be missing", "%s is nil", shorten(inner))
}

// Literal gives the text of a template without holes; the zero Template has none.
func (t Template) Literal() (string, bool) {
	switch {
	case t.impl == nil:
		return "", false
	case len(t.impl.parts) == 0:
		return "", true
	case len(t.impl.parts) == 1 && t.impl.parts[0].hole == nil:
		return t.impl.parts[0].literal, true
	}
	return "", false
}

// Secrets are what must not show of t's own text, whatever the holes yield.
func (t Template) Secrets() []string {
	if t.impl == nil {
		return nil
	}
	return t.impl.src.Secrets
}

// Uses tells whether the top-level name occurs in a hole.
func (t Template) Uses(name string) bool { return t.impl != nil && t.impl.uses.has(name) }
