//go:build linux

package faults

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// step is how far the times of the schedule are apart.
const step = 2 * time.Second

const scheduleConf = `
source "schedule" "often" {
  cron = "*/2 * * * * *"
  body = { job = "export" }
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
flow "jobs" {
  from = [source.schedule.often, source.webhook.in]
  map {
    job  = "body.job"
    time = "meta.schedule.time"
    late = "meta.schedule.made_up"
  }
  to = sink.files.out
}
`

// Killed just when a run is due, a schedule runs it exactly once. Of the times that
// pass while it is down, the last is made up.
func TestScheduleKills(t *testing.T) {
	t.Parallel() // it waits for the clock
	kills := 2
	if long {
		kills = 15
	}
	dir := t.TempDir()
	configure(t, dir, scheduleConf)
	d := launch(t, dir)
	type outage struct{ from, to time.Time }
	var outages []outage
	first := time.Now().Add(step).Truncate(step)
	for range kills {
		due := time.Now().Add(step).Truncate(step)
		<-time.After(time.Until(due) + rand.N(40*time.Millisecond) - 10*time.Millisecond) // the moment is the point
		down := time.Now()
		d.kill()
		d = launch(t, dir)
		outages = append(outages, outage{down.Add(-time.Second), time.Now().Add(time.Second)})
	}
	last := time.Now().Add(step).Truncate(step)
	<-time.After(time.Until(last) + 500*time.Millisecond) // the last one is due
	d.drained()
	d.stop()

	runs := scheduleRuns(t, filepath.Join(dir, "out.ndjson"))
	made := 0
	for at := first; !at.After(last); at = at.Add(step) {
		times := runs[at.Unix()]
		made += len(times)
		switch {
		case len(times) > 1:
			t.Errorf("%s came %d times", at.Format(time.TimeOnly), len(times))
		case len(times) == 1:
			continue
		}
		// It may have been made up for by the next one, if that passed while down, too.
		next, excused := at.Add(step), false
		for _, o := range outages {
			excused = excused || at.After(o.from) && next.Before(o.to)
		}
		if !excused {
			t.Errorf("%s never came", at.Format(time.TimeOnly))
		}
	}
	t.Logf("%d kills, %d runs", kills, made)
	if made < kills {
		t.Errorf("%d runs over %d kills", made, kills)
	}
}

// scheduleRuns tells which runs were made up, by when they were due.
func scheduleRuns(t *testing.T, path string) map[int64][]bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	runs := map[int64][]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var run struct {
			Time time.Time
			Late bool
		}
		if err := json.Unmarshal(lines.Bytes(), &run); err != nil {
			t.Fatalf("read %q: %v", lines.Text(), err)
		}
		runs[run.Time.Unix()] = append(runs[run.Time.Unix()], run.Late)
	}
	return runs
}
