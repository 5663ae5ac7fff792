package flow

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// listen looks at the pulse every 15 seconds for three minutes and gives the lanes
// that were stuck at some look.
func (g *rig) listen() (stuck []string) {
	p := g.r.Pulse()
	for range 12 {
		for _, l := range p.Stuck(time.Now(), time.Minute) {
			if !slices.Contains(stuck, l) {
				stuck = append(stuck, l)
			}
		}
		time.Sleep(15 * time.Second)
	}
	return stuck
}

func TestHangingSinkIsNotStuck(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		hang := &fake{}
		hang.set(func(ctx context.Context, _ component.Delivery) error { <-ctx.Done(); return ctx.Err() })
		g.flow("orders", send(g.sink("crm", hang, func(c *component.SinkCommon) { c.Timeout = time.Hour })))
		g.run()
		g.accept(numbers(1, 50)...)
		if stuck := g.listen(); len(stuck) > 0 {
			t.Errorf("stuck: %v", stuck)
		}
	})
}

// A step of which each event takes ten seconds makes a chunk that takes minutes.
func TestSlowStepsAreNotStuck(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		slow := stepFunc(func(e *component.Event) ([]*component.Event, error) {
			time.Sleep(10 * time.Second)
			return []*component.Event{e}, nil
		})
		g.flow("orders", Apply{Name: "slow", Step: slow}, send(g.sink("crm", &fake{})))
		g.run()
		g.accept(numbers(1, 50)...)
		if stuck := g.listen(); len(stuck) > 0 {
			t.Errorf("stuck: %v", stuck)
		}
	})
}

// The lane that is at the step is stuck; one that waits for its result is not, nor
// are those of other flows.
func TestHangingStepIsStuck(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		release := make(chan struct{})
		hang := stepFunc(func(e *component.Event) ([]*component.Event, error) {
			<-release
			return []*component.Event{e}, nil
		})
		a, b := g.sink("a", &fake{}), g.sink("b", &fake{})
		g.flow("bad", Apply{Name: "hang", Step: hang}, send(a), send(b))
		g.flow("good", send(g.sink("c", &fake{})))
		g.run()
		g.accept(1)
		stuck := g.listen()
		if len(stuck) != 1 || stuck[0] != "flow.bad > sink.test.a" && stuck[0] != "flow.bad > sink.test.b" {
			t.Errorf("stuck: %v", stuck)
		}
		close(release)
		settle(time.Second)
		if stuck := g.listen(); len(stuck) > 0 {
			t.Errorf("stuck after the step has ended: %v", stuck)
		}
	})
}
