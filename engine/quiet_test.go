package engine

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// kept keeps what a test allocates from being optimized away.
var kept []byte

// Memory goes back when there was much to do, and only when nothing happens any more.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times atomic.Int32
		q := newQuiet(func() { times.Add(1) })
		ctx, cancel := context.WithCancel(t.Context())
		go q.watch(ctx)
		synctest.Wait()
		kept = make([]byte, 2*worthFreeing)
		for range 10 {
			q.disturb()
			time.Sleep(quietFor / 2)
		}
		if n := times.Load(); n != 1 {
			t.Errorf("memory was given back %d times, amid work, besides that of the start", n-1)
		}
		time.Sleep(2 * quietFor)
		if n := times.Load(); n != 2 {
			t.Errorf("memory was given back %d times when all was quiet", n-1)
		}
		q.disturb()
		time.Sleep(2 * quietFor)
		if n := times.Load(); n != 2 {
			t.Error("memory was given back when hardly any had been taken")
		}
		cancel()
		synctest.Wait()
	})
}
