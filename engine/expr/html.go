package expr

import (
	"fmt"
	htmltemplate "html/template"
	"io"
	"strings"
)

// page fills a template of HTML through html/template, which escapes each hole
// for the context that it stands in.
type page struct{ html *htmltemplate.Template }

// compilePage gives html/template the literal text with numbered holes.
func (t *template) compilePage() Errors {
	var text strings.Builder
	var blank []any
	for i := range t.parts {
		if t.parts[i].hole == nil {
			text.WriteString(t.parts[i].literal)
			continue
		}
		fmt.Fprintf(&text, "{{index . %d}}", len(blank))
		blank = append(blank, "")
	}
	html, err := htmltemplate.New("page").Parse(text.String())
	if err == nil {
		err = html.Execute(io.Discard, blank) // contexts are worked out here, once
	}
	if err != nil {
		return Errors{{Source: t.src, Length: max(1, len(t.src.Text)), Message: fmt.Sprintf("a hole stands where nothing can be escaped: %v", err)}}
	}
	t.page = &page{html}
	return nil
}

func (p *page) fill(m *machine, t *template) string {
	var values []any
	for i := range t.parts {
		if t.parts[i].hole == nil {
			continue
		}
		v := t.parts[i].hole.eval(m)
		if v == nil {
			m.emptyHole(&t.parts[i])
		}
		values = append(values, m.htmlValue(v, t.parts[i].at))
	}
	b := budgetWriter{m: m}
	m.take(t.size, span{})
	if err := p.html.Execute(&b, values); err != nil {
		m.fail(m.text.whole(), "", "the page cannot be filled: %v", err)
	}
	return b.String()
}

// htmlValue is text for markup and JSON for scripts; html/template asks for
// what the context needs.
type htmlValue struct{ text, json string }

func (v htmlValue) String() string               { return v.text }
func (v htmlValue) MarshalJSON() ([]byte, error) { return []byte(v.json), nil }

func (m *machine) htmlValue(v any, at span) any {
	if s, ok := v.(string); ok {
		m.take(6*len(s), at) // what escaping may make of it
		return s
	}
	json := m.toJSON(v, at)
	text, ok := plainText(v)
	if !ok {
		text = json
	}
	m.take(6*(len(text)+len(json)), at)
	return htmlValue{text, json}
}

// budgetWriter collects the page within the budget.
type budgetWriter struct {
	strings.Builder
	m *machine
}

func (w *budgetWriter) Write(p []byte) (int, error) {
	w.m.take(len(p), span{})
	return w.Builder.Write(p)
}
