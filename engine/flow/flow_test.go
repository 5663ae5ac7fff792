package flow

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/journal"
)

func TestFanOutAndFilter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a, b := &fake{}, &fake{}
		odd := Apply{"filter", stepFunc(func(e *component.Event) ([]*component.Event, error) {
			if e.Body.(int64)%2 == 0 {
				return nil, nil
			}
			return []*component.Event{e}, nil
		})}
		g.flow("f", odd, send(g.sink("a", a)), send(g.sink("b", b)))
		g.run()
		g.accept(numbers(1, 10)...)
		settle(time.Second)
		wantBodies(t, sorted(a.bodies()), 1, 3, 5, 7, 9)
		wantBodies(t, sorted(b.bodies()), 1, 3, 5, 7, 9)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 10, Delivered: 5, Filtered: 5})
		g.restart()
		settle(time.Minute)
		if a.attempts() != 5 || b.attempts() != 5 {
			t.Errorf("after a restart: %d and %d attempts, want 5 and 5", a.attempts(), b.attempts())
		}
	})
}

func TestSplitSettlesWhenAllChildrenHave(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{}
		a.react = func(_ context.Context, d component.Delivery) error {
			if d.Event.Body == int64(2) {
				return component.Permanent(errors.New("422"))
			}
			return nil
		}
		g.flow("f", split, send(g.sink("a", a)))
		g.run()
		g.accept([]any{int64(1), int64(2), int64(3)}, []any{})
		settle(time.Second)
		wantBodies(t, sorted(a.bodies()), 1, 3)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Dead: 1, Filtered: 1})
		dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
		if len(dead) != 1 || dead[0].Path != "/1" || dead[0].Errors[0].Error != "422" {
			t.Fatalf("dead letters: %+v", dead)
		}
		if _, err := g.j.Drop(t.Context(), dead[0].ID); err != nil {
			t.Fatal(err)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Dropped: 1, Filtered: 1})
	})
}

func TestRouteModes(t *testing.T) {
	when := func(ok bool) expr.Expr { return expr.Constant(ok) }
	for _, c := range []struct {
		all  bool
		want map[string]int
	}{
		{false, map[string]int{"a": 1}},
		{true, map[string]int{"a": 1, "b": 1}},
	} {
		inBubble(t, func(t *testing.T) {
			g := newRig(t)
			sinks := map[string]*fake{"a": {}, "b": {}, "c": {}}
			to := func(name string) []Node { return []Node{send(g.sink(name, sinks[name]))} }
			g.flow("f", Route{Name: "route", All: c.all, Cases: []Case{
				{Name: "no", When: when(false), Nodes: to("c")},
				{Name: "yes", When: when(true), Nodes: to("a")},
				{Name: "also", When: when(true), Nodes: to("b")},
				{Name: "otherwise", Nodes: to("c")},
			}})
			g.run()
			g.accept("x")
			settle(time.Second)
			got := map[string]int{}
			for name, f := range sinks {
				if n := f.attempts(); n > 0 {
					got[name] = n
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("all=%v: %s", c.all, d)
			}
		})
	}
}

func TestRetryWithBackoffThenDeadLetter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		bad := &fake{}
		bad.react = func(_ context.Context, d component.Delivery) error {
			if d.Event.Body == "bad" {
				return errDown
			}
			return nil
		}
		g.flow("f", send(g.sink("a", bad, func(c *component.SinkCommon) {
			c.Retry = component.Retry{For: time.Minute, Initial: time.Second, Max: 10 * time.Second}
		})))
		g.run()
		begin := time.Now()
		g.accept("bad")
		settle(30 * time.Second)
		g.accept("good")
		settle(time.Second)
		wantBodies(t, bad.bodies(), "good")
		settle(time.Hour)
		var at []time.Duration
		for _, a := range bad.got {
			if a.body == "bad" {
				at = append(at, a.at.Sub(begin).Round(time.Second))
			}
		}
		want := []time.Duration{0, 1, 3, 7, 15, 25, 35, 45, 55, 65}
		for i := range want {
			want[i] *= time.Second
		}
		if d := cmp.Diff(want, at); d != "" {
			t.Errorf("attempts at: %s", d)
		}
		if ids := counts(bad); len(ids) != 2 {
			t.Errorf("keys: %v, want one for each delivery", ids)
		}
		dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
		if len(dead) != 1 || dead[0].Attempts != 10 || len(dead[0].Errors) != 10 {
			t.Fatalf("dead letters: %+v", dead)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Dead: 1})

		bad.set(nil)
		ex, err := g.j.Revive(t.Context(), dead[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Pending: 1})
		if err := g.r.Retry(t.Context(), ex); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		wantBodies(t, bad.bodies(), "good", "bad")
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 2})
	})
}

func TestLaneStopsIsProbedAndCatchesUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		var down atomic.Bool
		down.Store(true)
		sick, well := &fake{}, &fake{}
		sick.react = func(context.Context, component.Delivery) error {
			if down.Load() {
				return errDown
			}
			return nil
		}
		g.flow("f", send(g.sink("sick", sick)), send(g.sink("well", well)))
		g.run()
		for n := 1; n <= 500; n += 100 {
			g.accept(numbers(n, n+99)...)
			settle(time.Minute)
		}
		if n := len(well.bodies()); n != 500 {
			t.Errorf("the healthy sink has %d of 500", n)
		}
		if rows := len(g.exceptions(journal.ExceptionQuery{})); rows > 4 {
			t.Errorf("%d exceptions of a lane that stands still, want at most 4", rows)
		}
		var state LaneStatus
		for _, l := range g.r.Lanes() {
			if l.Lane.Sink == "sink.test.sick" {
				state = l
			}
		}
		if state.State != Stopped || state.LastError != "503" || state.Probe.IsZero() {
			t.Errorf("lane shown as %+v", state)
		}
		before := sick.attempts()
		down.Store(false)
		settle(time.Minute)
		wantBodies(t, sorted(sick.bodies()), numbers(1, 500)...)
		if n := sick.attempts() - before; n != 500 {
			t.Errorf("%d attempts to catch up with 500", n)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 500, Delivered: 500})
	})
}

// An hour's outage is not held against retry.for, and a sink that refuses our
// credentials makes no dead letters at all.
func TestUnwellSinkBurnsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{react: func(context.Context, component.Delivery) error {
			return component.Unwell(errors.New("401"))
		}}
		g.flow("f", send(g.sink("a", s, func(c *component.SinkCommon) { c.Retry.For = time.Minute })))
		g.run()
		g.accept(numbers(1, 3)...)
		settle(2 * time.Hour)
		if list := g.exceptions(journal.ExceptionQuery{}); len(list) != 0 {
			t.Fatalf("exceptions: %+v", list)
		}
		s.set(nil)
		settle(time.Minute)
		wantBodies(t, sorted(s.bodies()), 1, 2, 3)
	})
}

// The first event that a stopped lane would try may fail for reasons of its own.
func TestPoisonDoesNotKeepALaneStopped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		var down atomic.Bool
		down.Store(true)
		s := &fake{react: func(_ context.Context, d component.Delivery) error {
			if down.Load() || d.Event.Body == int64(1) {
				return errDown
			}
			return nil
		}}
		g.flow("f", send(g.sink("a", s, func(c *component.SinkCommon) { c.Breaker.Failures = 1 })))
		g.run()
		g.accept(numbers(1, 20)...)
		settle(10 * time.Minute)
		down.Store(false)
		settle(20 * time.Minute)
		if n := len(s.bodies()); n < 19 {
			t.Errorf("%d of 19 delivered", n)
		}
	})
}

func TestOrderByKeepsKeysInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		var failed atomic.Int32
		s := &fake{react: func(_ context.Context, d component.Delivery) error {
			time.Sleep(time.Millisecond)
			if d.Event.Body == "a1" && failed.Add(1) <= 3 {
				return errDown
			}
			return nil
		}}
		spec := g.flow("f", send(g.sink("a", s)))
		spec.OrderBy = mustExpr(t, "body[0:1]")
		g.run()
		g.accept("a1", "a2", "b1", "a3", "b2")
		settle(100 * time.Millisecond)
		wantBodies(t, s.bodies(), "b1", "b2")
		g.restart()
		settle(time.Minute)
		wantBodies(t, s.bodies(), "b1", "b2", "a1", "a2", "a3")
	})
}

func mustExpr(t *testing.T, text string) expr.Expr {
	t.Helper()
	e, err := expr.Compile(expr.Source{Text: text}, &expr.Scope{Names: []string{"body"}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPanicsBecomeTheEventsError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{react: func(_ context.Context, d component.Delivery) error {
			if d.Event.Body == "sink" {
				panic("ouch")
			}
			return nil
		}}
		step := Apply{"map", stepFunc(func(e *component.Event) ([]*component.Event, error) {
			if e.Body == "step" {
				panic("oops")
			}
			return []*component.Event{e}, nil
		})}
		g.flow("f", step, send(g.sink("a", s)))
		g.run()
		g.accept("sink", "step", "fine")
		settle(time.Second)
		wantBodies(t, s.bodies(), "fine")
		got := map[string]string{}
		for _, ex := range g.exceptions(journal.ExceptionQuery{DeadOnly: true}) {
			got[ex.Lane.Sink+ex.Step] = ex.Errors[0].Error
		}
		if d := cmp.Diff(map[string]string{"map": "panic: oops", "sink.test.a": "panic: ouch"}, got); d != "" {
			t.Error(d)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 3, Delivered: 1, Dead: 2})
	})
}

// A dead letter of a step is run again through the steps as they are then, and
// reaches every lane once.
func TestRetryOfAStepsDeadLetter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a, b := &fake{}, &fake{}
		broken := true
		step := Apply{"map", stepFunc(func(e *component.Event) ([]*component.Event, error) {
			if broken && e.Body == "x" {
				return nil, errors.New("body.total is nil")
			}
			return []*component.Event{e}, nil
		})}
		g.flow("f", step, send(g.sink("a", a)), send(g.sink("b", b)))
		g.run()
		g.accept("x", "y")
		settle(time.Second)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Dead: 1})
		dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
		if len(dead) != 1 || dead[0].Step != "map" || dead[0].Lane.Sink != "" {
			t.Fatalf("dead letters: %+v", dead)
		}
		retry := func() {
			ex, err := g.j.Revive(t.Context(), dead[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.r.Retry(t.Context(), ex); err != nil {
				t.Fatal(err)
			}
			settle(time.Second)
		}
		retry()
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Dead: 1})
		broken = false
		retry()
		wantBodies(t, a.bodies(), "y", "x")
		wantBodies(t, b.bodies(), "y", "x")
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 2})
		g.restart()
		settle(time.Hour)
		if a.attempts() != 2 {
			t.Errorf("%d attempts, want 2", a.attempts())
		}
	})
}

// One sink hangs for the whole of the test: what the other one sees, and when,
// is to the nanosecond what it sees alone.
func TestHangingSinkDoesNotMoveItsNeighbour(t *testing.T) {
	latencies := func(beside bool) (out []string) {
		inBubble(t, func(t *testing.T) {
			g := newRig(t)
			well := &fake{react: func(context.Context, component.Delivery) error {
				time.Sleep(3 * time.Millisecond)
				return nil
			}}
			hang := &fake{react: func(ctx context.Context, _ component.Delivery) error {
				<-ctx.Done()
				return ctx.Err()
			}}
			nodes := []Node{send(g.sink("well", well))}
			if beside {
				nodes = append(nodes, send(g.sink("hang", hang)))
			}
			g.flow("f", nodes...)
			g.run()
			begin := time.Now()
			for n := range 200 {
				g.accept(n)
				settle(50 * time.Millisecond)
			}
			for _, a := range well.got {
				out = append(out, fmt.Sprint(a.body, a.at.Sub(begin)))
			}
		})
		return out
	}
	alone, together := latencies(false), latencies(true)
	if len(alone) != 200 {
		t.Fatalf("%d of 200 delivered", len(alone))
	}
	if d := cmp.Diff(alone, together); d != "" {
		t.Error(d)
	}
}
