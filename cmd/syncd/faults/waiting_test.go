//go:build linux

package faults

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/syncd/syncd/engine/admin"
)

// attempts are the requests that a sink has seen, by number: key and body of each.
type attempts struct {
	mu   sync.Mutex
	seen map[int][]string
}

func (a *attempts) note(t *testing.T, r *http.Request) (n int) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 0 // it was given up
	}
	n = number(t, string(body))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil {
		a.seen = map[int][]string{}
	}
	a.seen[n] = append(a.seen[n], r.Header.Get("Idempotency-Key")+" "+string(body))
	return n
}

func (a *attempts) of(n int) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.seen[n])
}

func waitingConf(dir, failing, hanging, well string, edit int) string {
	return fmt.Sprintf(`daemon {
  state_dir = %q
  reload    = "manual"
}
listener "http" "in" { address = "127.0.0.1:0" }
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
connection "http" "failing" { base_url = "http://%s" }
connection "http" "hanging" { base_url = "http://%s" }
connection "http" "well" { base_url = "http://%s" }
sink "http" "failing" { connection = connection.http.failing }
sink "http" "hanging" {
  connection = connection.http.hanging
  timeout    = "10m"
}
sink "http" "well" { connection = connection.http.well }
flow "f" {
  from = source.webhook.in
  map {
    n    = "body.n"
    edit = %d
  }
  to = [sink.http.failing, sink.http.hanging, sink.http.well]
}
`, filepath.Join(dir, "state"), failing, hanging, well, edit)
}

// A reload waits for no retry and for no call: beside a sink that refuses everything
// and one that hangs it returns, the healthy lane has the new steps, and what waited
// goes to the new sink, under its key, as it was.
func TestReloadWaitsForNobody(t *testing.T) {
	dir := t.TempDir()
	failing, mended, hanging, well := newSink(t), newSink(t), newSink(t), newSink(t)
	var refused, delivered, good attempts
	failing.set(func(w http.ResponseWriter, r *http.Request) bool {
		refused.note(t, r)
		return unavailable(w, r)
	})
	mended.set(func(w http.ResponseWriter, r *http.Request) bool {
		delivered.note(t, r)
		w.WriteHeader(http.StatusNoContent)
		return true
	})
	well.set(func(w http.ResponseWriter, r *http.Request) bool {
		good.note(t, r)
		w.WriteHeader(http.StatusNoContent)
		return true
	})
	hung, release := make(chan struct{}, 64), make(chan struct{})
	hanging.set(func(w http.ResponseWriter, _ *http.Request) bool {
		hung <- struct{}{}
		<-release
		w.WriteHeader(http.StatusNoContent)
		return true
	})
	configure(t, dir, waitingConf(dir, failing.addr, hanging.addr, well.addr, 1))
	d := launch(t, dir)
	c := client()
	defer c.CloseIdleConnections()
	send := func(n int) {
		t.Helper()
		if code, answer, err := post(c, d.url+"/in", fmt.Sprintf(`{"n":%d}`, n)); err != nil || code != http.StatusAccepted {
			t.Fatal(code, answer, err)
		}
	}
	const events = 40
	for n := range events {
		send(n + 1)
	}
	<-hung
	lane := func(sink string) (l admin.LaneStatus) {
		s, err := d.status()
		if err != nil {
			return l
		}
		for _, l := range s.Lanes {
			if l.Sink == sink {
				return l
			}
		}
		return l
	}
	until(t, "the failing lane stands still", func() bool { return lane("sink.http.failing").State == admin.Stopped })
	waiting := lane("sink.http.failing").Waiting

	writeConf(t, dir, waitingConf(dir, mended.addr, hanging.addr, well.addr, 2))
	if code, out, errs := d.cli("reload"); code != 0 {
		t.Fatalf("reload: %s%s", out, errs)
	}
	send(events + 1)
	until(t, "the healthy lane has the new steps", func() bool {
		return slices.ContainsFunc(good.of(events+1), func(s string) bool { return strings.Contains(s, `"edit":2`) })
	})
	until(t, "all that waited has arrived", func() bool {
		for n := range events + 1 {
			if len(delivered.of(n+1)) == 0 {
				return false
			}
		}
		return true
	})
	if l := lane("sink.http.hanging"); l.Backlog+l.Waiting == 0 {
		t.Errorf("a call has hung all the while, and nothing waits for it: %+v", l)
	}
	kept := 0
	for n := range events {
		was, is := refused.of(n+1), delivered.of(n+1)
		if len(is) != 1 {
			t.Errorf("event %d was delivered as %q", n+1, is)
			continue
		}
		if len(was) == 0 {
			continue
		}
		oldKey, oldBody, _ := strings.Cut(was[0], " ")
		newKey, newBody, _ := strings.Cut(is[0], " ")
		if oldKey != newKey {
			t.Errorf("event %d was tried under %s and delivered under %s", n+1, oldKey, newKey)
		}
		if oldBody == newBody {
			kept++
		}
	}
	if int64(kept) < waiting {
		t.Errorf("%d deliveries waited for a retry, %d kept their content", waiting, kept)
	}
	close(release)
	d.drained()
	d.stop()
}

// What waits keeps its key and its content when source, flow and sink are renamed, and
// when the daemon starts again after that.
func TestMovedKeys(t *testing.T) {
	dir := t.TempDir()
	peer := newSink(t)
	var tried attempts
	var mu sync.Mutex
	up := false
	peer.set(func(w http.ResponseWriter, r *http.Request) bool {
		n := tried.note(t, r)
		mu.Lock()
		defer mu.Unlock()
		if n%2 == 1 && !up {
			return unavailable(w, r)
		}
		w.WriteHeader(http.StatusNoContent)
		return true
	})
	conf := func(name, edit string) string {
		return fmt.Sprintf(`daemon {
  state_dir = %q
  reload    = "manual"
}
listener "http" "in" { address = "127.0.0.1:0" }
source "webhook" "%[2]s" {
  path = "/in"
  verify "none" {}
}
connection "http" "peer" { base_url = "http://%[3]s" }
sink "http" "%[2]s" {
  connection = connection.http.peer
  retry { initial = "1h" }
  breaker { failures = 100 }
}
sink "files" "%[2]s" {
  path = "out.ndjson"
  format "ndjson" {}
}
flow "%[2]s" {
  from = source.webhook.%[2]s
  to   = [sink.http.%[2]s, sink.files.%[2]s]
}
%[4]s`, filepath.Join(dir, "state"), name, peer.addr, edit)
	}
	moved := func(from, to string) (text string) {
		for _, kind := range []string{"source.webhook", "sink.http", "sink.files", "flow"} {
			text += fmt.Sprintf("moved {\n  from = %[1]s.%[2]s\n  to   = %[1]s.%[3]s\n}\n", kind, from, to)
		}
		return text
	}
	configure(t, dir, conf("shop", ""))
	d := launch(t, dir)
	l := &steady{accepted: map[int]bool{}}
	l.answered = sync.NewCond(&l.mu)
	c := client()
	defer c.CloseIdleConnections()
	send := func(k int) {
		for range k {
			l.one(c, d.url+"/in")
		}
	}
	waiting := func(n int64) {
		t.Helper()
		until(t, fmt.Sprintf("%d wait", n), func() bool {
			s, err := d.status()
			return err == nil && s.Flows[0].Pending == n
		})
	}
	send(10)
	waiting(5)
	keys := map[int]string{}
	for n := 1; n <= 10; n++ {
		keys[n] = tried.of(n)[0]
	}
	writeConf(t, dir, conf("store", moved("shop", "store")))
	if code, out, errs := d.cli("reload"); code != 0 || !strings.Contains(out, "moved from sink.http.shop; its state comes along") {
		t.Fatalf("reload: %s%s", out, errs)
	}
	send(10)
	waiting(10)
	d.kill()
	d = launch(t, dir)
	mu.Lock()
	up = true
	mu.Unlock()
	writeConf(t, dir, conf("mall", moved("shop", "mall")+moved("store", "mall")))
	if code, out, errs := d.cli("reload"); code != 0 {
		t.Fatalf("reload: %s%s", out, errs)
	}
	if s, err := d.status(); err != nil || s.Flows[0].Address != "flow.mall" || s.Flows[0].Accepted != 20 || len(s.Flows) != 1 || len(s.Lanes) != 2 {
		t.Errorf("%+v %v", s, err)
	}
	send(10)
	s := d.drained()
	for n := 1; n <= 30; n++ {
		all := tried.of(n)
		first := all[0]
		if n <= 10 {
			first = keys[n]
		}
		if slices.ContainsFunc(all, func(a string) bool { return a != first }) || n%2 == 0 && len(all) != 1 {
			t.Errorf("event %d came as %q", n, all)
		}
	}
	if s.Flows[0].Delivered != 30 {
		t.Errorf("%+v", s.Flows[0])
	}
	l.check(t, d, dir)
}

// A reload is told to the service manager: that it begins, by which clock, and how
// the daemon stands after it, a refused one included.
func TestReloadIsTold(t *testing.T) {
	dir := t.TempDir()
	m := manage(t, dir)
	configure(t, dir, acceptConf)
	d := m.launch(t, dir)
	until(t, "READY=1", func() bool { return m.told("READY=1\nSTATUS=running") })
	for _, step := range []struct{ text, status string }{
		{acceptConf + "oops", "NOT WHAT THE FILES SAY (generation 1 runs): "},
		{acceptConf + "source \"webhook\" \"more\" {\n  path = \"/more\"\n  verify \"none\" {}\n}\n", "running: 2 sources"},
	} {
		from := m.count()
		before := monotonicNow(t)
		configure(t, dir, step.text)
		until(t, "a reload is told", func() bool { return len(m.since(from)) >= 2 })
		got := m.since(from)
		var at int64
		if _, err := fmt.Sscanf(got[0], "RELOADING=1\nMONOTONIC_USEC=%d\nSTATUS=reloading", &at); err != nil || at < before || at > monotonicNow(t) {
			t.Errorf("the beginning: %q (%v), after %d", got[0], err, before)
		}
		if !strings.HasPrefix(got[1], "READY=1\nSTATUS="+step.status) {
			t.Errorf("the end: %q, want %q", got[1], step.status)
		}
	}
	d.stop()
	until(t, "STOPPING=1", func() bool { return m.told("STOPPING=1\n") })
}
