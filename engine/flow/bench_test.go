package flow

import (
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// BenchmarkStepRoute is an event that takes the second of two cases. (apply costs
// nothing by itself: its steps stand in its place.)
func BenchmarkStepRoute(b *testing.B) {
	compile := func(text string) expr.Expr {
		e, err := expr.Compile(expr.Source{Text: text}, &expr.Scope{Names: []string{"body"}})
		if err != nil {
			b.Fatal(err)
		}
		return e
	}
	to := []Node{Send{Sink: "sink.log.all"}}
	p := NewProgram([]Node{Route{Name: "route", Cases: []Case{
		{Name: "large", When: compile("body.total > 1000"), Nodes: to},
		{Name: "small", When: compile("body.total > 0"), Nodes: to},
	}}})
	e := &component.Event{ID: "019aa8a0c3f47d21b6e05c9f1e7a2d48", Body: map[string]any{"total": int64(27)}}
	b.ReportAllocs()
	for b.Loop() {
		if outs, err := (&pass{ctx: b.Context()}).through(p.nodes, e); err != nil || len(outs) != 1 {
			b.Fatal(outs, err)
		}
	}
}
