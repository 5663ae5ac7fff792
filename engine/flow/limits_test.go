package flow

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// What is older than expires is a dead letter when its turn comes, without a try, and
// the lane finds the sink well by what is not.
func TestExpired(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{}
		s.set(func(context.Context, component.Delivery) error { return errDown })
		g.flow("f", send(g.sink("a", s, func(c *component.SinkCommon) { c.Expires = 6 * time.Hour })))
		g.run()
		g.accept(numbers(1, 200)...)
		settle(7 * time.Hour)
		s.set(nil)
		tried := s.attempts()
		g.accept("young")
		settle(time.Minute)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 201, Delivered: 1, Dead: 200})
		if n := s.attempts() - tried; n != 1 {
			t.Errorf("%d attempts, want 1", n)
		}
		dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
		last := dead[0].Errors[len(dead[0].Errors)-1].Error
		if !strings.HasPrefix(last, "expired: accepted 6h0m") || !strings.Contains(last, "expires is 6h0m0s") {
			t.Errorf("the reason: %s", last)
		}
		ex, err := g.j.Revive(t.Context(), dead[0].ID)
		if err == nil {
			err = g.r.Retry(t.Context(), ex)
		}
		if err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 201, Delivered: 2, Dead: 199})
	})
}

// What an operator has had retried does not expire after a restart either, nor is it given
// up for the time before.
func TestExpiredAndRevived(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{}
		s.set(func(_ context.Context, d component.Delivery) error {
			if d.Event.Body == "old" {
				return errDown
			}
			return nil
		})
		g.flow("f", send(g.sink("a", s, func(c *component.SinkCommon) {
			c.Expires, c.Retry.For = 6*time.Hour, time.Hour
		})))
		g.run()
		g.accept("old", "young")
		settle(7 * time.Hour)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Dead: 1})
		ex, err := g.j.Revive(t.Context(), g.exceptions(journal.ExceptionQuery{DeadOnly: true})[0].ID)
		if err == nil {
			err = g.r.Retry(t.Context(), ex)
		}
		if err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		g.restart()
		settle(time.Minute)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Pending: 1})
		s.set(nil)
		settle(time.Hour)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 2})
	})
}

// rate_limit is of the sink, whatever number of lanes it has, and they share it.
func TestRateLimit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{}
		addr := g.sink("a", s, func(c *component.SinkCommon) { c.RateLimit = component.Rate{N: 10, Per: time.Second} })
		g.flow("a", send(addr))
		g.flow("b", send(addr))
		g.run()
		g.accept(numbers(1, 300)...)
		began := time.Now()
		settle(10 * time.Second)
		if n := s.attempts(); n < 100 || n > 111 {
			t.Errorf("%d calls in 10 s of 10 a second and 10 at once", n)
		}
		settle(time.Minute)
		last := s.got[len(s.got)-1].at.Sub(began)
		if len(s.got) != 600 || last < 58*time.Second || last > 60*time.Second {
			t.Errorf("%d calls, the last after %s", len(s.got), last)
		}
		by := map[string]int{}
		for _, a := range s.got[:100] {
			by[a.id[33:49]]++ // the lane's part of the id
		}
		for lane, n := range by {
			if n < 40 || n > 60 {
				t.Errorf("lane %s had %d of the first 100 calls", lane, n)
			}
		}
	})
}

// Neither a reload nor a stop waits for the sink's turn by its rate.
func TestRateLimitHoldsUpNobodyWhoLeaves(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{}
		addr := g.sink("a", s, func(c *component.SinkCommon) { c.RateLimit = component.Rate{N: 1, Per: time.Hour} })
		g.flow("f", send(addr))
		g.run()
		g.accept(numbers(1, 20)...)
		settle(time.Second)
		over := g.swap(func() { g.sink("a", s) })
		settle(time.Second)
		select {
		case <-over:
		default:
			t.Error("a lane that waits for its turn does not leave")
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 20, Delivered: 20})
		if n := s.attempts(); n != 20 {
			t.Errorf("%d attempts, want 20", n)
		}
	})
}

// A flow with a long backlog leaves another flow on the same sink its share: an event
// waits for no more calls than may be under way at a time.
func TestBacklogLeavesOthersTheirShare(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const call = 10 * time.Millisecond
		g := newRig(t)
		slow := func(ctx context.Context, _ component.Delivery) error { time.Sleep(call); return nil }
		s := &fake{}
		s.set(slow)
		addr := g.sink("a", s)
		g.flow("busy", send(addr))
		quiet := g.flow("quiet", send(addr))
		quiet.Sources = []string{"source.webhook.quiet"}
		g.run()
		for range 100 {
			g.accept(numbers(1, 1000)...)
		}
		settle(time.Second)
		for range 20 {
			began := time.Now()
			now := utcNow()
			_, err := g.j.Append(t.Context(), journal.Append{Source: "source.webhook.quiet", Records: []journal.Record{{
				ID: journal.NewID(now), Time: now, Payload: journal.Payload{Raw: []byte(`"quiet"`)},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			for g.flowStats("flow.quiet").Pending > 0 {
				settle(time.Millisecond)
			}
			if waited := time.Since(began); waited > 4*call {
				t.Errorf("an event of the quiet flow took %s, at %s a call", waited, call)
			}
		}
		if n := g.flowStats("flow.busy").Pending; n < 50_000 {
			t.Fatalf("the busy flow has only %d left: nothing is shown", n)
		}
		g.stop()
	})
}

func (g *rig) flowStats(name string) journal.FlowStats {
	for _, f := range g.stats().Flows {
		if f.Flow == name {
			return f
		}
	}
	return journal.FlowStats{}
}
