package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// refuse has the sink refuse a body for good until allowed is closed.
func refuse(body any, allowed <-chan struct{}) func(context.Context, component.Delivery) error {
	return func(_ context.Context, d component.Delivery) error {
		select {
		case <-allowed:
		default:
			if d.Event.Body == body {
				return component.Permanent(errors.New("refused"))
			}
		}
		return nil
	}
}

// retry does what `syncd dead retry` does, drop what `syncd dead drop` does.
func (g *rig) retry(ex journal.Exception) {
	g.t.Helper()
	ex, err := g.j.Revive(g.t.Context(), ex.ID)
	if err == nil {
		err = g.r.Retry(g.t.Context(), ex)
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *rig) drop(ex journal.Exception) {
	g.t.Helper()
	if _, err := g.j.Drop(g.t.Context(), ex.ID); err != nil {
		g.t.Fatal(err)
	}
	g.r.Dropped(g.t.Context(), ex)
}

// With on_dead = "hold" the events of a dead letter's key wait for an operator, over
// restarts; those of other keys do not.
func TestDeadLetterHoldsItsKey(t *testing.T) {
	for _, restart := range []bool{false, true} {
		for _, how := range []string{"retry", "drop"} {
			for _, ordered := range []bool{false, true} {
				t.Run(fmt.Sprintf("restart=%t %s ordered=%t", restart, how, ordered), func(t *testing.T) {
					inBubble(t, func(t *testing.T) { holdKey(t, restart, how, ordered) })
				})
			}
		}
	}
}

func holdKey(t *testing.T, restart bool, how string, ordered bool) {
	g := newRig(t)
	allowed := make(chan struct{})
	s := &fake{}
	s.set(refuse("a2", allowed))
	var sink component.Sink = s
	if ordered {
		sink = &orderly{s}
	}
	f := g.flow("f", send(g.sink("a", sink)))
	f.OrderBy, f.Hold = mustExpr(t, "body[0:1]"), true
	g.run()
	g.accept("a1", "b1", "a2", "a3", "b2", "a4")
	settle(time.Minute)
	g.accept("a5", "b3")
	settle(time.Minute)
	if restart {
		g.restart()
		settle(time.Minute)
	}
	got := s.bodies()
	if slices.Contains(got, any("a3")) || !slices.Contains(got, any("b3")) {
		t.Errorf("delivered: %v", got)
	}
	g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 8, Delivered: 4, Dead: 1, Pending: 3})
	for _, s := range g.r.Lanes() {
		if !strings.Contains(s.LastError, "3 deliveries wait behind dead letters") {
			t.Errorf("the lane's status says %q", s.LastError)
		}
	}
	close(allowed)
	dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
	if how == "retry" {
		g.retry(dead[0])
	} else {
		g.drop(dead[0])
	}
	settle(time.Minute)
	as := ofKey(s, 'a')
	want := []any{"a1", "a2", "a3", "a4", "a5"}
	stats := journal.FlowStats{Flow: "flow.f", Accepted: 8, Delivered: 8}
	if how == "drop" {
		want = slices.Delete(want, 1, 2)
		stats.Delivered, stats.Dropped = 7, 1
	}
	if d := cmp.Diff(want, as); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	g.wantFlow(stats)
	for _, s := range g.r.Lanes() {
		if s.LastError != "" {
			t.Errorf("in the end, the lane's status says %q", s.LastError)
		}
	}
}

// ofKey is what was delivered of a key, in order.
func ofKey(s *fake, key byte) (list []any) {
	for _, b := range s.bodies() {
		if b.(string)[0] == key {
			list = append(list, b)
		}
	}
	return list
}

// orderly is a fake that is Ordered.
type orderly struct{ *fake }

func (o *orderly) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = o.fake.Deliver(ctx, []component.Delivery{d}).Errors[0]
	}
	return component.Result{Errors: errs}
}

func (o *orderly) MaxBatch() int { return 3 }
func (o *orderly) Forget()       {}

// One that has died in a step holds its key on all lanes of the flow.
func TestDeadLetterOfAStepHoldsItsKey(t *testing.T) {
	for _, restart := range []bool{false, true} {
		for _, how := range []string{"retry", "drop"} {
			inBubble(t, func(t *testing.T) {
				g := newRig(t)
				broken := true
				step := Apply{"step", stepFunc(func(e *component.Event) ([]*component.Event, error) {
					if broken && e.Body == "a2" {
						return nil, errors.New("it is broken")
					}
					return []*component.Event{e}, nil
				})}
				one, two := &fake{}, &fake{}
				f := g.flow("f", step, send(g.sink("one", one)), send(g.sink("two", two)))
				f.OrderBy, f.Hold = mustExpr(t, "body[0:1]"), true
				g.run()
				g.accept("a1", "b1", "a2", "a3", "b2")
				settle(time.Minute)
				if restart {
					g.restart()
					settle(time.Minute)
				}
				for _, s := range []*fake{one, two} {
					if d := cmp.Diff([][]any{{"a1"}, {"b1", "b2"}}, [][]any{ofKey(s, 'a'), ofKey(s, 'b')}); d != "" {
						t.Errorf("(-want +got)\n%s", d)
					}
				}
				broken = false
				dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
				want := []any{"a1", "a2", "a3"}
				if how == "retry" {
					g.retry(dead[0])
				} else {
					g.drop(dead[0])
					want = slices.Delete(want, 1, 2)
				}
				settle(time.Minute)
				for _, s := range []*fake{one, two} {
					if d := cmp.Diff(want, ofKey(s, 'a')); d != "" {
						t.Errorf("after %s: (-want +got)\n%s", how, d)
					}
				}
			})
		}
	}
}

// What waits behind a dead letter does not wait for one that dies again, and goes on
// when that is given up.
func TestDeadLetterThatDiesAgainHoldsOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{}
		s.set(refuse("a1", nil))
		f := g.flow("f", send(g.sink("a", s)))
		f.OrderBy, f.Hold = mustExpr(t, "body[0:1]"), true
		g.run()
		g.accept("a1", "a2")
		settle(time.Minute)
		for range 3 {
			g.retry(g.exceptions(journal.ExceptionQuery{DeadOnly: true})[0])
			settle(time.Minute)
			g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Dead: 1, Pending: 1})
		}
		g.drop(g.exceptions(journal.ExceptionQuery{DeadOnly: true})[0])
		settle(time.Minute)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 2, Delivered: 1, Dropped: 1})
	})
}
