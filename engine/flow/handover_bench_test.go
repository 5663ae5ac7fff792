package flow

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// BenchmarkSwap200 changes one of 200 flows with two lanes each, all of them idle, and
// waits for nothing but Swap.
func BenchmarkSwap200(b *testing.B) {
	g := newIdle(b, 200)
	b.ReportAllocs()
	for b.Loop() {
		g.change()
		over := g.r.Swap(g.specs, g.sinks)
		b.StopTimer()
		<-over
		b.StartTimer()
	}
}

// BenchmarkSwapToEffect is the same until the new steps run.
func BenchmarkSwapToEffect(b *testing.B) {
	g := newIdle(b, 200)
	b.ReportAllocs()
	for b.Loop() {
		g.change()
		g.r.Swap(g.specs, g.sinks)
		<-g.r.roster.Load().flows[g.specs[0].Name].ready
	}
}

// idle is flows that have nothing to do.
type idle struct {
	specs []Spec
	sinks map[component.Address]*Sink
	r     *Runner
}

// newIdle starts n flows to the same two sinks.
func newIdle(tb testing.TB, n int) *idle {
	g := &idle{sinks: map[component.Address]*Sink{}}
	var common component.SinkCommon
	common.SetDefaults()
	for _, addr := range []component.Address{"sink.test.a", "sink.test.b"} {
		g.sinks[addr] = NewSink(addr, &fake{}, common)
	}
	j, err := journal.Open(tb.TempDir(), journal.Options{Now: utcNow, Log: slog.New(slog.DiscardHandler), Ballast: -1})
	if err != nil {
		tb.Fatal(err)
	}
	top := journal.Topology{Generation: 1}
	for i := range n {
		g.specs = append(g.specs, Spec{Name: fmt.Sprintf("flow.f%03d", i), Sources: []string{src}})
		g.specs[i].Program = NewProgram([]Node{send("sink.test.a"), send("sink.test.b")})
		top.Flows = append(top.Flows, journal.Flow{Name: g.specs[i].Name, Sources: []string{src}, Sinks: []string{"sink.test.a", "sink.test.b"}})
	}
	progress, err := j.Configure(tb.Context(), top)
	if err != nil {
		tb.Fatal(err)
	}
	by := map[journal.Lane][]journal.Progress{}
	for _, p := range progress {
		by[p.Lane] = append(by[p.Lane], p)
	}
	o := Options{Journal: j, Log: slog.New(slog.DiscardHandler), Now: utcNow, Jitter: func() float64 { return 1 }}
	o.Progress = func(_ context.Context, id journal.Lane) ([]journal.Progress, error) { return by[id], nil }
	if g.r, err = New(o, g.specs, g.sinks, progress); err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.r.Run(ctx, context.Background()) }()
	tb.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			tb.Error(err)
		}
		if err := j.Close(); err != nil {
			tb.Error(err)
		}
	})
	for _, f := range g.r.roster.Load().flows {
		<-f.ready
	}
	return g
}

// change gives the first flow other steps.
func (g *idle) change() {
	g.specs[0].Program = NewProgram([]Node{send("sink.test.a"), send("sink.test.b")})
}
