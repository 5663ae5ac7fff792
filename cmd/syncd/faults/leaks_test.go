//go:build linux

package faults

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine"
	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/connect"
	"github.com/syncd/syncd/sinks"
	"github.com/syncd/syncd/sources"
	"github.com/syncd/syncd/transforms"
)

// changingConf has no part that the next edit leaves as it is, but for the port of one
// listener. Six edits on, all is as it was but for the number in the flow.
func changingConf(dir, sink string, n int) string {
	return fmt.Sprintf(`daemon {
  state_dir = %q
  reload    = "manual"
}
listener "http" "in" {
  address         = "127.0.0.1:0"
  trusted_proxies = ["10.0.0.%[2]d/32"]
}
listener "http" "more%[3]d" { address = "127.0.0.1:0" }
connection "http" "sink" {
  base_url = "http://%[4]s"
  timeout  = "%[5]ds"
}
sink "http" "out" {
  connection = connection.http.sink
  path       = "/%[3]d"
}
sink "files" "out" {
  path = %[6]q
  format "ndjson" {}
}
sink "http" "more%[3]d" {
  connection = connection.http.sink
  path       = "/more"
}
source "webhook" "a" {
  listener      = listener.http.in
  path          = "/a"
  dedupe_window = "%[5]dh"
  verify "none" {}
}
source "webhook" "more%[3]d" {
  listener = listener.http.more%[3]d
  path     = "/more"
  verify "none" {}
}
flow "a" {
  from = source.webhook.a
  map {
    n    = "body.n"
    edit = %[7]d
  }
  to = [sink.http.out, sink.files.out]
}
flow "more%[3]d" {
  from = [source.webhook.more%[3]d, source.webhook.a]
  to   = sink.http.more%[3]d
}
`, filepath.Join(dir, "state"), 1+n%3, n%2, sink, 10+n%3, filepath.Join(dir, fmt.Sprintf("out%d.ndjson", n%3)), n)
}

// overlapping routes are found when all has been opened.
const overlapping = `
source "webhook" "x" {
  listener = listener.http.in
  path     = "/{x}/b"
  verify "none" {}
}
source "webhook" "y" {
  listener = listener.http.in
  path     = "/a/{y}"
  verify "none" {}
}
flow "x" {
  from = [source.webhook.x, source.webhook.y]
  to   = sink.http.out
}
`

// held is what a process holds.
type held struct {
	goroutines, files int
	heap              uint64
}

// now counts after what is garbage has gone.
func (h *held) now(t *testing.T) {
	t.Helper()
	runtime.GC()
	runtime.GC() // what the first one has finalized
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	*h = held{runtime.NumGoroutine(), len(fds), m.HeapAlloc}
}

// rest gives what is held when that does not change any more.
func rest(t *testing.T) held {
	t.Helper()
	var h, before held
	same := 0
	until(t, "counts that stay", func() bool {
		before = h
		if h.now(t); h.goroutines != before.goroutines || h.files != before.files {
			same = 0
		}
		same++
		return same > 10
	})
	return h
}

// After many reloads that change everything, and many that fail, the daemon holds no
// more than after a few.
func TestReloadsLeaveNothing(t *testing.T) {
	const few = 6
	many := 60
	if long {
		many = 504
	}
	const room = 8 << 20 // by which the heap may differ
	dir := t.TempDir()
	out := newSink(t)
	r := newInProcess(t, dir, changingConf(dir, out.addr, 0))
	reload := func(n int) {
		r.post(n)
		r.reload(changingConf(dir, out.addr, n)+overlapping, false)
		r.reload(changingConf(dir, out.addr, n), true)
	}
	for n := 1; n <= few; n++ {
		reload(n)
	}
	r.client.CloseIdleConnections()
	base := rest(t)
	for n := few + 1; n <= many; n++ {
		reload(n)
	}
	r.client.CloseIdleConnections()
	var end held
	until(t, "as few goroutines and files as before", func() bool {
		end.now(t)
		return end.goroutines <= base.goroutines && end.files <= base.files
	})
	t.Logf("after %d reloads: %+v, after %d: %+v", few, base, many, end)
	if end.heap > base.heap+room {
		t.Errorf("the heap has grown from %d to %d bytes", base.heap, end.heap)
	}
	// Each lane has its sink once more: what the last edits left waiting is delivered.
	r.drained()
	r.reload(changingConf(dir, out.addr, many+1), true)
	r.drained()
	r.stop()
	got := map[int]int{}
	for _, bodies := range out.bodies {
		got[number(t, bodies[0])] += len(bodies)
	}
	want := map[int]int{1: 2} // there is one flow of more0 and more1 at first
	for n := 2; n <= many; n++ {
		want[n] = 3
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deliveries of each post (-want +got):\n%s", diff)
	}
}

// inProcess is a daemon that runs in the test's own process, so that its goroutines
// and its heap can be counted.
type inProcess struct {
	t      *testing.T
	conf   string
	url    string
	admin  *admin.Client
	client *http.Client
	cancel context.CancelFunc
	ended  chan error
}

func newInProcess(t *testing.T, dir, conf string) *inProcess {
	ctx, cancel := context.WithCancel(context.Background())
	r := &inProcess{t: t, conf: filepath.Join(dir, "conf.hcl"), client: client(), cancel: cancel, ended: make(chan error, 1)}
	r.write(conf)
	kinds := slices.Concat(connect.Kinds(), sources.Kinds(), transforms.Kinds(), sinks.Kinds())
	read := func(path string) *config.Reading { return config.Open(path, kinds, config.Options{}) }
	first := read(r.conf)
	if first.Config == nil {
		t.Fatal(first.Diagnostics)
	}
	ready := make(chan engine.Ready, 1)
	go func() {
		r.ended <- engine.Run(ctx, first, engine.Options{
			Log: slog.New(slog.DiscardHandler), Config: r.conf, Read: read,
			Ready: func(is engine.Ready) { ready <- is },
		})
	}()
	t.Cleanup(cancel)
	select {
	case is := <-ready:
		r.url = "http://" + is.Listeners[0].Addr.String()
	case err := <-r.ended:
		t.Fatal(err)
	}
	var err error
	if r.admin, err = admin.Dial(t.Context(), admin.Places("", filepath.Join(dir, "state"))); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *inProcess) write(conf string) {
	r.t.Helper()
	if err := os.WriteFile(r.conf, []byte(conf), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// reload checks that a configuration is taken over, or that it is not.
func (r *inProcess) reload(conf string, ok bool) {
	r.t.Helper()
	r.write(conf)
	out, err := r.admin.Reload(r.t.Context(), admin.ReloadOptions{})
	if err != nil || out.OK != ok {
		r.t.Fatalf("reload: %+v %v", out, err)
	}
	if !ok && !strings.Contains(out.Error, "/a/{y}") {
		r.t.Fatalf("it failed otherwise than it was to: %s", out.Error)
	}
}

func (r *inProcess) post(n int) {
	r.t.Helper()
	code, answer, err := post(r.client, r.url+"/a", fmt.Sprintf(`{"n":%d}`, n))
	if err != nil || code != http.StatusAccepted {
		r.t.Fatalf("post %d: %d %s %v", n, code, answer, err)
	}
}

// drained waits until nothing waits for a sink that is there.
func (r *inProcess) drained() {
	r.t.Helper()
	until(r.t, "nothing waits for a sink", func() bool {
		s, err := r.admin.Status(r.t.Context())
		return err == nil && !slices.ContainsFunc(s.Lanes, func(l admin.LaneStatus) bool {
			return l.State != "orphaned" && l.Backlog+l.Waiting > 0
		})
	})
}

// stop drains the daemon.
func (r *inProcess) stop() {
	r.t.Helper()
	r.admin.Close()
	r.cancel()
	if err := <-r.ended; err != nil {
		r.t.Error(err)
	}
}
