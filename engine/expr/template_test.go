package expr

import (
	"errors"
	"strings"
	"testing"
)

func fillTemplate(t testing.TB, text string, place Escape, body any) (string, error) {
	t.Helper()
	tmpl, err := CompileTemplate(Source{Text: text}, place, sampleScope())
	if err != nil {
		return "", err
	}
	in := sample()
	if body != nil {
		in.Body = body
	}
	return tmpl.Eval(in)
}

func TestTemplate(t *testing.T) {
	hostile := map[string]any{"s": `a/b c&d=e?#%"<script>`, "plain": "Ana", "dash": "-rf", "empty": "", "n": 1.0, "b": true, "l": []any{int64(1), "x"}}
	for _, c := range []struct {
		text  string
		place Escape
		want  string
	}{
		{"no holes }} here", Text, "no holes }} here"},
		{"", Text, ""},
		{"Hello {{ body.plain }}!", Text, "Hello Ana!"},
		{"{{ body.plain }}{{ body.n }}{{ body.b }}", Text, "Ana1true"},
		{"{{ body.l }}", Text, `[1,"x"]`},
		{"{{ {a: {b: 1}} }}", Text, `{"a":{"b":1}}`},
		{"{{{a: 1}}}", Text, `{"a":1}`},
		{"{{ map(body.l, {{v: #}}) }}", Text, `[{"v":1},{"v":"x"}]`},
		{"{{ '}}' + \"}}\" + `}}` }}x", Text, "}}}}}}x"},
		{"{{ 'it\\'s }}' }}", Text, "it's }}"},
		{"{{ 1 /* }} */ + 1 }}", Text, "2"},
		{"{{ body.none ?? '' }}-", Text, "-"},
		{"/a/{{ body.plain }}/{{ body.n }}", Path, "/a/Ana/1"},
		{"/a/{{ 'x y?#%;' }}", Path, "/a/x%20y%3F%23%25%3B"},
		{"/a/{{ body.plain }}?q={{ body.s }}", Path, "/a/Ana?q=a%2Fb%20c%26d%3De%3F%23%25%22%3Cscript%3E"},
		{"/a?q={{ body.empty }}&l={{ body.l }}", Path, "/a?q=&l=%5B1%2C%22x%22%5D"},
		{"{{ body.s }}", Query, "a%2Fb%20c%26d%3De%3F%23%25%22%3Cscript%3E"},
		{"{{ 'a-b_c.d~e' }}", Query, "a-b_c.d~e"},
		{"v={{ body.s }}", Header, `v=a/b c&d=e?#%"<script>`},
		{"{{ body.plain }}.csv", FileName, "Ana.csv"},
		{"--id={{ body.dash }}", Argument, "--id=-rf"},
		{`<p title="{{ body.s }}">{{ body.s }}</p>`, HTML, `<p title="a/b c&amp;d=e?#%&#34;&lt;script&gt;">a/b c&amp;d=e?#%&#34;&lt;script&gt;</p>`},
		{`<a href="/x?q={{ body.s }}">{{ body.n }}</a>`, HTML, `<a href="/x?q=a%2fb%20c%26d%3de%3f%23%25%22%3cscript%3e">1</a>`},
		{`<script>var x = {{ body.l }}, s = {{ body.s }};</script>`, HTML, `<script>var x = [1,"x"], s = "a/b c\u0026d=e?#%\"\u003cscript\u003e";</script>`},
	} {
		got, err := fillTemplate(t, c.text, c.place, hostile)
		if err != nil || got != c.want {
			t.Errorf("%s in %s\n got %s, %v\nwant %s", c.text, c.place, got, err, c.want)
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	for _, c := range []struct {
		text  string
		place Escape
		v     any
		want  string
	}{
		{"{{ body.v }}", Text, nil, "1:1: body.v is nil: write {{ body.v ?? '' }} where it may be missing"},
		{"/a/{{ body.v }}", Path, "", "1:4: {{ body.v }} yields nothing, which a URL's path may not"},
		{"/a/{{ body.v }}", Path, ".", `1:4: {{ body.v }} yields ".", which a URL's path may not`},
		{"/a/{{ body.v }}", Path, "..", `1:4: {{ body.v }} yields "..", which a URL's path may not`},
		{"/a/{{ body.v }}", Path, "a/b", "1:4: {{ body.v }} yields a /, which a URL's path may not"},
		{"/a/{{ body.v }}", Path, `a\b`, `1:4: {{ body.v }} yields a \, which a URL's path may not`},
		{"/a/{{ body.v }}", Path, "a\x00b", "1:4: {{ body.v }} yields a NUL, which a URL's path may not"},
		{"/a/{{ body.v }}", Path, []any{"x"}, "1:4: a list cannot stand in a URL's path"},
		{"{{ body.v }}.csv", FileName, "../etc", "1:1: {{ body.v }} yields a /, which a file's name may not"},
		{"{{ body.v }}", FileName, "..", `1:1: {{ body.v }} yields "..", which a file's name may not`},
		{"x{{ body.v }}", Header, "a\r\nSet-Cookie: x", "1:2: {{ body.v }} yields a line break, which a header may not"},
		{"x{{ body.v }}", Header, "a\x00", "1:2: {{ body.v }} yields a control character, which a header may not"},
		{"{{ body.v }}", Argument, "-rf", "1:1: {{ body.v }} yields a leading -, which a command's argument may not"},
		{"{{ '' }}{{ body.v }}", Argument, "-rf", "1:9: {{ body.v }} yields a leading -, which a command's argument may not"},
		{"<p>{{ body.v }}", HTML, nil, "1:4: body.v is nil: write {{ body.v ?? '' }} where it may be missing"},
		{"a\nb {{ body.v.x }}", Text, "s", "2:6: body.v is text: it has no field x"},
	} {
		_, err := fillTemplate(t, c.text, c.place, map[string]any{"v": c.v})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s of %q\n got %v\nwant %s", c.text, c.v, err, c.want)
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	for _, c := range []struct {
		text       string
		place      Escape
		from, size int
		want       string
	}{
		{"ab {{ body.x", Text, 3, 2, "this {{ is never closed"},
		{"ab {{ {a: 1 }}", Text, 3, 2, "this {{ is never closed"},
		{"ñ {{ boddy.x }}", Text, 6, 5, `"boddy" is not something an expression can see here: body, event, local, meta, parent, secret, var, vars`},
		{"x {{ }}", Text, 4, 1, "the expression is empty"},
		{"/{{ [1] }}", Path, 1, 9, "a list cannot stand in a URL's path"},
		{"/{{ nil }}", Header, 1, 9, "nil cannot stand in a header"},
		{"/{{ body.a }}/{{ '..' }}", Path, 14, 10, `this yields "..", which a URL's path may not`},
		{"{{ '-rf' }}", Argument, 0, 11, "this yields a leading -, which a command's argument may not"},
		{"a {{ lower(body.x }} b", Text, 10, 1, "this ( is never closed"},
		{"a {{ body.x[0 }} {{ body.y }}", Text, 11, 1, "this [ is never closed"},
		{"<a href=\"{{ body.a }}", HTML, 0, 21, ""},
	} {
		_, err := CompileTemplate(Source{Text: c.text}, c.place, sampleScope())
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v, want an *Error", c.text, err)
			continue
		}
		if e.Offset != c.from || e.Length != c.size || c.want != "" && e.Message != c.want {
			t.Errorf("%s\n got %d+%d %s\nwant %d+%d %s", c.text, e.Offset, e.Length, e.Message, c.from, c.size, c.want)
		}
	}
	_, err := CompileTemplate(Source{Text: "{{ a }} {{ b }}"}, Text, sampleScope())
	var all Errors
	if !errors.As(err, &all) || len(all) != 2 {
		t.Errorf("got %v, want two faults", err)
	}
}

func TestTemplateLiteral(t *testing.T) {
	for _, c := range []struct {
		text, want string
		ok         bool
	}{{"abc", "abc", true}, {"", "", true}, {"a{{ 1 }}", "", false}} {
		tmpl, err := CompileTemplate(Source{Text: c.text}, Text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := tmpl.Literal(); got != c.want || ok != c.ok || !tmpl.IsSet() {
			t.Errorf("%q: got %q %v", c.text, got, ok)
		}
	}
	if _, ok := (Template{}).Literal(); ok || (Template{}).IsSet() {
		t.Error("the zero Template is not set")
	}
}

func TestTemplateUses(t *testing.T) {
	tmpl, err := CompileTemplate(Source{Text: "{{ body.a }}{{ map(body.l, event.id) }}"}, Text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"body": true, "event": true, "meta": false, "nonsense": false} {
		if tmpl.Uses(name) != want {
			t.Errorf("Uses(%s) is %v", name, !want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"a {{ body.x }} b", "{{ {a: 1} }}", "{{ '}}' }}", "{{", "}}", "{{ `a", "{{ /* }} */ 1 }}", "{{ \xff }}"} {
		f.Add(s, "x")
	}
	f.Fuzz(func(t *testing.T, text, v string) {
		for place := Text; place <= HTML; place++ {
			tmpl, err := CompileTemplate(Source{Text: text}, place, sampleScope())
			if err != nil {
				checkPlaces(t, text, err)
				continue
			}
			in := sample()
			in.Body = map[string]any{"x": v, "name": v}
			if _, err := tmpl.Eval(in); err != nil {
				checkPlaces(t, text, err)
			}
		}
	})
}

// FuzzEscape holds every place to what it promises, whatever an event brings.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", ".", "..", "a/b", `a\b`, "\x00", "a\nb", "-x", "ñ %2f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, v string) {
		body := map[string]any{"v": v}
		if s, err := fillTemplate(t, "/a/{{ body.v }}/b", Path, body); err == nil && strings.Count(s, "/") != 3 {
			t.Errorf("%q made the path %q", v, s)
		}
		if s, err := fillTemplate(t, "{{ body.v }}", FileName, body); err == nil && (strings.ContainsAny(s, "/\\\x00") || s == "" || s == "." || s == "..") {
			t.Errorf("%q made the file name %q", v, s)
		}
		if s, err := fillTemplate(t, "{{ body.v }}", Query, body); err != nil || strings.ContainsAny(s, "&=?# \r\n/+") {
			t.Errorf("%q made the query %q, %v", v, s, err)
		}
		if s, err := fillTemplate(t, "{{ body.v }}", Header, body); err == nil && strings.ContainsAny(s, "\r\n\x00") {
			t.Errorf("%q made the header %q", v, s)
		}
		if s, err := fillTemplate(t, "{{ body.v }}", Argument, body); err == nil && strings.HasPrefix(s, "-") {
			t.Errorf("%q made the argument %q", v, s)
		}
	})
}

func TestOpenHole(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "a": false, "{{ ": true, "{{ a }}": false, "{{ a }} {{ b": true, "{{ '}}' ": true,
		"{{ {a: 1} ": true, "{{ {a: 1} }}": false, `{{ "\"}}" }}`: false, "{{ `\\` }}": false, "{ {": false,
	} {
		if _, got := OpenHole(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
