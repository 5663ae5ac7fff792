package engine

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
)

type sourceFunc func(ctx context.Context) error

func (f sourceFunc) Run(ctx context.Context, _ component.Intake) error { return f(ctx) }

// A source that panics, fails or ends is run again, each time after a longer
// pause; a long good run makes the pauses short again.
func TestSourceIsRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		e := &engine{log: slog.New(slog.NewTextHandler(&log, nil))}
		began := make(chan time.Time)
		ends := []func() error{
			func() error { panic("out of luck") },
			func() error { return errors.New("no such mailbox") },
			func() error { return nil },
			func() error { time.Sleep(time.Hour); return errors.New("cut off") },
		}
		run := 0
		s := &source{Component: &config.Component{Address: "source.fake.a"}, Source: sourceFunc(func(ctx context.Context) error {
			began <- time.Now()
			if run++; run <= len(ends) {
				return ends[run-1]()
			}
			<-ctx.Done()
			return nil
		})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); e.supervise(ctx, s) }()

		last := <-began
		for i, want := range []struct {
			failure  string
			min, max time.Duration
		}{
			{"panic: out of luck", 500 * time.Millisecond, 1500 * time.Millisecond},
			{"no such mailbox", 750 * time.Millisecond, 2250 * time.Millisecond},
			{"it ended by itself", 1125 * time.Millisecond, 3375 * time.Millisecond},
			{"", time.Hour + 500*time.Millisecond, time.Hour + 1500*time.Millisecond},
		} {
			if want.failure != "" {
				synctest.Wait()
				if state, failure := s.state(); state != admin.Failed || failure != want.failure {
					t.Errorf("run %d: %s, %q; want %q", i, state, failure, want.failure)
				}
			}
			next := <-began
			if pause := next.Sub(last); pause < want.min || pause > want.max {
				t.Errorf("run %d: again after %v, want %v to %v", i, pause, want.min, want.max)
			}
			if state, failure := s.state(); i >= 2 && (state != admin.Running || failure != "") { // those before end at once
				t.Errorf("run %d: %s, %q while it runs", i, state, failure)
			}
			last = next
		}
		cancel()
		<-done
		if n := strings.Count(log.String(), "source ended; it is run again"); n != 4 || strings.Count(log.String(), "stack=") != 1 {
			t.Errorf("logged:\n%s", log.String())
		}
	})
}
