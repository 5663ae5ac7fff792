package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/sources/schedule"
)

// A schedule that reloads change again and again runs each of its times once; one
// that they do not touch goes on as if nothing had happened.
func TestReloadsRunNothingTwice(t *testing.T) {
	w := newWorld(t)
	w.extra = append(w.extra, schedule.Kind())
	var mu sync.Mutex
	runs := map[string]int{}
	w.deliver["sink.fake.s"] = func(_ context.Context, d component.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		runs[fmt.Sprint(d.Event.Source, " ", d.Event.Meta["schedule"].(map[string]any)["time"])]++
		return nil
	}
	conf := func(n int) string {
		return fmt.Sprintf(`
source "schedule" "second" {
  cron = "* * * * * *"
  body = { edit = %d }
}
source "schedule" "hour" { every = "1h" }
sink "fake" "s" {}
flow "f" {
  from = [source.schedule.second, source.schedule.hour]
  to   = sink.fake.s
}
`, n)
	}
	r := w.start(conf(0))
	edits := 0
	for began := time.Now(); time.Since(began) < 2500*time.Millisecond; edits++ {
		w.write(conf(edits + 1))
		if out, err := r.Reload(t.Context(), admin.ReloadOptions{}); err != nil || !out.OK {
			t.Fatalf("%+v %v", out, err)
		}
	}
	s := w.until(r, "all delivered", func(s admin.Status) bool { return s.Flows[0].Pending == 0 })
	mu.Lock()
	defer mu.Unlock()
	for run, times := range runs {
		if times != 1 {
			t.Errorf("%s came %d times", run, times)
		}
	}
	if second, hour := s.Sources[0].Accepted, s.Sources[1].Accepted; second < 2 || second > 4 || hour != 1 {
		t.Errorf("%d runs a second, %d an hour, over %d reloads", second, hour, edits)
	}
}
