package http

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/syncd/syncd/engine/component"
)

// burst is the time for which requests may come at once: what timers are too coarse
// for, no more, since servers count as strictly as they like.
const burst = 20 * time.Millisecond

func newLimiter(r component.Rate) *rate.Limiter {
	perSecond := float64(r.N) / r.Per.Seconds()
	return rate.NewLimiter(rate.Limit(perSecond), max(int(perSecond*burst.Seconds()), 1))
}

// Await waits for one of the connection's slots, and until its rate allows a request;
// Done gives the slot back. It tries before it looks at ctx; its error is that of ctx.
func (c *Client) Await(ctx context.Context) error {
	if c.slots != nil {
		select {
		case c.slots <- struct{}{}:
		default:
			select {
			case c.slots <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	if c.limiter == nil || c.limiter.Allow() {
		return nil
	}
	if err := pass(ctx, c.limiter); err != nil {
		c.Done()
		return err
	}
	return nil
}

// another waits until the rate allows one more request of the same turn.
func (c *Client) another(ctx context.Context) error {
	if c.limiter == nil {
		return nil
	}
	return pass(ctx, c.limiter)
}

// pass waits its turn, unlike Limiter.Wait also where ctx will have ended by then.
func pass(ctx context.Context, l *rate.Limiter) error {
	turn := l.Reserve()
	timer := time.NewTimer(turn.Delay())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return ctx.Err()
	}
}

// Done ends what Await began.
func (c *Client) Done() {
	if c.slots != nil {
		<-c.slots
	}
}
