package flow

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/journal"
)

// A change of the steps may make an event die of which some deliveries have been
// made. Its retry makes the others, and only these.
func TestRetryOfAnEventThatDiedAmidItsDeliveries(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		var down, broken atomic.Bool
		a := &fake{react: func(_ context.Context, d component.Delivery) error {
			if down.Load() && d.Event.Body == int64(1) {
				return errDown
			}
			return nil
		}}
		step := Apply{"map", stepFunc(func(e *component.Event) ([]*component.Event, error) {
			if broken.Load() {
				return nil, errors.New("body.total is nil")
			}
			return []*component.Event{e}, nil
		})}
		g.flow("f", step, split, send(g.sink("a", a))).OrderBy = expr.Constant("k")
		down.Store(true)
		g.run()
		g.accept(numbers(1, 3))
		settle(time.Second)
		wantBodies(t, a.bodies())
		broken.Store(true)
		down.Store(false)
		g.restart()
		settle(time.Minute)
		wantBodies(t, a.bodies(), 1)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 1, Dead: 1})

		broken.Store(false)
		ex, err := g.j.Revive(t.Context(), g.exceptions(journal.ExceptionQuery{DeadOnly: true})[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.r.Retry(t.Context(), ex); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		wantBodies(t, sorted(a.bodies()), 1, 2, 3)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 1, Delivered: 1})
	})
}
