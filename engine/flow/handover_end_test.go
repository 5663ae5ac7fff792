package flow

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// Flows and lanes come and go. What has left keeps its place, and goes on there when
// it is back.
func TestSwapOfWhatThereIs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a, b := &fake{}, &fake{}
		toA, toB := g.sink("a", a), g.sink("b", b)
		spec := g.flow("f", send(toA))
		g.run()
		g.accept(int64(1))
		settle(time.Second)
		g.swap(g.change(spec, send(toA), send(toB)))
		g.accept(int64(2))
		settle(time.Second)
		g.swap(g.change(spec, send(toB)))
		g.accept(int64(3))
		settle(time.Second)
		wantBodies(t, a.bodies(), 1, 2)
		wantBodies(t, b.bodies(), 2, 3)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 3, Delivered: 2, Pending: 1})
		if g.r.Has(journal.Lane{Flow: "flow.f", Sink: string(toA)}) || !g.r.Has(journal.Lane{Flow: "flow.f"}) {
			t.Error("Has tells of another roster")
		}
		g.swap(g.change(spec, send(toA), send(toB)))
		settle(time.Second)
		wantBodies(t, a.bodies(), 1, 2, 3)
		last := g.specs
		g.swap(func() { g.specs = nil })
		g.accept(int64(4))
		settle(time.Second)
		g.swap(func() { g.specs = last })
		g.accept(int64(5))
		settle(time.Second)
		wantBodies(t, sorted(a.bodies()), 1, 2, 3, 4, 5)
		wantBodies(t, sorted(b.bodies()), 2, 3, 4, 5)
	})
}

// A flow that takes another source, too, goes on with the first where it was.
func TestSwapOfSources(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: func(context.Context, component.Delivery) error { time.Sleep(time.Second); return nil }}
		to := g.sink("a", a)
		spec := g.flow("f", send(to))
		spec.Concurrency = 1
		g.run()
		g.accept(numbers(1, 3)...)
		settle(1500 * time.Millisecond)
		g.swap(func() { spec.Sources = []string{"source.webhook.other", src} })
		raw := journal.Payload{ContentType: "application/json", Raw: []byte("4")}
		more := journal.Append{Source: "source.webhook.other", Records: []journal.Record{{ID: journal.NewID(utcNow()), Time: utcNow(), Payload: raw}}}
		if _, err := g.j.Append(t.Context(), more); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		wantBodies(t, sorted(a.bodies()), 1, 2, 3, 4)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 4, Delivered: 4})
		g.swap(func() { spec.Sources = spec.Sources[:1] })
		g.accept(int64(5))
		settle(time.Minute)
		wantBodies(t, sorted(a.bodies()), 1, 2, 3, 4)
	})
}

// What is swapped before Run has begun is what Run begins with.
func TestSwapBeforeRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{}
		to := g.sink("a", a)
		g.flow("f", send(to))
		g.flow("g", send(to))
		o := Options{Journal: g.j, Progress: g.progress, Log: slog.New(slog.DiscardHandler), Now: utcNow}
		var err error
		if g.r, err = New(o, g.specs, g.sinks, g.configure()); err != nil {
			t.Fatal(err)
		}
		if over := g.swap(g.change(&g.specs[0], times(10), send(to))); !isOver(over) {
			t.Error("what has not begun is not over")
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- g.r.Run(ctx, t.Context()) }()
		g.accept(int64(1))
		settle(time.Second)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		wantBodies(t, sorted(a.bodies()), 1, 10)
	})
}

// A lane may be dropped while it finishes what it has begun. It does not try to settle
// that for ever, and its successor begins anew.
func TestDropOfALaneThatIsLeaving(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		slow := &fake{react: func(context.Context, component.Delivery) error { time.Sleep(10 * time.Second); return nil }}
		a, b := g.sink("a", slow), g.sink("b", &fake{})
		spec := g.flow("f", send(a), send(b))
		g.run()
		g.accept(int64(1))
		settle(time.Second)
		over := g.swap(g.change(spec, send(b)))
		if err := g.j.DropLane(t.Context(), journal.Lane{Flow: "flow.f", Sink: string(a)}); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		if !isOver(over) {
			t.Error("the lane does not end")
		}
		g.swap(g.change(spec, send(a), send(b)))
		g.accept(int64(2))
		settle(time.Minute)
		wantBodies(t, slow.bodies(), 1, 2)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Dropped: 1})
	})
}

// The retry of a dead letter whose lane leaves does not wait for it to come back.
func TestRetryOfALaneThatHasLeft(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: func(context.Context, component.Delivery) error { return component.Permanent(errors.New("422")) }}
		to, other := g.sink("a", a), g.sink("b", &fake{})
		spec := g.flow("f", send(to), send(other))
		g.run()
		g.accept(int64(1))
		settle(time.Second)
		ex, err := g.j.Revive(t.Context(), g.exceptions(journal.ExceptionQuery{DeadOnly: true})[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		a.set(nil)
		g.swap(g.change(spec, send(other)))
		if err := g.r.Retry(t.Context(), ex); err != nil {
			t.Error(err)
		}
		settle(time.Minute)
		wantBodies(t, a.bodies())
		g.swap(g.change(spec, send(to), send(other)))
		settle(time.Second)
		wantBodies(t, a.bodies(), 1)
	})
}

// The time for which a lane was away does not count against retry.for.
func TestRetriesOfALaneThatIsBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: fail}
		to, other := g.sink("a", a, func(c *component.SinkCommon) { c.Retry.For = time.Hour }), g.sink("b", &fake{})
		spec := g.flow("f", send(to), send(other))
		g.run()
		g.accept(int64(1))
		settle(time.Second)
		g.swap(g.change(spec, send(other)))
		settle(24 * time.Hour)
		g.swap(g.change(spec, send(to), send(other)))
		settle(time.Minute)
		if dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true}); len(dead) > 0 {
			t.Errorf("dead letters: %+v", dead)
		}
		a.set(nil)
		settle(time.Hour)
		wantBodies(t, a.bodies(), 1)
	})
}

// A lane's retry is not held up by the call that its predecessor waits for.
func TestRetryDuringACallThatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: func(ctx context.Context, d component.Delivery) error {
			if d.Event.Body == int64(2) {
				return hang(ctx, d)
			}
			return component.Permanent(errors.New("422"))
		}}
		to := g.sink("a", a, timeout(time.Minute))
		spec := g.flow("f", send(to))
		g.run()
		g.accept(int64(1))
		settle(time.Second)
		g.accept(int64(2))
		settle(time.Second)
		g.swap(g.change(spec, times(1), send(to)))
		begin := time.Now()
		ex, err := g.j.Revive(t.Context(), g.exceptions(journal.ExceptionQuery{DeadOnly: true})[0].ID)
		if err == nil {
			err = g.r.Retry(t.Context(), ex)
		}
		if err != nil || time.Since(begin) > 0 {
			t.Errorf("retry took %v: %v", time.Since(begin), err)
		}
		a.set(nil)
		settle(2 * time.Minute)
		wantBodies(t, sorted(a.bodies()), 1, 2)
	})
}

// The end of the daemon ends a handover, too: who has begun finishes, and who waits
// for that does not begin. After it, Swap does nothing.
func TestEndAmidASwap(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: func(context.Context, component.Delivery) error { time.Sleep(20 * time.Second); return nil }}
		to := g.sink("a", a)
		spec := g.flow("f", send(to))
		g.run()
		g.accept(numbers(1, 10)...)
		settle(time.Second)
		over := g.swap(g.change(spec, times(10), send(to)))
		begin := time.Now()
		g.stop()
		if d := time.Since(begin); d < 18*time.Second || d > 20*time.Second {
			t.Errorf("it took %v to stop", d)
		}
		wantBodies(t, sorted(a.bodies()), numbers(1, 8)...)
		if !isOver(over) {
			t.Error("the retired lane is not over")
		}
		g.swap(g.change(spec, times(100), send(to)))
		synctest.Wait()
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 10, Delivered: 8, Pending: 2})
	})
}

// What a call does that outlasts the grace is given up, and nobody takes its place.
func TestAbortAmidASwap(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: hang}
		to := g.sink("a", a, timeout(time.Hour))
		spec := g.flow("f", send(to))
		g.run()
		g.accept(int64(1))
		settle(time.Second)
		g.swap(g.change(spec, times(10), send(to)))
		a.set(nil)
		g.stop() // gives up after a minute
		if n := a.attempts(); n != 1 {
			t.Errorf("%d attempts, want 1", n)
		}
		g.run()
		settle(time.Second)
		wantBodies(t, a.bodies(), 10)
	})
}

// What is renamed keeps its idempotency keys, and is the same to its predecessor.
func TestOriginsKeepKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{}
		to := g.sink("a", a)
		inner := []Node{send(to)}
		spec := g.flow("f", Call{Flow: "flow.inner", Nodes: inner})
		g.run()
		e := &component.Event{ID: "1"}
		key := func() string {
			outs, err := (&pass{ctx: t.Context()}).through(spec.Program.nodes, e)
			if err != nil {
				t.Fatal(err)
			}
			l := g.r.roster.Load().lanes[journal.Lane{Flow: spec.Name, Sink: string(to)}]
			return l.deliveryID(outs[0].event)
		}
		was := key()
		g.swap(func() {
			spec.Name, spec.Origin = "flow.g", "flow.f"
			delete(g.sinks, to)
			to = g.sink("b", a)
			g.sinks[to].Origin = "sink.test.a"
			spec.Program = NewProgram([]Node{Call{Flow: "flow.other", Origin: "flow.inner", Nodes: []Node{send(to)}}})
		})
		if diff := cmp.Diff(was, key()); diff != "" {
			t.Errorf("key (-before +after):\n%s", diff)
		}
		if n := len(g.r.seats); n != 2 {
			t.Errorf("%d seats, want 2: one of the lane, one of the flow", n)
		}
	})
}

// After 500 swaps there is as much as after 5.
func TestSwapsLeaveNothingBehind(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		to := g.sink("a", &fake{})
		for _, name := range []string{"f", "g", "h"} {
			g.flow(name, send(to))
		}
		g.run()
		size := func() []int {
			settle(time.Minute)
			g.swap(func() {}) // the seats of who has left are given up at the next one
			settle(time.Minute)
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return []int{runtime.NumGoroutine(), len(g.r.seats), int(m.HeapAlloc >> 20)}
		}
		swaps := func(n int) {
			for i := range n {
				g.accept(int64(i))
				old := g.sinks[to]
				g.swap(func() {
					if i%3 == 0 {
						g.sink("a", &fake{})
						g.sinks[to].After(old)
					}
					extra := g.sink(string(rune('b'+i%20)), &fake{})
					g.specs[i%3].Program = NewProgram([]Node{send(to), send(extra)})
				})
			}
			g.swap(func() {
				for i := range g.specs {
					g.specs[i].Program = NewProgram([]Node{send(to)})
				}
			})
		}
		swaps(5)
		few := size()
		swaps(500)
		many := size()
		if !slices.Equal(few[:2], many[:2]) || many[2] > few[2]+4 {
			t.Errorf("goroutines, seats, MiB: %v after 5 swaps, %v after 500", few, many)
		}
	})
}
