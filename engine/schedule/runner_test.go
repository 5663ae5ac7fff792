package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/syncd/syncd/engine/component"
)

// world is what a runner lives in: a journal of one source, and a clock on the wall
// that can be set. Its bubble begins at midnight, 2000-01-01 UTC.
type world struct {
	t     *testing.T
	state map[string]json.RawMessage
	later int // how many times the journal says so
	puts  int

	mu    sync.Mutex
	shift time.Duration
	log   strings.Builder
	retry component.Retry
}

func newWorld(t *testing.T) *world { return &world{t: t, state: map[string]json.RawMessage{}} }

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.shift).UTC()
}

func (w *world) turn(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shift += d
}

func (w *world) Get(_ context.Context, key string, v any) (bool, error) {
	raw, ok := w.state[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

func (w *world) Accept(_ context.Context, b component.Batch) ([]component.Accepted, error) {
	if w.later > 0 {
		w.later--
		return nil, &component.LaterError{Reason: "disk full", After: time.Second}
	}
	for _, p := range b.State {
		w.puts++
		delete(w.state, p.Key)
		if p.Value != nil {
			w.state[p.Key], _ = json.Marshal(p.Value)
		}
	}
	return nil, nil
}

func (w *world) Refused(int) {}

// life is one time that a runner runs.
type life struct {
	*Runner
	stop context.CancelFunc
	done chan error
	mu   sync.Mutex
	list []string
}

// runs tells when each began, on the wall, and what it was due for.
func (l *life) runs() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

// run lets a runner live; it commits what each complete run covers.
func (w *world) run(c Config, work func(context.Context, Due) error) *life {
	w.t.Helper()
	r, err := New(Options{Config: c, Now: w.now, Retry: w.retry, Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{ReplaceAttr: noTime}))})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(w.t.Context())
	l := &life{Runner: r, stop: stop, done: make(chan error, 1)}
	go func() {
		l.done <- r.Run(ctx, w, func(ctx context.Context, due Due) error {
			l.mu.Lock()
			l.list = append(l.list, describe(w.now(), due))
			l.mu.Unlock()
			if work != nil {
				if err := work(ctx, due); err != nil {
					return err
				}
			}
			_, err := w.Accept(ctx, component.Batch{State: due.Done()})
			return err
		})
	}()
	return l
}

func noTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func describe(now time.Time, due Due) string {
	text := now.Format("02 15:04:05")
	if !due.Time.Equal(now) {
		text += " for " + due.Time.Format("02 15:04:05")
	}
	if due.MadeUp {
		text += " made up"
	}
	if due.Triggered {
		text += " by hand"
	}
	return text
}

func (l *life) end(t *testing.T) {
	t.Helper()
	l.stop()
	if err := <-l.done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := w.run(Config{Every: 5 * time.Minute}, nil)
		sleep(12 * time.Minute)
		if got, want := l.Report().Next, w.now().Add(3*time.Minute); !got.Equal(want) {
			t.Errorf("next is at %s, want %s", got, want)
		}
		if got, want := l.Report().Last, w.now().Add(-2*time.Minute); !got.Equal(want) {
			t.Errorf("last was at %s, want %s", got, want)
		}
		l.end(t)
		same(t, l.runs(), "01 00:00:00", "01 00:05:00", "01 00:10:00")
		if w.puts != 0 {
			t.Errorf("%d puts: a pace needs none", w.puts)
		}
	})
}

func TestEveryIsNotStartedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		long := 7 * time.Minute
		l := w.run(Config{Every: 5 * time.Minute}, func(ctx context.Context, _ Due) error {
			d := long
			long = 0
			select {
			case <-ctx.Done():
			case <-time.After(d):
			}
			return nil
		})
		sleep(6 * time.Minute)
		if err := l.Trigger(); err == nil || err.Error() != "a run is under way, for 6m0s now" {
			t.Errorf("trigger: %v", err)
		}
		if is := l.Report(); !is.Next.IsZero() || is.Note != "a run is under way, for 6m0s now" {
			t.Errorf("while a run is under way: %+v", is)
		}
		sleep(10 * time.Minute)
		l.end(t)
		same(t, l.runs(), "01 00:00:00", "01 00:07:00 for 01 00:05:00 made up", "01 00:10:00", "01 00:15:00")
	})
}

func TestCron(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := Config{Cron: "30 2 * * *", Timezone: "UTC"}
		l := w.run(c, nil)
		sleep(27 * time.Hour)
		l.end(t)
		same(t, l.runs(), "01 02:30:00", "02 02:30:00")

		sleep(70 * time.Hour) // three nights
		l = w.run(c, nil)
		sleep(time.Hour)
		if got := l.Report().Last.Format("02 15:04:05"); got != "05 01:00:00" {
			t.Errorf("the last run was at %s", got)
		}
		l.end(t)
		same(t, l.runs(), "05 01:00:00 for 04 02:30:00 made up")

		l = w.run(c, nil)
		sleep(time.Minute)
		if got := l.Report().Last.Format("02 15:04:05"); got != "05 01:00:00" {
			t.Errorf("a restart forgot the last run: %s", got)
		}
		l.end(t)
		same(t, l.runs())
	})
}

// A time that passes while a run is about to begin is the next one's.
func TestNoTimeIsLostInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, err := New(Options{Config: Config{Cron: "* * * * * *", Timezone: "UTC"}, Now: w.now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.begin(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		w.turn(1100 * time.Millisecond)
		var runs []string
		for range 3 {
			w.turn(700 * time.Millisecond)
			due, in := r.next()
			if in > 0 {
				w.turn(in)
				due, _ = r.next()
			}
			w.turn(300 * time.Millisecond)
			runs = append(runs, describe(due.Time, due))
			r.settle(r.start(due), nil)
		}
		same(t, runs, "01 00:00:01", "01 00:00:02", "01 00:00:03")
	})
}

func TestFirstRunMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.later = 3
		c := Config{Cron: "30 2 * * *", Timezone: "UTC"}
		l := w.run(c, nil)
		sleep(time.Minute)
		l.end(t)
		sleep(4 * time.Hour)
		l = w.run(c, nil)
		sleep(time.Minute)
		l.end(t)
		same(t, l.runs(), "01 04:01:00 for 01 02:30:00 made up")
	})
}

func TestScheduleChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		night, evening := Config{Cron: "30 2 * * *", Timezone: "UTC"}, Config{Cron: "0 20 * * *", Timezone: "UTC"}
		l := w.run(evening, nil)
		sleep(23 * time.Hour)
		l.end(t)
		same(t, l.runs(), "01 20:00:00")

		l = w.run(night, nil) // 02:30 of today was never due
		sleep(time.Hour)
		l.end(t)
		same(t, l.runs())

		sleep(24 * time.Hour)
		l = w.run(evening, nil) // 02:30 was, and is made up; 20:00 was not
		sleep(time.Minute)
		l.end(t)
		same(t, l.runs(), "03 00:00:00 for 02 02:30:00 made up")

		l = w.run(Config{Every: time.Hour}, nil)
		sleep(time.Minute)
		l.end(t)
		if len(w.state) != 0 {
			t.Errorf("a pace keeps %s", w.state)
		}
	})
}

func TestRunIsRepeatedUnlessCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := Config{Cron: "30 2 * * *", Timezone: "UTC"}
		l := w.run(c, func(ctx context.Context, _ Due) error { <-ctx.Done(); return ctx.Err() })
		sleep(3 * time.Hour)
		l.end(t)
		same(t, l.runs(), "01 02:30:00")
		l = w.run(c, nil)
		sleep(time.Minute)
		l.end(t)
		same(t, l.runs(), "01 03:00:00 for 01 02:30:00 made up")
	})
}

func TestClockPutForward(t *testing.T) {
	for name, c := range map[string]Config{"every": {Every: time.Hour}, "cron": {Cron: "0 * * * *", Timezone: "UTC"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				l := w.run(c, nil)
				sleep(90 * time.Minute)
				before := len(l.runs())
				w.turn(365 * 24 * time.Hour)
				sleep(2 * time.Minute)
				if n := len(l.runs()) - before; n != 1 {
					t.Errorf("%d runs after the leap, want 1: %v", n, l.runs())
				}
				sleep(3 * time.Hour)
				if n := len(l.runs()) - before; n != 4 {
					t.Errorf("%d runs in the three hours after, want 4: %v", n, l.runs())
				}
				l.end(t)
			})
		})
	}
}

func TestClockPutBack(t *testing.T) {
	for name, c := range map[string]Config{"every": {Every: time.Hour}, "cron": {Cron: "0 * * * *", Timezone: "UTC"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				l := w.run(c, nil)
				sleep(90 * time.Minute)
				before := len(l.runs())
				w.turn(-365 * 24 * time.Hour)
				sleep(3 * time.Hour)
				if n := len(l.runs()) - before; n != 3 {
					t.Errorf("%d runs in three hours, want 3: %v", n, l.runs())
				}
				l.end(t)
			})
		})
	}
}

func TestSmallCorrectionRunsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := Config{Cron: "30 2 * * *", Timezone: "UTC"}
		l := w.run(c, nil)
		sleep(150*time.Minute + time.Second)
		w.turn(-30 * time.Second)
		sleep(time.Minute)
		l.end(t)
		w.turn(-time.Minute)
		again := w.run(c, nil)
		sleep(time.Hour)
		again.end(t)
		same(t, append(l.runs(), again.runs()...), "01 02:30:00")
	})
}

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		fails := []error{
			errors.New("fetch page 1: 500"),
			component.RetryAfter(errors.New("fetch page 1: 429"), 90*time.Second),
			&component.LaterError{Reason: "disk full", After: 10 * time.Second},
		}
		l := w.run(Config{Every: time.Minute}, func(context.Context, Due) error {
			if len(fails) == 0 {
				return nil
			}
			err := fails[0]
			fails = fails[1:]
			return err
		})
		synctest.Wait()
		if got := l.Report().Error; got != "fetch page 1: 500" {
			t.Errorf("reported %q", got)
		}
		if next := l.Report().Next.Sub(w.now()); next <= 0 || next > 2*time.Second {
			t.Errorf("next attempt in %s", next)
		}
		sleep(4 * time.Second)
		if len(l.runs()) != 2 {
			t.Errorf("runs: %v", l.runs())
		}
		sleep(3 * time.Minute)
		if got := l.Report().Error; got != "" {
			t.Errorf("reported %q", got)
		}
		l.end(t)
		if len(l.runs()) != 6 || !strings.HasPrefix(l.runs()[2], "01 00:01:3") || !strings.HasPrefix(l.runs()[3], "01 00:01:4") {
			t.Errorf("runs: %v", l.runs())
		}
		if n := strings.Count(w.log.String(), "run failed"); n != 2 || !strings.Contains(w.log.String(), "runs succeed again") {
			t.Errorf("logged:\n%s", w.log.String())
		}
	})
}

// What a peer asked for is kept, and no more than that is.
func TestNothingBeginsBeforeAPeerWantsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := w.run(Config{Every: time.Minute}, func(context.Context, Due) error {
			return component.RetryAfter(errors.New("fetch page 1: 429"), 150*time.Second)
		})
		sleep(16 * time.Minute)
		l.end(t)
		for i, run := range l.runs() {
			if want := time.Duration(i) * 150 * time.Second; !strings.HasPrefix(run, "01 "+time.Time{}.Add(want).Format("15:04:05")) {
				t.Errorf("run %d at %s, want after %s", i, run, want)
			}
		}
		if n := len(l.runs()); n != 7 {
			t.Errorf("%d runs: %v", n, l.runs())
		}
	})
}

func TestPermanentFailureWaitsForTheNextTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := w.run(Config{Every: time.Hour}, func(context.Context, Due) error { return component.Permanent(errors.New("no")) })
		sleep(150 * time.Minute)
		l.end(t)
		same(t, l.runs(), "01 00:00:00", "01 01:00:00", "01 02:00:00")
		if n := strings.Count(w.log.String(), "run failed"); n != 3 {
			t.Errorf("logged:\n%s", w.log.String())
		}
	})
}

// A run is given up after retry.for of its own failures, not of the journal's.
func TestGivesUpAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.retry = component.Retry{For: time.Hour, Initial: 10 * time.Minute, Max: 20 * time.Minute}
		var full, down atomic.Bool
		full.Store(true)
		down.Store(true)
		l := w.run(Config{Every: 48 * time.Hour}, func(context.Context, Due) error {
			switch {
			case full.Load():
				return &component.LaterError{Reason: "disk full", After: 10 * time.Minute}
			case down.Load():
				return errors.New("fetch page 1: 500")
			}
			return nil
		})
		sleep(5 * time.Hour)
		full.Store(false)
		sleep(20 * time.Minute)
		if n := len(l.runs()); n < 31 {
			t.Errorf("it ran %d times in 5h20m, every 10m", n)
		}
		sleep(3 * time.Hour)
		n := len(l.runs())
		down.Store(false)
		sleep(3 * time.Hour)
		if len(l.runs()) != n || n > 40 {
			t.Errorf("not given up: %v", l.runs())
		}
		l.end(t)
	})
}

func TestSameFailureIsLoggedOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := w.run(Config{Every: 10 * time.Second}, func(context.Context, Due) error { return errors.New("no route") })
		sleep(119 * time.Minute)
		l.end(t)
		if n := strings.Count(w.log.String(), "run failed"); n != 2 || len(l.runs()) < 700 {
			t.Errorf("%d lines of %d failures", n, len(l.runs()))
		}
	})
}

func TestTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := w.run(Config{Cron: "30 2 * * *", Timezone: "UTC"}, nil)
		sleep(time.Hour)
		for range 3 { // noted once
			if err := l.Trigger(); err != nil {
				t.Fatal(err)
			}
		}
		sleep(2 * time.Hour)
		l.end(t)
		same(t, l.runs(), "01 01:00:00 by hand", "01 02:30:00")
		if err := l.Trigger(); err == nil || err.Error() != "it does not run now" {
			t.Errorf("trigger: %v", err)
		}
	})
}

func TestTriggerTakesWhatIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var fixed atomic.Bool
		l := w.run(Config{Every: time.Hour}, func(context.Context, Due) error {
			if !fixed.Load() {
				return component.RetryAfter(errors.New("busy"), 20*time.Minute)
			}
			return nil
		})
		sleep(time.Minute)
		fixed.Store(true)
		if err := l.Trigger(); err != nil {
			t.Fatal(err)
		}
		sleep(50 * time.Minute)
		l.end(t)
		same(t, l.runs(), "01 00:00:00", "01 00:01:00 for 01 00:00:00 by hand")
	})
}

func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := w.run(Config{Every: 10 * time.Minute, Jitter: time.Minute}, nil)
		var late time.Duration
		for i := range 50 {
			sleep(time.Minute)
			if len(l.runs()) != i+1 {
				t.Fatalf("%d runs after the jitter of run %d", len(l.runs()), i+1)
			}
			late = max(late, l.Report().Last.Sub(time.Date(2000, 1, 1, 0, 10*i, 0, 0, time.UTC)))
			sleep(9 * time.Minute)
		}
		l.end(t)
		if late < 10*time.Second || late >= time.Minute {
			t.Errorf("the latest run was %s late", late)
		}
	})
}

func TestPanicLeavesItReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, err := New(Options{Config: Config{Every: time.Hour}, Now: w.now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			func() {
				defer func() {
					if p := recover(); fmt.Sprint(p) != "oops" {
						t.Errorf("panic: %v", p)
					}
				}()
				r.Run(t.Context(), w, func(context.Context, Due) error { panic("oops") })
			}()
			if err := r.Trigger(); err == nil || err.Error() != "it does not run now" {
				t.Errorf("trigger: %v", err)
			}
		}
	})
}
