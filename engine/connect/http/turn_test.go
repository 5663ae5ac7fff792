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

// One that asks now and then waits no longer than it takes those to have a turn each who
// asked before, however much more they want.
func TestTurnsAreFair(t *testing.T) {
	const greedy, request = 8, 10 * time.Millisecond
	for name, limited := range map[string]func(c *Client){
		"concurrency": func(c *Client) { c.slots = make(chan struct{}, 1) },
		"rate":        func(c *Client) { c.limiter = newLimiter(component.Rate{N: 100, Per: time.Second}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c Client
				limited(&c)
				ctx, stop := context.WithCancel(context.Background())
				var all sync.WaitGroup
				defer all.Wait()
				defer stop()
				for range greedy {
					all.Go(func() {
						for ctx.Err() == nil && c.Await(ctx) == nil {
							if c.limiter == nil {
								time.Sleep(request)
							}
							c.Done()
						}
					})
				}
				for range 50 {
					time.Sleep(7 * request / 2)
					began := time.Now()
					if err := c.Await(ctx); err != nil {
						t.Fatal(err)
					}
					c.Done()
					if waited := time.Since(began); waited > (greedy+1)*request {
						t.Errorf("waited %s among %d who take %s each", waited, greedy, request)
					}
				}
			})
		})
	}
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
