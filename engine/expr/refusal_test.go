package expr

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// events are inputs of many shapes, for what is said of all of them.
func events() []*Input {
	bodies := []any{
		nil, map[string]any{}, []any{int64(1), "a"}, "text", int64(7), true,
		map[string]any{"a": int64(3), "b": "text", "c": []any{int64(1), int64(2)}, "d": map[string]any{"a": "x"}},
		map[string]any{"a": "5", "b": 2.5, "c": map[string]any{"b": true}, "d": []any{}},
		map[string]any{"a": nil, "b": false, "c": "2026-02-03", "d": json.Number("18446744073709551616")},
		map[string]any{"a": []any{map[string]any{"a": int64(1)}}, "b": accepted, "c": "", "d": int64(0)},
	}
	var all []*Input
	for _, body := range bodies {
		in := sample()
		in.Body = body
		all = append(all, in)
	}
	return append(all, sample())
}

// writer writes random expressions out of parts that compile.
type writer struct{ *rand.Rand }

func (g writer) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g writer) leaf() string {
	return g.pick(`body`, `body.a`, `body.b`, `body.c`, `body.d`, `body.items`, `meta.header`, `event.time`, `event.id`, `vars.customer`,
		`5`, `0`, `-3`, `2.5`, `'a'`, `'5'`, `''`, `'2026-02-03'`, `'1h'`, `true`, `false`, `nil`, `[1, 2]`, `['a', 'b']`, `[]`, `{a: 1}`,
		`duration('90m')`, `timezone('UTC')`, `now()`, `var.limit`, `var.site`, `var.sites`, `map(body.c, #)`, `keys(body.d)`, `body.a ?? 0`, `body.b == 1`)
}

// operand is a leaf, or one step on it that compiles by itself.
func (g writer) operand(depth int) string {
	for depth > 0 {
		text, _ := g.strict(depth - 1)
		if _, err := Compile(Source{Text: text}, sampleScope()); err == nil {
			return "(" + text + ")"
		}
		depth--
	}
	return g.leaf()
}

// strict is an expression whose parts are all evaluated, whatever they yield, so
// that what is wrong with one of them is wrong for every event.
func (g writer) strict(depth int) (text, function string) {
	a, b := g.operand(depth), g.operand(depth)
	switch g.IntN(12) {
	case 0, 1, 2:
		return a + " " + g.pick("+", "-", "*", "/", "%", "**", "<", ">", "<=", ">=", "==", "!=", "in", "contains", "startsWith", "..", "matches") + " " + b, ""
	case 3:
		return g.pick("not ", "-", "+") + a, ""
	case 4:
		return a + g.pick(".a", "[0]", "['a']", "[0:1]", "["+b+"]"), ""
	case 5:
		return g.pick("true and ", "false or ") + a, ""
	case 6:
		return a + " ? 1 : 2", ""
	case 7:
		return a + "." + g.pick("Year()", "Unix()", "Hours()", "Add("+b+")", "Sub("+b+")"), ""
	case 8:
		return g.pick("filter", "count", "all", "any", "sum", "groupBy", "sortBy", "map") + "([1], " + a + ")", ""
	case 9:
		return g.pick("filter", "map", "sum", "sortBy") + "(" + a + ", #)", ""
	}
	names := slices.Sorted(maps.Keys(functions))
	name := names[g.IntN(len(names))]
	args := make([]string, functions[name].min+g.IntN(2))
	for i := range args {
		args[i] = g.operand(depth)
	}
	return name + "(" + strings.Join(args, ", ") + ")", name
}

// TestRefusedMeansWrong: what is refused for the kinds of its values would fail
// for every event, and what is accepted yields what it is said to.
func TestRefusedMeansWrong(t *testing.T) {
	g := writer{rand.New(rand.NewPCG(5, 6))}
	inputs := events()
	refused, accepted := 0, 0
	for range 30_000 {
		text, _ := g.strict(g.IntN(3))
		_, err := Compile(Source{Text: text}, sampleScope())
		if err == nil {
			accepted++
			checkYields(t, text, inputs)
			continue
		}
		if _, wrong := parse(text); wrong != nil || !aboutValues(err) {
			continue
		}
		refused++
		p, _ := unchecked(text)
		for i, in := range inputs {
			v, err := (Expr{p}).Eval(in)
			// Beside a nil, which is allowed there, these do not look at what is wrong.
			if nothing := v == nil || v == false; err == nil && !(nothing && forgiving.MatchString(text)) {
				t.Errorf("%s is refused (%v), but yields %v for event %d", text, compileError(text), v, i)
				break
			}
		}
	}
	if refused < 3000 || accepted < 3000 {
		t.Errorf("%d refused and %d accepted are too few to tell", refused, accepted)
	}
}

// forgiving are operators that take nil on one side, and the function that does.
var forgiving = regexp.MustCompile(` (contains|startsWith|matches|in) |\[|table\(`)

// aboutValues leaves out what is refused although it works: comparisons that are
// never true, layouts that name nothing, and what is no question of values.
func aboutValues(err error) bool {
	var all Errors
	var one *Error
	if !errors.As(err, &all) && errors.As(err, &one) {
		all = Errors{one}
	}
	for _, e := range all {
		for _, other := range []string{"never equal", "names no part", "takes", "there is no", "unexpected", "is not something", "ends too early"} {
			if strings.Contains(e.Message, other) {
				return false
			}
		}
	}
	return true
}

func compileError(text string) error {
	_, err := Compile(Source{Text: text}, sampleScope())
	return err
}

// unchecked compiles text whatever is said against it.
func unchecked(text string) (*program, Errors) {
	src := Source{Text: text}
	c := &compiler{offsets: newOffsets(text, 0), src: src, scope: sampleScope()}
	tree, err := parse(text)
	if err != nil {
		panic(err)
	}
	root := c.compile(tree)
	return &program{src: src, root: root.node, kind: root.kind, slots: int32(c.slots), frames: int32(c.frames)}, c.errs
}

func checkYields(t *testing.T, text string, inputs []*Input) {
	t.Helper()
	p, errs := compileText(Source{Text: text}, 0, text, sampleScope())
	if errs != nil {
		t.Fatal(errs)
	}
	may := p.kind
	if may&(kDuration|kZone) != 0 {
		may |= kText // which they become
	}
	for _, in := range inputs {
		v, err := (Expr{p}).Eval(in)
		if err == nil && kindOf(v)&may == 0 {
			t.Errorf("%s yields %s, but is said to yield %s", text, kindOf(v), p.kind)
		}
		if always, ok := (Expr{p}).Always(); ok && (err != nil || fmt.Sprint(always) != fmt.Sprint(v)) {
			t.Errorf("%s yields %v, %v, but is said to yield always %v", text, v, err, always)
		}
	}
}
