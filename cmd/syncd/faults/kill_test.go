//go:build linux

package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

const killConf = `
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
connection "http" "sink" { base_url = "http://%s" }
sink "http" "out" {
  connection = connection.http.sink
  path       = "/"
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
flow "orders" {
  from = source.webhook.in
  filter { when = "body.n %% 7 != 0" }
  map {
    n    = "body.n"
    name = "upper(body.customer.name)"
  }
  to = [sink.http.out, sink.files.out]
}
`

// Killed at random moments under load, with the HTTP sink up and down in turn:
// no acknowledged event is lost, the file has none twice, and what the HTTP sink
// got twice has the same key and the same body, and was under way at a kill.
func TestKills(t *testing.T) {
	kills := 4
	if long {
		kills = 24
	}
	dir := t.TempDir()
	out := newSink(t)
	configure(t, dir, fmt.Sprintf(killConf, out.addr))
	d := launch(t, dir)
	var url atomic.Value
	url.Store(d.url)
	l := &load{accepted: map[int]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		l.run(ctx, 8, func() string { return url.Load().(string) + "/in" })
	}()
	for k := range kills {
		if k%3 == 2 {
			out.set(unavailable)
		}
		<-time.After(300*time.Millisecond + rand.N(300*time.Millisecond)) // the moment is the point
		d.kill()
		out.set(nil)
		d = launch(t, dir)
		url.Store(d.url)
	}
	stop()
	<-loaded
	s := d.drained()
	d.stop()
	if len(l.accepted) < 100*kills {
		t.Fatalf("only %d events were accepted: no load worth the name", len(l.accepted))
	}
	t.Logf("%d kills, %d accepted, http sink: %d deliveries of %d", kills, len(l.accepted), out.total, len(out.bodies))

	inFile := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	for n := range l.accepted {
		if want := boolInt(n%7 != 0); inFile[n] < want {
			t.Errorf("event %d was accepted and is not in the file", n)
		}
	}
	for n, times := range inFile {
		if times > 1 {
			t.Errorf("event %d is in the file %d times", n, times)
		}
	}
	inSink := map[int]string{}
	repeated := 0
	for key, bodies := range out.bodies {
		n := number(t, bodies[0])
		if other, ok := inSink[n]; ok {
			t.Errorf("event %d came under two keys, %s and %s", n, key, other)
		}
		inSink[n] = key
		repeated += len(bodies) - 1
		if slices.ContainsFunc(bodies, func(b string) bool { return b != bodies[0] }) {
			t.Errorf("key %s came with different bodies: %q", key, bodies)
		}
	}
	for n := range l.accepted {
		if _, ok := inSink[n]; n%7 != 0 && !ok {
			t.Errorf("event %d was accepted and did not reach the HTTP sink", n)
		}
	}
	// What may repeat: deliveries under way at the kill, and those whose settlement
	// had not been synced.
	if repeated > 64*kills {
		t.Errorf("%d repeated deliveries after %d kills", repeated, kills)
	}
	f := s.Flows[0]
	if f.Accepted < int64(len(l.accepted)) || f.Dead != 0 || f.Delivered+f.Filtered != f.Accepted {
		t.Errorf("counts after all: %+v, acknowledged %d", f, len(l.accepted))
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func number(t *testing.T, body string) int {
	t.Helper()
	var v struct{ N int }
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("read %q: %v", body, err)
	}
	return v.N
}

// fileCounts tells how often each number stands in an NDJSON file.
func fileCounts(t *testing.T, path string) map[int]int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	counts := map[int]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		counts[number(t, lines.Text())]++
	}
	return counts
}
