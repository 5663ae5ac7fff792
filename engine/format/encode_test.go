package format

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppendForm(t *testing.T) {
	type m = map[string]any
	got, err := AppendForm([]byte("> "), m{"b": []any{"x&y", int64(2), nil}, "a é": true, "o": m{"k": 1.5}, "none": []any{}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "> a+%C3%A9=true&b=x%26y&b=2&b=&o=%7B%22k%22%3A1.5%7D"; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, v := range []any{nil, []any{}, "x", m{"a": math.NaN()}} {
		if got, err := AppendForm([]byte("kept"), v); err == nil || string(got) != "kept" {
			t.Errorf("%v: %q, %v", v, got, err)
		}
	}
}

func TestAppendXML(t *testing.T) {
	type m = map[string]any
	order := m{"order": m{"@id": "7 & \"8\"", "#text": "", "note": "a < b é\x01", "empty": "",
		"line": []any{m{"@sku": "a", "#text": "2"}, m{"@sku": "b", "qty": "3"}}}}
	got, err := AppendXML(nil, order)
	if err != nil {
		t.Fatal(err)
	}
	want := "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
		"<order id=\"7 &amp; &#34;8&#34;\"><empty></empty><line sku=\"a\">2</line><line sku=\"b\"><qty>3</qty></line><note>a &lt; b é\ufffd</note></order>\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	delete(order["order"].(m), "#text")
	order["order"].(m)["note"] = "a < b é\ufffd"
	again, err := Decode("application/xml", got)
	if diff := cmp.Diff(any(order), again); err != nil || diff != "" {
		t.Errorf("read again: %v %s", err, diff)
	}
	var deep any = "x"
	for range 201 {
		deep = m{"a": deep}
	}
	for _, v := range []any{nil, "x", m{}, m{"a": "1", "b": "2"}, m{"a": []any{"1"}}, m{"a b": "1"}, m{"a": m{"<": "1"}}, m{"a": m{"@ ": "1"}}, m{"1": "x"}, deep, m{"a": math.NaN()}} {
		if got, err := AppendXML([]byte("kept"), v); err == nil || string(got) != "kept" || !strings.HasPrefix(err.Error(), "encode XML: ") {
			t.Errorf("%v: %q, %v", v, got, err)
		}
	}
}
