//go:build linux

package faults

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/admin"
)

// reloadConf is edited in all its parts but the files sink: %[1]d numbers the edit.
func reloadConf(dir, sink string, n int, listener string) string {
	conf := fmt.Sprintf(`daemon {
  state_dir = %q
  reload    = "manual"
}
listener "http" "in" { address = %q }
source "webhook" "a" {
  path          = "/a"
  dedupe_window = "%dh"
  verify "none" {}
}
source "webhook" "b" {
  path = "/b"
  verify "none" {}
}
connection "http" "sink" {
  base_url = "http://%s"
  timeout  = "%ds"
}
sink "http" "out" {
  connection = connection.http.sink
  path       = "/"
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
flow "orders" {
  from = [source.webhook.a, source.webhook.b]
  map {
    n    = "body.n"
    edit = %d
  }
  to = [sink.http.out, sink.files.out]
}
`, filepath.Join(dir, "state"), listener, 1+n%3, sink, 10+n/3%2, n)
	if n%4 == 1 {
		conf += "source \"webhook\" \"c\" {\n  path = \"/c\"\n  verify \"none\" {}\n}\nflow \"c\" {\n  from = source.webhook.c\n  to   = sink.http.out\n}\n"
	}
	return conf
}

// breakings make a configuration that cannot be taken over.
var breakings = []func(string) string{
	func(s string) string { return strings.Replace(s, "body.n", "boddy.n", 1) },
	func(s string) string { return strings.Replace(s, `path = "/b"`, `path = "/a"`, 1) },
	func(s string) string { return s[:len(s)/2] },
	func(string) string { return "" },
	func(s string) string {
		return strings.Replace(s, `path          = "/a"`, `path          = "/{x}/b"`, 1) + conflicting
	},
	func(s string) string { return strings.Replace(s, "sink.files.out]", "sink.files.gone]", 1) },
}

// conflicting paths are found when routes are made, after everything has been opened.
const conflicting = "source \"webhook\" \"x\" {\n  path = \"/a/{y}\"\n  verify \"none\" {}\n}\nflow \"x\" {\n  from = source.webhook.x\n  to   = sink.http.out\n}\n"

// Reloads under steady load, a third of them broken on purpose: no request fails,
// no event is lost, none is in the file twice, and what the HTTP sink got comes
// under one key.
func TestReloads(t *testing.T) {
	reloads, rate := 30, 200
	if long {
		reloads, rate = 200, 1000
	}
	dir := t.TempDir()
	out := newSink(t)
	configure(t, dir, reloadConf(dir, out.addr, 0, "127.0.0.1:0"))
	d := launch(t, dir)
	c, err := admin.Dial(t.Context(), admin.Places("", d.stateDir))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	l := newSteady()
	stop := l.start(t.Context(), rate, d.url+"/a", d.url+"/b")
	broken, last := 0, 1
	for n := range reloads {
		l.await(20 * n) // requests that began before, amid and after each reload
		conf := reloadConf(dir, out.addr, n+1, "127.0.0.1:0")
		wrong := n%3 == 2
		if wrong {
			conf = breakings[broken%len(breakings)](conf)
			broken++
		}
		writeConf(t, dir, conf)
		r, err := c.Reload(t.Context(), admin.ReloadOptions{})
		if err != nil || r.OK == wrong {
			t.Fatalf("reload %d: %+v %v", n, r, err)
		}
		if !wrong {
			last++
		}
		if r.Generation != int64(last) {
			t.Fatalf("reload %d: generation %d runs, not %d", n, r.Generation, last)
		}
	}
	stop()
	s := d.drained()
	d.stop()
	t.Logf("%d reloads, %d broken; %d requests accepted", reloads, broken, len(l.accepted))
	if len(l.failed) > 0 {
		t.Errorf("%d requests failed: %v", len(l.failed), l.failed[:min(len(l.failed), 5)])
	}
	if len(l.accepted) < 10*reloads {
		t.Fatalf("only %d requests: no load worth the name", len(l.accepted))
	}
	inFile := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	if len(inFile) != len(l.accepted) {
		t.Errorf("%d events in the file, %d accepted", len(inFile), len(l.accepted))
	}
	inSink := map[int]int{}
	for _, bodies := range out.bodies {
		inSink[number(t, bodies[0])]++
	}
	for n := range l.accepted {
		if inFile[n] != 1 || inSink[n] != 1 {
			t.Errorf("event %d: %d times in the file, under %d keys at the sink", n, inFile[n], inSink[n])
		}
	}
	for _, f := range s.Flows {
		if f.Address == "flow.orders" && (f.Dead != 0 || f.Delivered != int64(len(l.accepted))) {
			t.Errorf("counts: %+v", f)
		}
	}
}

func writeConf(t *testing.T, dir, conf string) {
	t.Helper()
	if !strings.Contains(conf, "daemon {") {
		conf = "# daemon {\n" + conf // configure adds a head to what has none
	}
	configure(t, dir, conf)
}

// steady posts numbered orders at a rate, and notes every one that was not accepted.
type steady struct {
	mu       sync.Mutex
	answered *sync.Cond
	next     int
	accepted map[int]bool
	failed   []string
}

func newSteady() *steady {
	l := &steady{accepted: map[int]bool{}}
	l.answered = sync.NewCond(&l.mu)
	return l
}

// await returns when so many requests have been answered.
func (l *steady) await(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.accepted)+len(l.failed) < n {
		l.answered.Wait()
	}
}

// start posts to the URLs in turn until stop is called.
func (l *steady) start(ctx context.Context, rate int, urls ...string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	const posters = 16
	for i := range posters {
		group.Go(func() {
			c := client()
			defer c.CloseIdleConnections()
			tick := time.NewTicker(time.Second * posters / time.Duration(rate))
			defer tick.Stop()
			for n := i; ; n++ {
				select {
				case <-tick.C:
					l.one(c, urls[n%len(urls)])
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return func() { cancel(); group.Wait() }
}

func (l *steady) one(c *http.Client, url string) {
	l.mu.Lock()
	l.next++
	n := l.next
	l.mu.Unlock()
	code, answer, err := post(c, url, fmt.Sprintf(`{"n":%d}`, n))
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.answered.Broadcast()
	if err != nil || code != http.StatusAccepted {
		l.failed = append(l.failed, fmt.Sprintf("%s: %d %s %v", url, code, answer, err))
		return
	}
	l.accepted[n] = true
}
