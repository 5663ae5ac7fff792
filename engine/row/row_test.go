package row

import (
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRowIsTheObject(t *testing.T) {
	names := []string{"b", "a", "b", "c"}
	r := Row{NewShape(names), []any{int64(1), "x", int64(2), nil}}
	if d := cmp.Diff(map[string]any{"a": "x", "b": int64(2), "c": nil}, r.Map()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	var order []string
	for name, v := range r.All() {
		order = append(order, name)
		if i, ok := r.Shape.Index(name); !ok || r.Values[i] != v {
			t.Errorf("%s stands at %d, %t", name, i, ok)
		}
	}
	if !slices.Equal(order, []string{"a", "b", "c"}) || r.Len() != 3 {
		t.Errorf("fields %v, %d of them", order, r.Len())
	}
	if i, ok := r.Shape.Index("d"); ok {
		t.Errorf("a field that is not there stands at %d", i)
	}
}

func TestShapeIs(t *testing.T) {
	s := NewShape([]string{"a", "b"})
	for _, c := range []struct {
		names []string
		want  bool
	}{{[]string{"a", "b"}, true}, {[]string{"b", "a"}, false}, {[]string{"a"}, false}, {nil, false}} {
		if s.Is(c.names) != c.want {
			t.Errorf("Is(%v) = %t", c.names, !c.want)
		}
	}
	if !NewShape(nil).Is([]string{}) {
		t.Error("no names are not no names")
	}
}

func TestTextsSurviveCollections(t *testing.T) {
	values := make([]any, 100)
	func() { // beyond which only values hold the texts
		texts := make([]string, len(values))
		for i := range texts {
			texts[i] = strconv.Itoa(i)
			values[i] = Text(&texts[i])
		}
	}()
	for range 3 {
		runtime.GC()
	}
	for i, v := range values {
		if v != strconv.Itoa(i) {
			t.Fatalf("value %d is %v", i, v)
		}
	}
	if n := testing.AllocsPerRun(100, func() { values[1] = Text(&[]string{"x"}[0]) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
