package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
)

// A reload that is asked for while the daemon starts waits until all runs.
func TestReloadAmidStart(t *testing.T) {
	w := newWorld(t)
	var running atomic.Int32
	w.run["source.fake.a"] = func(ctx context.Context, _ component.Intake) error {
		if running.Add(1) > 1 {
			t.Error("two run at a time")
		}
		<-ctx.Done()
		running.Add(-1)
		return nil
	}
	answered := make(chan admin.Reload, 1)
	w.opening = func(address component.Address) {
		if address != "source.fake.b" { // the last to be opened
			return
		}
		w.opening = nil
		w.write(w.manual() + strings.Replace(ab, `source "fake" "a" {}`, `source "fake" "a" { dedupe_window = "1h" }`, 1))
		c, err := admin.Dial(t.Context(), admin.Places("", w.dir+"/state"))
		if err != nil {
			t.Error(err)
			return
		}
		go func() {
			defer c.Close()
			out, err := c.Reload(t.Context(), admin.ReloadOptions{})
			if err != nil {
				t.Error(err)
			}
			answered <- out
		}()
	}
	r := w.start(w.manual() + ab)
	if out := <-answered; !out.OK || out.Generation != 2 {
		t.Errorf("%+v", out)
	}
	if err := r.stop(); err != nil || running.Load() != 0 {
		t.Errorf("%d run after the end, %v", running.Load(), err)
	}
}

// What comes while the daemon drains is answered: it is too late.
func TestReloadAmidDrain(t *testing.T) {
	w := newWorld(t)
	begun, release := make(chan struct{}), make(chan struct{})
	w.run["source.fake.a"] = accept("x")
	w.deliver["sink.fake.s"] = func(context.Context, component.Delivery) error {
		close(begun)
		<-release
		return nil
	}
	r := w.start(w.manual() + ab)
	c, err := admin.Dial(t.Context(), admin.Places(r.Socket, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	var refused error
	for n := 0; refused == nil; n++ { // until the end has begun
		w.write(w.manual() + ab + fmt.Sprintf("# %d\n", n))
		_, refused = c.Reload(t.Context(), admin.ReloadOptions{})
	}
	_, rollback := c.Rollback(t.Context(), 0)
	for what, err := range map[string]error{"reload": refused, "rollback": rollback, "keep": c.Keep(t.Context())} {
		var p *admin.Problem
		if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable || p.Detail != "the daemon is stopping" {
			t.Errorf("%s: %v", what, err)
		}
	}
	close(release)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// Reloads at once come one after the other, and whoever asked is told of his own; a
// client that goes away in between leaves nothing behind.
func TestReloadsAtOnce(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	var group sync.WaitGroup
	var ok atomic.Int32
	for i := range 8 {
		group.Go(func() {
			out, err := r.Reload(t.Context(), admin.ReloadOptions{})
			if err == nil && out.OK {
				ok.Add(1)
			}
		})
		group.Go(func() {
			ctx, leave := context.WithCancel(t.Context())
			go leave()
			_, _ = r.Reload(ctx, admin.ReloadOptions{})
		})
		w.reload(r, ab+fmt.Sprintf("source \"fake\" \"n%d\" {}\n", i), admin.ReloadOptions{})
	}
	group.Wait()
	if ok.Load() == 0 {
		t.Error("no reload was answered")
	}
	if out := w.reload(r, ab, admin.ReloadOptions{}); !out.OK {
		t.Errorf("%+v", out)
	}
	opened, closed := map[string]int{}, map[string]int{}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	for _, e := range w.noted() {
		what, address, _ := strings.Cut(e, " ")
		if what == "open" {
			opened[address]++
		} else {
			closed[address]++
		}
	}
	if diff := cmp.Diff(opened, closed); diff != "" {
		t.Errorf("opened and closed (-opened +closed):\n%s", diff)
	}
}

// Ports that change hands within one configuration, by a rename or a swap, stay open;
// one that the daemon itself is in the way of is told so, with its place.
func TestReloadOfPorts(t *testing.T) {
	w := newWorld(t)
	one, two := freePort(t), freePort(t)
	listeners := func(a, b string) string {
		return ab + fmt.Sprintf("listener \"http\" \"x\" { address = %q }\nlistener \"http\" \"y\" { address = %q }\n", a, b)
	}
	r := w.start(w.manual() + listeners(one, two))
	conns := []net.Conn{dial(t, one), dial(t, two)}
	if out := w.reload(r, listeners(two, one), admin.ReloadOptions{}); !out.OK {
		t.Fatalf("swapped: %+v", out)
	}
	s, err := r.Status(t.Context())
	if err != nil || s.Listeners[0].Listen != two || s.Listeners[1].Listen != one {
		t.Errorf("%+v %v", s.Listeners, err)
	}
	if out := w.reload(r, strings.ReplaceAll(listeners(two, one), `"http" "x"`, `"http" "z"`), admin.ReloadOptions{}); !out.OK {
		t.Fatalf("renamed: %+v", out)
	}
	for _, c := range conns {
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		answer := make([]byte, 12)
		if _, err := c.Read(answer); err != nil || string(answer) != "HTTP/1.1 404" {
			t.Errorf("a connection from before: %q %v", answer, err)
		}
	}
	_, port, _ := net.SplitHostPort(one)
	out := w.reload(r, listeners(two, "0.0.0.0:"+port), admin.ReloadOptions{})
	want := fmt.Sprintf("conf.hcl:19: open listener.http.y: 0.0.0.0:%s cannot be taken while listener.http.y listens on %s: restart the daemon for this change, or take another port", port, one)
	if out.OK || out.Error != want {
		t.Errorf("got  %q\nwant %q", out.Error, want)
	}
	for range 20 { // given up is given up at once
		if out := w.reload(r, ab, admin.ReloadOptions{}); !out.OK {
			t.Fatalf("%+v", out)
		}
		if out := w.reload(r, listeners(one, two), admin.ReloadOptions{}); !out.OK {
			t.Fatalf("%+v", out)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
