package expr

import (
	"encoding/json"
	"errors"
	"testing"
)

// checkPlaces holds every fault to a place inside its text.
func checkPlaces(t *testing.T, text string, err error) {
	t.Helper()
	var all Errors
	var one *Error
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = Errors{one}
	default:
		t.Fatalf("%q: %T is no *Error", text, err)
	}
	for _, e := range all {
		if e.Offset < 0 || e.Length < 1 || e.Offset > len(text) || e.Offset+e.Length > len(text)+1 {
			t.Errorf("%q: the place %d+%d is outside: %s", text, e.Offset, e.Length, e.Message)
		}
		_ = e.Error()
	}
}

func FuzzExpr(f *testing.F) {
	for _, s := range []string{
		`body.a.b + 1`, `map(body.items, {{a: .sku}})`, `reduce(1..9, #acc + #, 0)`, `let x = 1; x ?? 2`, `a?.b["c"][1:2]`,
		`'\u{1F600}' + "ñ"`, `body | filter(# > 1) | len()`, `if true { 1 } else { 2 }`, `1..`, `((((`, `b'x'`, "`raw``x`",
		`uuid()`, `sortBy(body.items, .qty, 'desc')`, `not not true`, `- - 1`, `fromJSON('[1]')`, `{(1): 2}`, `::now()`, `1 < 2 < 3`, `$env`,
		`table('skus', body.items[0].sku).name ?? ''`, `table("skus", nil)`, `each.value.a`,
		`lower(5)`, `1 / 0`, `body.a === 'x' or 'y'`, `'it's'`, `body.items.map(.sku)`, `formatTime(now(), 'YYYY-MM-DD', 'Mars/X')`, `date('x')`,
		`Hello {{ body.a }} > 5`, `[1, 2].sku`, `body.a matches '('`, `9223372036854775807 + 1`, `(body.a`, `body.a)`, `'ñ' + (body.a]`, `-'a'`, `[1] + [2]`,
		`A.map(.`,
	} {
		f.Add(s, `{"a": {"b": 1}, "items": [{"sku": "x", "qty": 1}]}`)
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		e, err := Compile(Source{Text: text}, sampleScope())
		if err != nil {
			checkPlaces(t, text, err)
			return
		}
		in := sample()
		if json.Valid([]byte(body)) {
			var v any
			if json.Unmarshal([]byte(body), &v) == nil {
				in.Body = fromGo(v)
			}
		}
		v, err := e.Eval(in)
		if err != nil {
			checkPlaces(t, text, err)
			return
		}
		checkKinds(t, text, v, 0)
	})
}

// checkKinds holds results to the kinds that Input describes.
func checkKinds(t *testing.T, text string, v any, depth int) {
	t.Helper()
	if depth > 50 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			checkKinds(t, text, e, depth+1)
		}
	case map[string]any:
		for _, e := range v {
			checkKinds(t, text, e, depth+1)
		}
	default:
		if kindOf(v)&kData == 0 {
			t.Fatalf("%q yields a %T", text, v)
		}
	}
}
