package flow

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// desk is a place in the world that bears one at a time.
type desk struct{ here, most atomic.Int32 }

// clerk is an ordered sink that takes its time at a desk.
type clerk struct {
	*fake
	at *desk
}

func (c *clerk) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	c.at.most.Store(max(c.at.most.Load(), c.at.here.Add(1)))
	defer c.at.here.Add(-1)
	time.Sleep(time.Second)
	return c.fake.Deliver(ctx, ds)
}

func (c *clerk) MaxBatch() int { return 1 }
func (c *clerk) Forget()       {}

// Ordered sinks of other names that are the same place are not there at the same time,
// also when the one in between has never begun.
func TestAwaitAcrossSwaps(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		at, begun := &desk{}, &fake{}
		a := g.sink("a", &clerk{begun, at})
		spec := g.flow("f", send(a))
		g.run()
		g.accept(1)
		settle(100 * time.Millisecond)
		last := a
		var got []*fake
		for _, name := range []string{"b", "c", "d"} {
			f := &fake{}
			next := g.sink(name, &clerk{f, at})
			g.sinks[next].Await(g.sinks[last])
			g.swap(g.change(spec, send(next)))
			g.accept(name)
			settle(100 * time.Millisecond)
			last, got = next, append(got, f)
		}
		settle(time.Minute)
		if n := at.most.Load(); n != 1 {
			t.Errorf("%d at a time", n)
		}
		wantBodies(t, begun.bodies(), 1)
		wantBodies(t, got[2].bodies(), "d")
	})
}

// Two sinks that wait for each other's predecessors do not wait for ever.
func TestAwaitEachOther(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		one, two := &desk{}, &desk{}
		a, b := &fake{}, &fake{}
		to := []component.Address{g.sink("a", &clerk{a, one}), g.sink("b", &clerk{b, two})}
		spec := g.flow("f", send(to[0]), send(to[1]))
		g.run()
		for n := range 5 {
			g.accept(n)
			settle(300 * time.Millisecond)
			one, two = two, one // they change places
			oldA, oldB := g.sinks[to[0]], g.sinks[to[1]]
			g.sink("a", &clerk{a, one})
			g.sink("b", &clerk{b, two})
			g.sinks[to[0]].After(oldA).Await(oldB)
			g.sinks[to[1]].After(oldB).Await(oldA)
			g.swap(g.change(spec, send(to[0]), send(to[1])))
		}
		settle(time.Minute)
		if one.most.Load() != 1 || two.most.Load() != 1 {
			t.Errorf("%d and %d at a time", one.most.Load(), two.most.Load())
		}
		wantBodies(t, a.bodies(), 0, 1, 2, 3, 4)
		wantBodies(t, b.bodies(), 0, 1, 2, 3, 4)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 5, Delivered: 5})
	})
}
