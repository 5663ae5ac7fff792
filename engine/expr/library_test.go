package expr

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"github.com/google/go-cmp/cmp"
)

// TestAgainstLibrary holds the evaluator to the library's own: for expressions
// made at random, whatever the library yields is what we yield. Where the two are
// meant to differ (nil, overflow, integer powers, positions counted in
// characters), the generator does not go.
func TestAgainstLibrary(t *testing.T) {
	data := map[string]any{
		"i": int64(7), "j": int64(-3), "f": 2.5, "s": "hello world", "e": "", "b": true,
		"l": []any{int64(3), int64(1), int64(2)}, "w": []any{"b", "a", "c"},
		"o":  map[string]any{"x": int64(1), "y": "z", "q": map[string]any{"deep": int64(5)}},
		"os": []any{map[string]any{"n": int64(1), "s": "p"}, map[string]any{"n": int64(4), "s": "r"}},
	}
	env := map[string]any{"body": data}
	g := &generator{rand.New(rand.NewPCG(1, 2))}
	yielded := 0
	for range 6_000 {
		text := g.any(4)
		p, err := expr.Compile(text, expr.Env(map[string]any{"body": map[string]any{}}))
		if err != nil {
			continue
		}
		want, err := expr.Run(p, env)
		if err != nil {
			continue
		}
		e, err := Compile(Source{Text: text}, nil)
		if err != nil {
			t.Errorf("%s\ndoes not compile: %v", text, err)
			continue
		}
		got, err := e.Eval(&Input{Body: data})
		if err != nil {
			if !strings.Contains(err.Error(), "64 bits") {
				t.Errorf("%s\nyields %v in the library, but fails: %v", text, want, err)
			}
			continue
		}
		yielded++
		if d := cmp.Diff(comparable(want), comparable(got)); d != "" {
			t.Errorf("%s (-library +ours)\n%s", text, d)
		}
	}
	if yielded < 2_000 {
		t.Errorf("only %d expressions yielded something", yielded)
	}
}

// comparable brings values of the library and ours to the same Go types; numbers
// all become float64.
func comparable(v any) any {
	r := reflect.ValueOf(v)
	switch {
	case !r.IsValid():
		return nil
	case r.CanInt():
		return float64(r.Int())
	case r.CanFloat():
		return r.Float()
	case r.Kind() == reflect.Slice || r.Kind() == reflect.Array:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = comparable(r.Index(i).Interface())
		}
		return out
	case r.Kind() == reflect.Map:
		out := map[string]any{}
		for it := r.MapRange(); it.Next(); {
			out[fmt.Sprint(it.Key().Interface())] = comparable(it.Value().Interface())
		}
		return out
	}
	return v
}

// generator makes expressions of a wanted kind at random.
type generator struct{ *rand.Rand }

func (g *generator) pick(choices ...func() string) string { return choices[g.IntN(len(choices))]() }

func (g *generator) one(texts ...string) string { return texts[g.IntN(len(texts))] }

func (g *generator) f(depth int, format string, parts ...func(int) string) func() string {
	return func() string {
		args := make([]any, len(parts))
		for i, p := range parts {
			args[i] = p(depth - 1)
		}
		return fmt.Sprintf(format, args...)
	}
}

func (g *generator) any(d int) string {
	return g.pick(g.f(d+1, "%s", g.num), g.f(d+1, "%s", g.str), g.f(d+1, "%s", g.bool), g.f(d+1, "%s", g.nums), g.f(d+1, "%s", g.strs),
		g.f(d, "{a: %s, b: %s}", g.num, g.str), g.f(d, "filter(body.os, .n > %s)", g.num), g.f(d, "map(body.os, {{k: .n + %s, v: .s}})", g.num),
		g.f(d, "sortBy(body.os, %s - .n)", g.num), g.f(d, "groupBy(%s, # > 2)", g.nums), g.f(d, "find(%s, # > %s)", g.nums, g.num),
		g.f(d, "fromPairs([['k', %s]])", g.num), g.f(d, "let v = %s; [v, v]", g.num))
}

func (g *generator) num(d int) string {
	if d <= 0 {
		return g.one("1", "2", "0", "3.5", "body.i", "body.j", "body.f", "body.o.x", "body.o?.q.deep", `body["i"]`, "-4")
	}
	return g.pick(
		g.f(d, "(%s + %s)", g.num, g.num), g.f(d, "(%s - %s)", g.num, g.num), g.f(d, "(%s * %s)", g.num, g.num), g.f(d, "%s / 4", g.num),
		g.f(d, "(%s ? %s : %s)", g.bool, g.num, g.num), g.f(d, "len(%s)", g.nums), g.f(d, "sum(%s)", g.nums), g.f(d, "sum(%s, # * 2)", g.nums),
		g.f(d, "count(%s, # > %s)", g.nums, g.num), g.f(d, "max(%s, %s)", g.num, g.num), g.f(d, "min(%s, %s)", g.num, g.num), g.f(d, "abs(%s)", g.num),
		g.f(d, "round(%s)", g.num), g.f(d, "int(%s)", g.num), g.f(d, "len(%s)", g.str), g.f(d, "reduce(%s, #acc + #, %s)", g.nums, g.num),
		g.f(d, "(first(%s) ?? %s)", g.nums, g.num), g.f(d, "indexOf(%s, 'o')", g.str), g.f(d, "mean(%s)", g.nums), g.f(d, "median(%s)", g.nums),
		g.f(d, "(body.i %% 4 + %s)", g.num), g.f(d, "float(%s)", g.num), g.f(d, "-%s", g.num), g.f(d, "bitxor(len(%s), 5)", g.str),
		g.f(d, "(if %s { %s } else { %s })", g.bool, g.num, g.num), g.f(d, "(let x = %s; x + x)", g.num))
}

func (g *generator) str(d int) string {
	if d <= 0 {
		return g.one("'abc'", "body.s", "body.e", "body.o.y", `"q w"`, "`raw`", "'it''s'[0:2]")
	}
	return g.pick(g.f(d, "(%s + %s)", g.str, g.str), g.f(d, "upper(%s)", g.str), g.f(d, "trim(%s)", g.str), g.f(d, "replace(%s, 'l', 'LL')", g.str),
		g.f(d, "join(%s, ',')", g.strs), g.f(d, "%s[1:3]", g.str), g.f(d, "repeat(%s, 2)", g.str), g.f(d, "(%s ? %s : %s)", g.bool, g.str, g.str),
		g.f(d, "trimPrefix(%s, 'a')", g.str), g.f(d, "toBase64(%s)", g.str), g.f(d, "fromBase64(toBase64(%s))", g.str), g.f(d, "type(%s)", g.nums),
		g.f(d, "(body.none ?? %s)", g.str), g.f(d, "string(%s)", g.str), g.f(d, "(%s | lower())", g.str))
}

func (g *generator) bool(d int) string {
	if d <= 0 {
		return g.one("true", "false", "body.b")
	}
	return g.pick(g.f(d, "(%s < %s)", g.num, g.num), g.f(d, "(%s >= %s)", g.num, g.num), g.f(d, "(%s == %s)", g.num, g.num), g.f(d, "(%s != %s)", g.str, g.str),
		g.f(d, "(%s and %s)", g.bool, g.bool), g.f(d, "(%s or not %s)", g.bool, g.bool), g.f(d, "(%s contains %s)", g.str, g.str),
		g.f(d, "(%s startsWith %s)", g.str, g.str), g.f(d, "(%s matches '[a-m]+')", g.str), g.f(d, "(%s in %s)", g.num, g.nums), g.f(d, "(%s in ['abc', 'x'])", g.str),
		g.f(d, "all(%s, # > %s)", g.nums, g.num), g.f(d, "any(%s, # == %s)", g.nums, g.num), g.f(d, "none(%s, # < 0)", g.nums), g.f(d, "one(%s, # == 1)", g.nums),
		g.f(d, "('x' in body.o ? %s : false)", g.bool), g.f(d, "(%s < %s)", g.str, g.str), g.f(d, "(%s == %s)", g.nums, g.nums), g.f(d, "(body.none == nil and %s)", g.bool),
		g.f(d, "(0 < %s < 9)", g.num))
}

func (g *generator) nums(d int) string {
	if d <= 0 {
		return g.one("body.l", "[1, 2, 3]", "1..3", "[]", "[body.i, 2.5]")
	}
	return g.pick(g.f(d, "map(%s, # + %s)", g.nums, g.num), g.f(d, "filter(%s, # > %s)", g.nums, g.num), g.f(d, "sort(%s)", g.nums), g.f(d, "reverse(%s)", g.nums),
		g.f(d, "concat(%s, %s)", g.nums, g.nums), g.f(d, "uniq(%s)", g.nums), g.f(d, "take(%s, 2)", g.nums), g.f(d, "[%s, %s]", g.num, g.num), g.f(d, "%s[1:]", g.nums),
		g.f(d, "map(body.os, .n * %s)", g.num), g.f(d, "flatten([%s, [%s]])", g.nums, g.num), g.f(d, "map(%s, #index)", g.strs), g.f(d, "sort(%s, 'desc')", g.nums),
		g.f(d, "map(filter(%s, # >= 1), # * 2)", g.nums), g.f(d, "map(%s, len(map(1..2, # + %s)))", g.nums, g.num))
}

func (g *generator) strs(d int) string {
	if d <= 0 {
		return g.one("body.w", "['z', 'y']", "split(body.s, 'o')", "keys({k: 1})")
	}
	return g.pick(g.f(d, "map(%s, # + %s)", g.strs, g.str), g.f(d, "split(%s, 'l')", g.str), g.f(d, "sort(%s)", g.strs), g.f(d, "filter(%s, len(#) > 1)", g.strs),
		g.f(d, "map(body.os, .s + %s)", g.str), g.f(d, "[%s, %s]", g.str, g.str), g.f(d, "uniq(%s)", g.strs), g.f(d, "splitAfter(%s, 'o', 2)", g.str))
}
