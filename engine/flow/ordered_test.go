package flow

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// slowFile is an ordered sink whose call takes longer than anybody waits.
type slowFile struct {
	calling   atomic.Bool
	disturbed atomic.Int32
}

func (s *slowFile) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	s.calling.Store(true)
	defer s.calling.Store(false)
	<-ctx.Done()
	time.Sleep(time.Second)
	return component.AllFailed(len(ds), ctx.Err())
}

func (s *slowFile) MaxBatch() int { return 10 }

func (s *slowFile) Forget() {
	if s.calling.Load() {
		s.disturbed.Add(1)
	}
}

// A lane that waits for its turn at an ordered sink leaves it alone when the
// daemon gives up, while another lane's call has not ended.
func TestForgetIsOnlyForWhoHasTheTurn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &slowFile{}
		addr := g.sink("file", s, func(c *component.SinkCommon) { c.Timeout = time.Hour })
		g.flow("a", send(addr))
		g.flow("b", send(addr))
		g.run()
		g.accept("x")
		settle(time.Second)
		g.stop()
		if n := s.disturbed.Load(); n != 0 {
			t.Errorf("forgotten %d times in the middle of a call", n)
		}
	})
}
