package engine

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
)

// Many large dead letters are listed, retried and dropped in little memory.
func TestLargeDeadLetters(t *testing.T) {
	const letters, size = 64, 1 << 20
	w := newWorld(t)
	w.run["source.fake.a"] = func(ctx context.Context, in component.Intake) error {
		for range letters {
			body := map[string]any{"text": strings.Repeat("x", size)}
			if _, err := in.Accept(ctx, component.Batch{Drafts: []component.Draft{{Body: body}}}); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return nil
	}
	w.deliver["sink.fake.s"] = func(context.Context, component.Delivery) error {
		return component.Permanent(errors.New("no such order"))
	}
	r := w.start(`
source "fake" "a" {}
sink "fake" "s" { concurrency = 1 }
flow "f" {
  from = source.fake.a
  to   = sink.fake.s
}
`)
	dead := func(n int64) func(admin.Status) bool {
		return func(s admin.Status) bool { return s.Flows[0].Dead == n && s.Flows[0].Accepted == letters }
	}
	w.until(r, "all dead", dead(letters))
	listed := peak(t, func() {
		n := 0
		for d, err := range r.Dead(t.Context(), admin.Filter{Flow: "flow.f"}) {
			if n++; err != nil || d.Error != "no such order" || d.Payload != nil {
				t.Fatalf("%+v, %v", d, err)
			}
		}
		if n != letters {
			t.Errorf("%d listed, want %d", n, letters)
		}
	})
	retried := peak(t, func() {
		out, err := r.Retry(t.Context(), admin.Selection{All: true})
		if err != nil || out.Done != letters {
			t.Errorf("retry: %+v, %v", out, err)
		}
		w.until(r, "all dead again", dead(letters))
	})
	dropped := peak(t, func() {
		out, err := r.Drop(t.Context(), admin.Selection{All: true})
		if err != nil || out.Done != letters {
			t.Errorf("drop: %+v, %v", out, err)
		}
	})
	s, err := r.Status(t.Context())
	if err != nil || s.Flows[0].Dropped != letters || s.Flows[0].Dead != 0 {
		t.Errorf("%+v, %v", s.Flows, err)
	}
	t.Logf("%d MiB of letters: listed in %d MiB, retried in %d, dropped in %d", letters*size>>20, listed>>20, retried>>20, dropped>>20)
	if most := max(listed, retried, dropped); most > letters*size*3/4 {
		t.Errorf("%d letters of %d MiB took %d MiB", letters, size>>20, most>>20)
	}
}

// peak is by how much the live heap grew, at most, while do ran.
func peak(t *testing.T, do func()) int64 {
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	var most atomic.Int64
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				most.Store(max(most.Load(), live()-before))
			}
		}
	}()
	do()
	close(done)
	<-watched
	return most.Load()
}
