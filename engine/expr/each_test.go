package expr

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// compiled gives an expression's value on the sample event, or what is wrong with it.
func compiled(t *testing.T, text string, sc *Scope) any {
	t.Helper()
	e, err := Compile(Source{Text: text}, sc)
	if err != nil {
		return faultOf(t, err)
	}
	v, err := e.Eval(sample())
	if err != nil {
		return faultOf(t, err)
	}
	return v
}

// faultOf is the quoted place, the message and the hint of a single fault.
func faultOf(t *testing.T, err error) string {
	t.Helper()
	var all Errors
	var one *Error
	if errors.As(err, &all) {
		one = all[0]
	} else if !errors.As(err, &one) {
		t.Fatalf("%T is no *Error", err)
	}
	text := "<" + one.Source.Text[one.Offset:one.Offset+one.Length] + "> " + one.Message
	if one.Hint != "" {
		text += ": " + one.Hint
	}
	return text
}

func TestEach(t *testing.T) {
	sc := sampleScope()
	sc.Each = map[string]any{"key": "cl", "value": map[string]any{"vat": 19, "tags": []string{"a"}}}
	for text, want := range map[string]any{
		"each.key":                   "cl",
		"each.value.vat + 1":         int64(20),
		"each.value['tags'][0]":      "a",
		"each.value.nothing ?? 'no'": "no",
		"'vat' in each.value":        true,
		"each":                       "<each> each is not a value of its own: write each.key or each.value",
		"each.kex":                   `<kex> there is no each.kex, only each.key and each.value: did you mean "key"?`,
		"lower(each.value.vat)":      "<each.value.vat> lower needs text, but each.value.vat is a number: write string(each.value.vat)",
		"let each = 1; each":         "<each> each has a meaning already: give the variable another name",
	} {
		if d := cmp.Diff(want, compiled(t, text, sc)); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

func TestEachIsKnownOnlyWithForEach(t *testing.T) {
	want := `<each> "each" is not something an expression can see here: it belongs to for_each, and this block has none`
	for _, text := range []string{"each", "each.key", "each.value.vat"} {
		for _, sc := range []*Scope{nil, sampleScope()} {
			if got := compiled(t, text, sc); got != want {
				t.Errorf("%s: %v", text, got)
			}
		}
	}
}

// What is sensitive of each.value stays out, and the rest does not.
func TestEachIsSensitiveInPart(t *testing.T) {
	sc := &Scope{Sensitive: []string{"each.value.token"}, Each: map[string]any{"key": "cl", "value": map[string]any{"vat": 19}}}
	if got := compiled(t, "each.value.vat", sc); got != int64(19) {
		t.Errorf("got %v", got)
	}
	for text, want := range map[string]string{
		"each.value.token":    "each.value.token is sensitive",
		"each.value['token']": "each.value.token is sensitive",
		"toJSON(each.value)":  "each.value is sensitive in part",
		"each.value[body.a]":  "each.value is sensitive in part",
	} {
		if got, _ := compiled(t, text, sc).(string); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	all := &Scope{Sensitive: []string{"each.value"}, Each: map[string]any{"key": "cl"}}
	for _, text := range []string{"each.value", "each.value.token"} {
		if got, _ := compiled(t, text, all).(string); !strings.Contains(got, "each.value is sensitive") {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// What is not known yet may turn out to be anything.
func TestUnknown(t *testing.T) {
	sc := &Scope{Names: []string{"body"}, Var: map[string]any{"x": Unknown{}}, Each: map[string]any{"key": "placeholder", "value": Unknown{}}}
	for _, text := range []string{
		"lower(each.value.name)", "each.value.a.b * 2", "var.x + 1", "body.a in var.x", "not var.x", "-var.x", "{(each.value): 1}",
		"map(each.value, .a)", "formatTime(body.t, '2006', each.value.zone)", "body.a matches each.value.pattern", "[each.value]", "[1][each.value]",
	} {
		if _, err := Compile(Source{Text: text}, sc); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := Constant(Unknown{}).CheckBool(); err != nil {
		t.Error(err)
	}
}
