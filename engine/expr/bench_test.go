package expr

import (
	"fmt"
	"testing"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// anOrder is an event such as the benchmarks of the whole daemon send.
func anOrder() *Input {
	items := make([]any, 5)
	for i := range items {
		items[i] = map[string]any{"sku": fmt.Sprintf("SKU-%04d", i), "qty": int64(i + 1), "price": 9.99 + float64(i)}
	}
	return &Input{
		Body: map[string]any{
			"id": "ord-0000001", "currency": "USD", "items": items,
			"customer": map[string]any{"name": "Ana Torres", "email": "Ana.Torres@Example.com"},
		},
		Event: Event{ID: "ev1", Time: accepted}, Seed: "ev1",
	}
}

var orderFields = []struct{ name, text string }{
	{"order_id", `body.id`},
	{"email", `lower(body.customer.email)`},
	{"name", `body.customer.name`},
	{"currency", `body.currency`},
	{"total", `sum(body.items, .qty * .price)`},
	{"item_count", `len(body.items)`},
	{"skus", `map(body.items, .sku)`},
	{"flow", `'f17-' + upper(body.currency)`},
	{"big", `filter(body.items, .price > 12 and .qty >= 1) | map(.sku)`},
	{"bucket", `len(body.id) % (17 + 2)`},
	{"filter", `sum(body.items, .qty) > 3 and body.currency in ['USD', 'EUR']`},
}

func mustCompile(b testing.TB, text string) Expr {
	b.Helper()
	e, err := Compile(Source{Text: text}, nil)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// orderMap is the map step of the daemon's benchmark as one object.
func orderMap(b testing.TB) Expr {
	list := []Field{{"rev", Constant(int64(3))}}
	for _, f := range orderFields[:7] {
		list = append(list, Field{f.name, mustCompile(b, f.text)})
	}
	return Object(list)
}

func BenchmarkEval(b *testing.B) {
	in := anOrder()
	run := func(name string, e Expr) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, f := range orderFields {
		run(f.name, mustCompile(b, f.text))
	}
	run("map of 8", orderMap(b))
	run("uuid", mustCompile(b, "uuid()"))
	run("toJSON", mustCompile(b, "toJSON(body)"))
}

// BenchmarkFault is what an event costs whose expression fails.
func BenchmarkFault(b *testing.B) {
	in, e := anOrder(), mustCompile(b, "body.total > 100")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Eval(in); err == nil {
			b.Fatal("it passed")
		}
	}
}

// BenchmarkLibrary runs the same on the library's own machine, for comparison.
func BenchmarkLibrary(b *testing.B) {
	in := anOrder()
	env := map[string]any{"body": in.Body}
	for _, f := range orderFields {
		p, err := expr.Compile(f.text, expr.Env(map[string]any{"body": map[string]any{}}))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			var machine vm.VM
			for b.Loop() {
				if _, err := machine.Run(p, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTemplate(b *testing.B) {
	in := anOrder()
	for _, c := range []struct {
		name  string
		text  string
		place Escape
	}{
		{"path", "/orders/{{ body.id }}", Path},
		{"text", "Order {{ body.id }} of {{ body.customer.name }}: {{ len(body.items) }} items", Text},
		{"file", "out/{{ formatTime(event.time, '2006-01-02', 'UTC') }}.csv", FileName},
		{"html", "<p title=\"{{ body.id }}\">{{ body.customer.name }}</p>", HTML},
	} {
		t, err := CompileTemplate(Source{Text: c.text}, c.place, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := t.Eval(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, f := range orderFields {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compile(Source{Text: f.text}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad compiles what 200 flows of eleven different expressions have,
// and tells what of it stays in memory.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		compileFlows(b)
	}
}

func compileFlows(b testing.TB) []Expr {
	all := make([]Expr, 0, 200*len(orderFields))
	for i := range 200 {
		for _, f := range orderFields {
			all = append(all, mustCompile(b, fmt.Sprintf("%s /* %d */", f.text, i)))
		}
	}
	return all
}
