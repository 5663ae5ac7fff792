package expr

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRepeatable holds everything to yielding the same for the same event,
// whatever the attempt, and different ids where they must differ.
func TestRepeatable(t *testing.T) {
	compile := func(place, text string) Expr {
		e, err := Compile(Source{Text: text, Place: place}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	id := func(e Expr, seed string) string {
		v, err := e.Eval(&Input{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return v.(string)
	}
	a := compile("map[0].a", "uuid()")
	ids := map[string]string{
		"a":              id(a, "ev1"),
		"another seed":   id(a, "ev1/0"),
		"another field":  id(compile("map[0].b", "uuid()"), "ev1"),
		"another place":  id(compile("map[0].a", " uuid()"), "ev1"),
		"without a name": id(compile("", "uuid()"), "ev1"),
	}
	if again := id(compile("map[0].a", "uuid()"), "ev1"); again != ids["a"] {
		t.Errorf("%s, then %s", ids["a"], again)
	}
	seen := map[string]string{}
	for name, u := range ids {
		if other, dup := seen[u]; dup {
			t.Errorf("%s and %s have the same id", name, other)
		}
		seen[u] = name
		if len(u) != 36 || u[14] != '8' || !strings.ContainsRune("89ab", rune(u[19])) {
			t.Errorf("%s is no UUID of version 8", u)
		}
	}
	turns, err := compile("x", "uniq(flatten(map(1..3, map(1..3, uuid()))))").Eval(&Input{Seed: "s"})
	if err != nil || len(turns.([]any)) != 9 {
		t.Errorf("nine turns made %v, %v", turns, err)
	}
	now, err := compile("", "[now(), now() + duration('1h') > now()]").Eval(&Input{Event: Event{Time: accepted}})
	if d := cmp.Diff([]any{accepted, true}, now); err != nil || d != "" {
		t.Errorf("now(): %v %s", err, d)
	}
}

func TestSortedWhateverTheMap(t *testing.T) {
	body := map[string]any{}
	var want []any
	for i := range 50 {
		k := fmt.Sprintf("k%02d", i)
		body[k] = int64(i)
		want = append(want, k)
	}
	for range 20 {
		got, err := mustCompile(t, "map(toPairs(body), #[0])").Eval(&Input{Body: body})
		if d := cmp.Diff(any(want), got); err != nil || d != "" {
			t.Fatalf("%v %s", err, d)
		}
	}
}

// TestReadOnly holds every function to leaving its input as it was.
func TestReadOnly(t *testing.T) {
	before, after := sample(), sample()
	for _, text := range []string{
		`sort(body.numbers)`, `reverse(body.numbers)`, `sortBy(body.items, .price)`, `concat(body.numbers, [1])`, `uniq(body.numbers)`,
		`flatten([body.numbers, 1])`, `take(body.numbers, 1)`, `body.numbers[0:1]`, `fromPairs(toPairs(body))`, `values(body)`,
		`median(body.numbers)`, `groupBy(body.items, .sku)`, `map(body.items, {{a: #}})`, `filter(body.items, true)`,
		`concat(take(body.numbers, 1), [9])`, `concat(body.numbers[0:1], [9])`, `reduce(body.items, concat(#acc, [#]), [])`,
		`[duration('1h'), body]`, `flatten([take(body.numbers, 2), 9])`,
	} {
		if _, err := mustCompile(t, text).Eval(after); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if d := cmp.Diff(before, after); d != "" {
			t.Fatalf("%s changed its input: %s", text, d)
		}
	}
}

// TestArithmeticIsExact compares with big integers.
func TestArithmeticIsExact(t *testing.T) {
	edges := []int64{0, 1, -1, 2, -2, 3, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, 1 << 32, -1 << 32, 3037000499, 3037000500}
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		edges = append(edges, int64(r.Uint64()>>r.IntN(64)))
	}
	for _, op := range []string{"+", "-", "*", "%"} {
		e := mustCompile(t, "body.a "+op+" body.b")
		for _, a := range edges {
			for _, b := range edges {
				got, err := e.Eval(&Input{Body: map[string]any{"a": a, "b": b}})
				want := exact(op, a, b)
				switch {
				case want == nil || !want.IsInt64():
					if err == nil {
						t.Errorf("%d %s %d is %v, but must fail", a, op, b, got)
					}
				case err != nil || got != want.Int64():
					t.Errorf("%d %s %d is %v, %v; want %s", a, op, b, got, err, want)
				}
			}
		}
	}
}

func exact(op string, a, b int64) *big.Int {
	x, y, z := big.NewInt(a), big.NewInt(b), new(big.Int)
	switch op {
	case "+":
		return z.Add(x, y)
	case "-":
		return z.Sub(x, y)
	case "*":
		return z.Mul(x, y)
	}
	if b == 0 {
		return nil
	}
	return z.Rem(x, y)
}

// TestNumbersCompare compares whole numbers and fractions with big rationals.
func TestNumbersCompare(t *testing.T) {
	compare := func(i int64, f float64) bool {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return true
		}
		want := new(big.Rat).SetInt64(i).Cmp(new(big.Rat).SetFloat64(f))
		return compareNumbers(number{i: i}, number{f: f, float: true}) == want &&
			compareNumbers(number{f: f, float: true}, number{i: i}) == -want
	}
	if err := quick.Check(compare, nil); err != nil {
		t.Error(err)
	}
	for _, i := range []int64{0, math.MaxInt64, math.MinInt64, 1 << 53, 1<<53 + 1} {
		for _, f := range []float64{0, -0.5, 0.5, 1 << 53, 1 << 63, -1 << 63, math.MaxFloat64, float64(i), math.Nextafter(float64(i), 0)} {
			if !compare(i, f) {
				t.Errorf("%d and %g", i, f)
			}
		}
	}
}

// FuzzToJSON holds our writer to encoding/json's text.
func FuzzToJSON(f *testing.F) {
	f.Add("a<b>&\u2028\x00\xff\"\\\b\f\n\r\t\x7f", 1e21, int64(5))
	f.Add("ñ\u2029", -1e-7, int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, s string, x float64, i int64) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		v := map[string]any{"s": s, s: x, "l": []any{i, nil, true, s, map[string]any{}, []any{}, accepted}}
		got, err := mustCompile(t, "toJSON(body)").Eval(&Input{Body: v})
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(strings.TrimSuffix(want.String(), "\n"), got); d != "" {
			t.Error(d)
		}
		if got, most := len(appendQuoted(nil, s)), quotedSize(s); got > most {
			t.Errorf("%q takes %d bytes, more than %d", s, got, most)
		}
	})
}

func TestConcurrent(t *testing.T) {
	e := orderMap(t)
	want, err := e.Eval(anOrder())
	if err != nil {
		t.Fatal(err)
	}
	fails := mustCompile(t, "map(body.items, .nothing + 1)")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				got, err := e.Eval(anOrder())
				if d := cmp.Diff(want, got); err != nil || d != "" {
					t.Errorf("%v %s", err, d)
					return
				}
				if _, err := fails.Eval(anOrder()); err == nil || err.Error() != "1:17: .nothing is nil: write (.nothing ?? 0) + 1" {
					t.Errorf("the fault is %v", err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestPanicIsAnError plants a value that no source makes.
func TestPanicIsAnError(t *testing.T) {
	type odd []int
	for text, want := range map[string]string{
		"body.x + 1":   "1:1: body.x is a value of a kind that expressions do not know (expr.odd)",
		"body.x == 1":  "",
		"uniq(body.l)": "",
		"toJSON(body)": "",
		"body.x.y":     "1:1: body.x is a value of an unknown kind: it has no field y",
	} {
		_, err := mustCompile(t, text).Eval(&Input{Body: map[string]any{"x": odd{1}, "l": []any{odd{1}, odd{1}}}})
		if want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	e := Expr{&program{src: Source{Text: "a"}, root: broken{}}}
	if _, err := e.Eval(&Input{}); err == nil || err.Error() != "1:1: the expression broke its evaluator: planted" {
		t.Errorf("got %v", err)
	}
}

type broken struct{}

func (broken) eval(*machine) any { panic("planted") }

// TestLoadIsSmall bounds what the expressions of 200 flows leave in memory.
func TestLoadIsSmall(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	started := time.Now()
	all := compileFlows(t)
	took := time.Since(started)
	each := int(heap()-before) / len(all)
	runtime.KeepAlive(all)
	t.Logf("%d expressions in %s, %d bytes each", len(all), took, each)
	if each > 2048 {
		t.Errorf("an expression keeps %d bytes", each)
	}
}

func TestExprObject(t *testing.T) {
	inner := Object([]Field{{"city", mustCompile(t, "body.city")}, {"fixed", Constant(7)}})
	e := Object([]Field{{"b", mustCompile(t, "body.id")}, {"a", inner}, {"l", List([]Expr{Constant("x"), mustCompile(t, "meta.method")})}})
	got, err := e.Eval(&Input{Body: map[string]any{"id": int64(1), "city": "Lima"}, Meta: map[string]any{"method": "POST"}})
	want := map[string]any{"b": int64(1), "a": map[string]any{"city": "Lima", "fixed": int64(7)}, "l": []any{"x", "POST"}}
	if d := cmp.Diff(any(want), got); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
	if d := cmp.Diff([]string{"b", "a", "l"}, e.Fields()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"city", "fixed"}, e.Field("a").Fields()); d != "" {
		t.Error(d)
	}
	for name, used := range map[string]bool{"body": true, "meta": true, "event": false, "nonsense": false} {
		if e.Uses(name) != used {
			t.Errorf("Uses(%s) is %v", name, !used)
		}
	}
	if e.Field("zzz").IsSet() || (Expr{}).IsSet() || !e.IsSet() {
		t.Error("what is set is not told from what is not")
	}
	if v, ok := Constant(uint8(3)).Literal(); v != int64(3) || !ok {
		t.Errorf("the literal is %v, %v", v, ok)
	}
	if v, err := (Expr{}).Eval(nil); v != nil || err != nil {
		t.Errorf("the zero Expr yields %v, %v", v, err)
	}
}

func TestBool(t *testing.T) {
	for text, want := range map[string]string{
		"body.paid":    "",
		"body.missing": "1:1: the result is nil, but true or false is needed: compare it with something, or write (… ?? false)",
		"body.name":    "1:1: the result is text, but true or false is needed: compare it with something",
	} {
		ok, err := mustCompile(t, text).Bool(sample())
		if want == "" && (err != nil || !ok) || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: %v, %v, want %q", text, ok, err, want)
		}
	}
}

func TestStr(t *testing.T) {
	for text, want := range map[string]string{
		`body.name`: "Ana", `body.id`: "1042", `body.total`: "99.5", `body.big`: "18446744073709551616", `body.paid`: "true",
		`body.missing`: "", `body.numbers`: "[3,1,2]", `{a: 1}`: `{"a":1}`, `event.time`: "2026-03-01T12:30:00Z", `4 / 2`: "2",
	} {
		if got, err := mustCompile(t, text).Str(sample()); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	if got, err := Constant([]any{true}).Str(&Input{}); err != nil || got != "[true]" {
		t.Errorf("a constant list: %q, %v", got, err)
	}
}

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		e                Expr
		bool, list, text bool
	}{
		{mustCompile(t, "body.x"), true, true, true},
		{mustCompile(t, "body.x > 1"), true, false, true},
		{mustCompile(t, "filter(body.x, .y)"), false, true, false},
		{mustCompile(t, "lower(body.x)"), false, false, true},
		{mustCompile(t, "nil"), false, false, true},
		{Constant(true), true, false, true},
		{Object(nil), false, false, false},
		{List(nil), false, true, false},
		{Expr{}, true, true, true},
	} {
		if got := [3]bool{c.e.CheckBool() == nil, c.e.CheckList() == nil, c.e.CheckText() == nil}; got != [3]bool{c.bool, c.list, c.text} {
			t.Errorf("%v: %v", c.e, got)
		}
	}
}

// TestSecretsStayOut looks for a secret in all that a faulty expression tells.
func TestSecretsStayOut(t *testing.T) {
	e, err := Compile(Source{Text: "hmacSha256(secret.partner, body.missing)"}, sampleScope())
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Eval(sample())
	if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "body.missing is nil") {
		t.Errorf("got %v", err)
	}
	if !e.Uses("secret") {
		t.Error("the secret counts as not used")
	}
}
