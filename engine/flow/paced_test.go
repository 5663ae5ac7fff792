package flow

import (
	"context"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// patient is a sink that shares a few places with others, and takes its time.
type patient struct {
	*fake
	places chan struct{}
}

func (p *patient) Await(ctx context.Context) error {
	select {
	case p.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *patient) Done() { <-p.places }

func (p *patient) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	p.set(func(ctx context.Context, _ component.Delivery) error {
		select {
		case <-time.After(10 * time.Second):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return p.fake.Deliver(ctx, ds)
}

// Two sinks with one place between them, each call as long as two thirds of its
// timeout: waiting for the place fails nobody.
func TestPacedSinksWaitWithoutTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		places := make(chan struct{}, 1)
		a, b := &patient{&fake{}, places}, &patient{&fake{}, places}
		timeout := func(c *component.SinkCommon) { c.Timeout = 15 * time.Second }
		g.flow("f", send(g.sink("a", a, timeout)), send(g.sink("b", b, timeout)))
		g.run()
		g.accept(numbers(1, 10)...)
		settle(201 * time.Second)
		if a.attempts() != 10 || b.attempts() != 10 || len(a.bodies()) != 10 || len(b.bodies()) != 10 {
			t.Errorf("%d and %d attempts for %d and %d deliveries of 10", a.attempts(), b.attempts(), len(a.bodies()), len(b.bodies()))
		}
	})
}

// Who waits for a place gives its delivery back when the lane retires, and does not
// hold up the end of the daemon.
func TestPacedSinkLeavesWhileItWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		places := make(chan struct{}, 1)
		places <- struct{}{} // somebody else's, for good
		a, b := &patient{&fake{}, places}, &fake{}
		spec := g.flow("f", send(g.sink("a", a)))
		g.run()
		g.accept(numbers(1, 3)...)
		settle(time.Minute)
		next := g.sink("b", b)
		g.swap(g.change(spec, send(next)))
		g.accept(4)
		settle(time.Second)
		wantBodies(t, b.bodies(), 4)
		if a.attempts() != 0 {
			t.Errorf("%d attempts without a place", a.attempts())
		}
	})
}
