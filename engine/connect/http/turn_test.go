package http

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/component"
)

func TestRateIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{limiter: newLimiter(component.Rate{N: 600, Per: time.Minute}), slots: make(chan struct{}, 4)}
		began := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 5 {
					if err := c.Await(context.Background()); err != nil {
						t.Error(err)
					}
					mu.Lock()
					at = append(at, time.Since(began))
					mu.Unlock()
					c.Done()
				}
			})
		}
		wg.Wait()
		for n, is := range at {
			if want := time.Duration(n) * 100 * time.Millisecond; (is - want).Abs() > time.Millisecond {
				t.Errorf("request %d after %s, want %s", n, is, want)
			}
		}
	})
}

// Who gives up takes nothing from the others.
func TestWaitingForATurnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{limiter: newLimiter(component.Rate{N: 1, Per: time.Minute}), slots: make(chan struct{}, 1)}
		if err := c.Await(context.Background()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := c.Await(ctx); !errors.Is(err, context.DeadlineExceeded) { // for the slot
			t.Error(err)
		}
		c.Done()
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := c.Await(ctx); !errors.Is(err, context.DeadlineExceeded) { // for the rate
			t.Error(err)
		}
		began := time.Now()
		if err := c.Await(context.Background()); err != nil || time.Since(began).Round(time.Second) != 58*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}
