package transforms

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

func compile(t testing.TB, text string) expr.Expr {
	t.Helper()
	e, err := expr.Compile(expr.Source{Text: text}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func object(t testing.TB, pairs ...string) expr.Expr {
	var list []expr.Field
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, expr.Field{Name: pairs[i], Value: compile(t, pairs[i+1])})
	}
	return expr.Object(list)
}

func open(t testing.TB, k component.Kind, cfg any) component.Step {
	t.Helper()
	s, err := k.Open(component.Env{Address: "flow.test"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s.(component.Step)
}

func event() *component.Event {
	return &component.Event{ID: "ev1", Path: "/a", Body: map[string]any{
		"id": int64(7), "total": 12.5,
		"customer": map[string]any{"name": "Ana", "ssn": "123", "address": map[string]any{"city": "Lima", "zip": "1"}},
		"items":    []any{map[string]any{"sku": "x", "cost": int64(1)}, map[string]any{"sku": "y"}, "odd"},
	}}
}

func bodies(events []*component.Event) []any {
	all := []any{}
	for _, e := range events {
		whole, err := e.Whole()
		if err != nil {
			panic(err)
		}
		all = append(all, whole.Body)
	}
	return all
}

func TestSteps(t *testing.T) {
	customer := map[string]any{"name": "Ana", "ssn": "123", "address": map[string]any{"city": "Lima", "zip": "1"}}
	items := []any{map[string]any{"sku": "x", "cost": int64(1)}, map[string]any{"sku": "y"}, "odd"}
	for _, c := range []struct {
		name string
		kind component.Kind
		cfg  any
		want []any
	}{
		{"filter true", Filter, &FilterConfig{When: compile(t, "body.total > 10")}, []any{event().Body}},
		{"filter false", Filter, &FilterConfig{When: compile(t, "body.total > 100")}, []any{}},
		{"map", Map, &MapConfig{Fields: object(t, "b", "body.id", "a", "body.customer.name")}, []any{map[string]any{"b": int64(7), "a": "Ana"}}},
		{"replace", Replace, &ReplaceConfig{Body: compile(t, "body.items[0].sku")}, []any{"x"}},
		{"replace with nil", Replace, &ReplaceConfig{Body: compile(t, "body.none")}, []any{nil}},
		{"set", Set, &SetConfig{Fields: object(t, "id", "body.id + 1", "new", "body.id")}, []any{map[string]any{
			"id": int64(8), "new": int64(7), "total": 12.5, "customer": customer, "items": items,
		}}},
		{"set inside", Set, &SetConfig{Fields: expr.Object([]expr.Field{{Name: "customer", Value: expr.Object([]expr.Field{
			{Name: "address", Value: object(t, "city", "'Cusco'")}, {Name: "vip", Value: expr.Constant(true)},
		})}})}, []any{map[string]any{
			"id": int64(7), "total": 12.5, "items": items,
			"customer": map[string]any{"name": "Ana", "ssn": "123", "vip": true, "address": map[string]any{"city": "Cusco", "zip": "1"}},
		}}},
		{"set to an object that an expression yields", Set, &SetConfig{Fields: object(t, "customer", "{name: 'Bob'}")}, []any{map[string]any{
			"id": int64(7), "total": 12.5, "items": items, "customer": map[string]any{"name": "Bob"},
		}}},
		{"set inside what is no object", Set, &SetConfig{Fields: expr.Object([]expr.Field{{Name: "total", Value: object(t, "net", "1")}})}, []any{map[string]any{
			"id": int64(7), "total": map[string]any{"net": int64(1)}, "items": items, "customer": customer,
		}}},
		{"remove", Remove, &RemoveConfig{Fields: []string{"customer.ssn", "customer.address", "items.cost", "none.here", "id"}}, []any{map[string]any{
			"total": 12.5, "customer": map[string]any{"name": "Ana"}, "items": []any{map[string]any{"sku": "x"}, map[string]any{"sku": "y"}, "odd"},
		}}},
		{"split", Split, &SplitConfig{Each: compile(t, "body.items")}, items},
		{"split of nothing", Split, &SplitConfig{Each: compile(t, "[]")}, []any{}},
	} {
		e := event()
		out, err := open(t, c.kind, c.cfg).Apply(context.Background(), e)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.want, bodies(out)); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, d)
		}
		if d := cmp.Diff(event(), e); d != "" {
			t.Errorf("%s changed its event:\n%s", c.name, d)
		}
		for i, o := range out {
			if o.ID != "ev1" {
				t.Errorf("%s: event %d has the id %q", c.name, i, o.ID)
			}
		}
	}
}

func TestRemoveKeepsWhatIsNotOnThePath(t *testing.T) {
	e := event()
	s := open(t, Remove, &RemoveConfig{Fields: []string{"none", "customer.none", "items.none"}})
	out, err := s.Apply(context.Background(), e)
	if err != nil || len(out) != 1 || out[0] != e {
		t.Errorf("an event without the fields became %v, %v", out, err)
	}
}

func TestSplitChildren(t *testing.T) {
	out, err := open(t, Split, &SplitConfig{Each: compile(t, "body.items")}).Apply(context.Background(), event())
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range out {
		if want := fmt.Sprintf("/a/%d", i); e.Path != want {
			t.Errorf("child %d has the path %q, want %q", i, e.Path, want)
		}
		if d := cmp.Diff(event().Body, e.Parent); d != "" {
			t.Errorf("child %d has another parent: %s", i, d)
		}
	}
	if len(out) != 3 {
		t.Errorf("%d children", len(out))
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		kind component.Kind
		cfg  any
		want string
	}{
		{"filter", Filter, &FilterConfig{When: compile(t, "body.fee > 1")}, "1:1: body.fee is nil: write (body.fee ?? 0) > 1"},
		{"filter of text", Filter, &FilterConfig{When: compile(t, "body.customer.name")}, "1:1: the result is text, but true or false is needed: compare it with something"},
		{"map", Map, &MapConfig{Fields: object(t, "a", "body.id", "b", "body.id + body.fee")}, "1:11: body.fee is nil: write body.id + (body.fee ?? 0)"},
		{"split of nil", Split, &SplitConfig{Each: compile(t, "body.lines")}, "1:1: the result is nil, but a list is needed: write body.lines ?? [] where it may be missing"},
		{"split of an object", Split, &SplitConfig{Each: compile(t, "body.customer")}, "1:1: the result is an object, but a list is needed: write [body.customer] for a list of one"},
	} {
		_, err := open(t, c.kind, c.cfg).Apply(context.Background(), event())
		var fault *expr.Error
		if !errors.As(err, &fault) || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	e := event().With("text")
	if _, err := open(t, Set, &SetConfig{Fields: object(t, "a", "1")}).Apply(context.Background(), e); err == nil {
		t.Error("a field was set in a text")
	}
	out, err := open(t, Set, &SetConfig{Fields: object(t, "a", "1")}).Apply(context.Background(), event().With(nil))
	if d := cmp.Diff([]any{map[string]any{"a": int64(1)}}, bodies(out)); err != nil || d != "" {
		t.Errorf("set without a body: %v %s", err, d)
	}
}

func TestValidate(t *testing.T) {
	type validator interface{ Validate(*component.Problems) }
	for _, c := range []struct {
		cfg  validator
		want []component.Problem
	}{
		{&RemoveConfig{Fields: []string{"a", "b.c"}}, nil},
		{&RemoveConfig{}, []component.Problem{{Attr: "fields", Summary: "no field to remove", Detail: `Name at least one: fields = ["customer.ssn"].`}}},
		{&RemoveConfig{Fields: []string{"a..b", "", "x[0]", "d", "d", "body.x"}}, []component.Problem{
			{Attr: "fields[0]", Summary: `"a..b" is no path of a field`, Detail: `Write names joined by single dots: "customer.ssn".`},
			{Attr: "fields[1]", Summary: `"" is no path of a field`, Detail: `Write names joined by single dots: "customer.ssn".`},
			{Attr: "fields[2]", Summary: `"x[0]" holds an index`, Detail: "Leave it out: a list on the way stands for each of its elements."},
			{Attr: "fields[4]", Summary: `"d" is named twice`, Detail: "Keep one of the two."},
			{Attr: "fields[5]", Summary: `"body.x" starts at the body`, Detail: `Paths start inside the body: this removes the field body.body.x. Did you mean "x"?`, Warning: true},
		}},
		{&MapConfig{Fields: expr.Object(nil)}, []component.Problem{{Summary: "a map without fields", Detail: `Give at least one field: total = "body.total".`}}},
		{&MapConfig{Fields: object(t, "a", "1")}, nil},
		{&SetConfig{Fields: expr.Object(nil)}, []component.Problem{{Summary: "a set without fields", Detail: `Give at least one field: total = "body.net + body.tax".`}}},
	} {
		var p component.Problems
		c.cfg.Validate(&p)
		if d := cmp.Diff(c.want, p.List); d != "" {
			t.Errorf("%v: (-want +got)\n%s", c.cfg, d)
		}
	}
}

func TestKinds(t *testing.T) {
	var names []string
	for _, k := range Kinds() {
		if k.Class != component.ClassStep || k.Doc == "" {
			t.Errorf("%s: class %s, doc %q", k.Name, k.Class, k.Doc)
		}
		names = append(names, k.Name)
	}
	if d := cmp.Diff([]string{"filter", "map", "replace", "set", "remove", "split", "decode", "encode"}, names); d != "" {
		t.Error(d)
	}
}

func BenchmarkSteps(b *testing.B) {
	for _, c := range []struct {
		kind component.Kind
		cfg  any
	}{
		{Filter, &FilterConfig{When: compile(b, "body.total > 10 and body.customer.name == 'Ana'")}},
		{Map, &MapConfig{Fields: object(b, "id", "body.id", "name", "body.customer.name", "city", "lower(body.customer.address.city)", "count", "len(body.items)")}},
		{Replace, &ReplaceConfig{Body: compile(b, "body.customer")}},
		{Set, &SetConfig{Fields: expr.Object([]expr.Field{{Name: "customer", Value: object(b, "vip", "body.total > 10")}})}},
		{Remove, &RemoveConfig{Fields: []string{"customer.ssn"}}},
		{Split, &SplitConfig{Each: compile(b, "body.items")}},
	} {
		b.Run(c.kind.Name, func(b *testing.B) {
			s, e := open(b, c.kind, c.cfg), event()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Apply(context.Background(), e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
