package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// times multiplies numbers, so that outputs tell which steps made them.
func times(n int64) Apply {
	return Apply{"times", stepFunc(func(e *component.Event) ([]*component.Event, error) {
		return []*component.Event{e.With(e.Body.(int64) * n)}, nil
	})}
}

// change gives the flow other nodes.
func (g *rig) change(spec *Spec, nodes ...Node) func() {
	return func() { spec.Program = NewProgram(nodes) }
}

func isOver(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// hang never answers before its time is up.
func hang(ctx context.Context, _ component.Delivery) error {
	<-ctx.Done()
	return ctx.Err()
}

func fail(context.Context, component.Delivery) error { return errDown }

func timeout(d time.Duration) func(*component.SinkCommon) {
	return func(c *component.SinkCommon) { c.Timeout = d }
}

func (g *rig) status(sink component.Address) LaneStatus {
	g.t.Helper()
	for _, l := range g.r.Lanes() {
		if l.Lane.Sink == string(sink) {
			return l
		}
	}
	g.t.Fatalf("no lane to %s", sink)
	return LaneStatus{}
}

// What has begun is finished under the old steps, all else runs under the new ones,
// and nothing is lost or done twice.
func TestSwapHandsAFlowOver(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: func(context.Context, component.Delivery) error { time.Sleep(time.Second); return nil }}
		to := g.sink("a", a)
		spec := g.flow("f", times(1), send(to))
		g.run()
		g.accept(numbers(1, 20)...)
		settle(500 * time.Millisecond) // 8 of them are under way
		over := g.swap(g.change(spec, times(100), send(to)))
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 20, Pending: 20})
		if isOver(over) {
			t.Error("over, while deliveries are under way")
		}
		settle(time.Second)
		if !isOver(over) {
			t.Error("not over, though all deliveries that had begun have ended")
		}
		settle(time.Minute)
		want := numbers(1, 8)
		for n := int64(9); n <= 20; n++ {
			want = append(want, 100*n)
		}
		wantBodies(t, sorted(a.bodies()), want...)
		if n := a.attempts(); n != 20 {
			t.Errorf("%d attempts, want 20", n)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 20, Delivered: 20})
	})
}

// A flow that is the same does not notice a Swap: its lanes are the same, and a retry
// comes when it would have come.
func TestSwapLeavesTheSameAlone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: func(_ context.Context, d component.Delivery) error {
			if d.Event.Body == int64(1) {
				return errDown
			}
			return nil
		}}
		g.flow("f", send(g.sink("a", a)))
		g.run()
		g.accept(numbers(1, 2)...)
		settle(600 * time.Millisecond)
		before := maps.Clone(g.r.roster.Load().lanes)
		over := g.swap(func() { g.flow("g", send(g.sink("b", &fake{}))) })
		if !isOver(over) {
			t.Error("nothing was retired, but is not over")
		}
		for id, l := range before {
			if g.r.roster.Load().lanes[id] != l {
				t.Errorf("%v was replaced", id)
			}
		}
		if n := a.attempts(); n != 2 {
			t.Fatalf("%d attempts, want 2", n)
		}
		settle(500 * time.Millisecond)
		if n := a.attempts(); n != 3 {
			t.Errorf("%d attempts, want 3: the retry was due", n)
		}
	})
}

// Another sink at an address replaces the lanes to it, and nothing else of the flow.
// What waits for a retry keeps its payload, and tries the new sink at once.
func TestSwapOfASinkTakesWaitingRetriesWithIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		old, next, other := &fake{react: fail}, &fake{}, &fake{}
		patient := func(c *component.SinkCommon) {
			c.Retry = component.Retry{For: time.Hour, Initial: 10 * time.Minute, Max: 10 * time.Minute}
		}
		a, b := g.sink("a", old, patient), g.sink("b", other)
		g.flow("f", times(7), send(a), send(b))
		g.run()
		g.accept(numbers(1, 3)...)
		settle(time.Second)
		lanes := g.r.roster.Load().lanes
		over := g.swap(func() { g.sink("a", next, patient) })
		settle(time.Second)
		if !isOver(over) {
			t.Error("the old sink's lane is not over")
		}
		toB := journal.Lane{Flow: "flow.f", Sink: string(b)}
		if g.r.roster.Load().lanes[toB] != lanes[toB] {
			t.Error("the other lane was replaced")
		}
		wantBodies(t, sorted(next.bodies()), 7, 14, 21)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(counts(old))), slices.Sorted(maps.Keys(counts(next)))); diff != "" {
			t.Errorf("idempotency keys (-old +new):\n%s", diff)
		}
		for _, at := range next.got {
			if at.at != next.got[0].at {
				t.Errorf("attempts at different times: %v", next.got)
			}
		}
		if old.attempts() != 3 || other.attempts() != 3 {
			t.Errorf("%d and %d attempts at the others, want 3 each", old.attempts(), other.attempts())
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 3, Delivered: 3})
	})
}

// Retries whose sink is the same keep their payload and their time, whatever became
// of the steps.
func TestRetriesWaitOnAcrossASwapOfTheSteps(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		var times7 []time.Duration
		begin := time.Now()
		a := &fake{react: func(_ context.Context, d component.Delivery) error {
			if d.Event.Body == int64(7) {
				times7 = append(times7, time.Since(begin).Round(time.Millisecond))
				return errDown
			}
			return nil
		}}
		to := g.sink("a", a, func(c *component.SinkCommon) {
			c.Retry = component.Retry{For: 10 * time.Second, Initial: 4 * time.Second, Max: 4 * time.Second}
		})
		spec := g.flow("f", times(7), send(to))
		g.run()
		g.accept(numbers(1, 2)...)
		settle(time.Second)
		for n := range 5 {
			g.swap(g.change(spec, times(int64(n)), send(to)))
			settle(10 * time.Millisecond)
		}
		settle(time.Minute)
		if diff := cmp.Diff([]time.Duration{0, 4 * time.Second, 8 * time.Second, 12 * time.Second}, times7); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Dead: 1})
	})
}

// A lane that stands still goes on to do so when its flow changes, and is probed when
// it would have been; another sink is tried at once.
func TestSwapKeepsALaneStopped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: fail}
		to := g.sink("a", a)
		spec := g.flow("f", send(to))
		g.run()
		g.accept(numbers(1, 100)...)
		settle(5 * time.Minute)
		was, attempts := g.status(to), a.attempts()
		if was.State != Stopped {
			t.Fatalf("lane is %+v", was)
		}
		g.swap(g.change(spec, times(1), send(to)))
		synctest.Wait()
		if now := g.status(to); now != was {
			t.Errorf("lane is %+v, was %+v", now, was)
		}
		if n := a.attempts(); n != attempts {
			t.Errorf("%d attempts, want %d as before", n, attempts)
		}
		time.Sleep(time.Until(was.Probe) + time.Millisecond)
		synctest.Wait()
		if n := a.attempts(); n != attempts+1 {
			t.Errorf("%d attempts after the probe, want %d", n, attempts+1)
		}
		next := &fake{}
		g.swap(func() { g.sink("a", next) })
		settle(10 * time.Millisecond)
		wantBodies(t, sorted(next.bodies()), numbers(1, 100)...)
		if s := g.status(to); s.State != Running || s.LastError != "" {
			t.Errorf("lane is %+v", s)
		}
	})
}

// One sink hangs. Its lane's successor waits for it; all else goes on as if it were
// not there, to the nanosecond.
func TestHangingSinkHoldsUpOnlyItsOwnSuccessor(t *testing.T) {
	latencies := func(beside bool) (out []string) {
		inBubble(t, func(t *testing.T) {
			g := newRig(t)
			well := &fake{react: func(context.Context, component.Delivery) error {
				time.Sleep(3 * time.Millisecond)
				return nil
			}}
			nodes := []Node{send(g.sink("well", well))}
			if beside {
				nodes = append(nodes, send(g.sink("hang", &fake{react: hang}, timeout(time.Hour))))
			}
			spec := g.flow("f", nodes...)
			g.run()
			begin := time.Now()
			for n := range 100 {
				if n%10 == 2 {
					g.swap(g.change(spec, nodes...))
				}
				g.accept(n)
				synctest.Wait()
				if n%10 == 5 {
					g.swap(g.change(spec, nodes...))
				}
				settle(50 * time.Millisecond)
			}
			for _, a := range well.got {
				out = append(out, fmt.Sprint(a.body, a.at.Sub(begin)))
			}
		})
		return out
	}
	alone, together := latencies(false), latencies(true)
	if len(alone) != 100 {
		t.Fatalf("%d of 100 delivered", len(alone))
	}
	if d := cmp.Diff(alone, together); d != "" {
		t.Error(d)
	}
}

// Generations that come and go while a call hangs never begin; the last one does, when
// the call has ended.
func TestSwapsDuringACallThatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		var calls, most atomic.Int32
		a := &fake{react: func(ctx context.Context, d component.Delivery) error {
			most.Store(max(most.Load(), calls.Add(1)))
			defer calls.Add(-1)
			if d.Event.Body == int64(0) {
				return hang(ctx, d)
			}
			return nil
		}}
		to := g.sink("a", a, timeout(time.Minute))
		spec := g.flow("f", times(0), send(to))
		g.run()
		g.accept(int64(5))
		settle(time.Second)
		var over []<-chan struct{}
		for n := range 20 {
			over = append(over, g.swap(g.change(spec, times(int64(n+1)), send(to))))
		}
		g.accept(int64(1))
		settle(30 * time.Second)
		if n := a.attempts(); n != 0 || isOver(over[0]) || isOver(over[19]) {
			t.Errorf("%d attempts have ended, want none, nor any generation", n)
		}
		settle(time.Minute)
		// What hung is waiting for its retry as it was made.
		wantBodies(t, a.bodies(), 20)
		for i, c := range over {
			if !isOver(c) {
				t.Errorf("generation %d is not over", i)
			}
		}
		if n := most.Load(); n != 1 {
			t.Errorf("%d calls at a time", n)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Pending: 1})
	})
}

// Of an event's deliveries, those that have been made are not made again when the
// steps change amid them.
func TestSwapAmidAnEvent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: func(context.Context, component.Delivery) error { time.Sleep(time.Second); return nil }}
		to := g.sink("a", a)
		spec := g.flow("f", split, send(to))
		spec.Concurrency = 2
		g.run()
		g.accept(numbers(1, 10))
		settle(2500 * time.Millisecond) // four are done, two are under way
		g.swap(g.change(spec, split, times(10), send(to)))
		settle(time.Second) // these are done, too, and two more are under way
		g.swap(func() { g.specs = g.specs[:0]; g.flow("g", send(to)) })
		settle(time.Minute)
		g.swap(func() {
			g.specs = append(g.specs, Spec{Name: "flow.f", Sources: []string{src}, Program: NewProgram([]Node{split, times(100), send(to)}), Concurrency: 2})
		})
		settle(time.Minute)
		wantBodies(t, sorted(a.bodies()), 1, 2, 3, 4, 5, 6, 70, 80, 900, 1000)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 1, Delivered: 1})
	})
}

// A delivery that waits for a place at the sink has not begun: its lane gives it back.
func TestSwapDoesNotWaitForAPlace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		a := &fake{react: hang}
		to := g.sink("a", a, timeout(time.Hour), func(c *component.SinkCommon) { c.Concurrency = 1 })
		g.flow("holds", send(to))
		g.run()
		g.accept(int64(1))
		settle(time.Second)
		g.swap(func() { g.flow("waits", times(1), send(to)) })
		g.accept(int64(2))
		settle(time.Second)
		next := &fake{}
		b := g.sink("b", next)
		over := g.swap(g.change(&g.specs[1], times(2), send(b), send(to)))
		settle(time.Second)
		if !isOver(over) {
			t.Error("the lane waits for a place")
		}
		wantBodies(t, next.bodies())
		g.accept(int64(3))
		settle(time.Second)
		wantBodies(t, next.bodies(), 6)
	})
}

// order_by holds across a change of the flow: of a key, nothing passes what is under
// way or waits for its retry.
func TestSwapKeepsOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		var failed atomic.Int32
		a := &fake{react: func(_ context.Context, d component.Delivery) error {
			time.Sleep(300 * time.Millisecond)
			if d.Event.Body == "a1" && failed.Add(1) <= 2 {
				return errDown
			}
			return nil
		}}
		to := g.sink("a", a)
		spec := g.flow("f", send(to))
		spec.OrderBy = mustExpr(t, "body[0:1]")
		g.run()
		g.accept("a1", "a2", "b1", "a3", "b2", "b3")
		for range 40 {
			settle(50 * time.Millisecond)
			g.swap(g.change(spec, send(to)))
		}
		settle(time.Minute)
		byKey := map[byte][]any{}
		for _, b := range a.bodies() {
			k := b.(string)[0]
			byKey[k] = append(byKey[k], b)
		}
		wantBodies(t, byKey['a'], "a1", "a2", "a3")
		wantBodies(t, byKey['b'], "b1", "b2", "b3")
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 6, Delivered: 6})
	})
}

// A dead letter's retry meets the lane, its successor, or is found by that in the
// journal, at whichever moment it comes.
func TestRetryRacesASwap(t *testing.T) {
	for delay := range 12 {
		inBubble(t, func(t *testing.T) {
			g := newRig(t)
			var fixed atomic.Bool
			permanent := func(context.Context, component.Delivery) error { return component.Permanent(errors.New("422")) }
			a := &fake{react: permanent}
			to := g.sink("a", a)
			broken := Apply{"broken", stepFunc(func(e *component.Event) ([]*component.Event, error) {
				if e.Body == int64(2) && !fixed.Load() {
					return nil, errors.New("no")
				}
				return []*component.Event{e}, nil
			})}
			spec := g.flow("f", broken, send(to))
			g.run()
			g.accept(numbers(1, 2)...)
			settle(time.Second)
			dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
			if len(dead) != 2 {
				t.Fatalf("%d dead letters", len(dead))
			}
			a.set(nil)
			fixed.Store(true)
			var all sync.WaitGroup
			for _, ex := range dead {
				all.Go(func() {
					for range delay * 20 {
						runtime.Gosched()
					}
					ex, err := g.j.Revive(t.Context(), ex.ID)
					if err == nil {
						err = g.r.Retry(t.Context(), ex)
					}
					if err != nil {
						t.Errorf("retry: %v", err)
					}
				})
			}
			g.swap(g.change(spec, times(1), send(to)))
			all.Wait()
			settle(time.Second)
			wantBodies(t, sorted(a.bodies()), 1, 2)
			g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 2})
		})
	}
}
