package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
)

// manual is a head that leaves reloads to the test.
func (w *world) manual() string {
	return fmt.Sprintf("daemon {\n  state_dir = %q\n  reload = \"manual\"\n}\n", filepath.Join(w.dir, "state"))
}

const ab = `
source "fake" "a" {}
source "fake" "b" {}
sink "fake" "s" {}
sink "fake" "t" {}
flow "a" {
  from = source.fake.a
  to   = sink.fake.s
}
flow "b" {
  from = source.fake.b
  to   = sink.fake.t
}
`

func (w *world) reload(r *running, text string, o admin.ReloadOptions) admin.Reload {
	w.t.Helper()
	w.write(w.manual() + text)
	out, err := r.Reload(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func actions(out admin.Reload) (list []string) {
	for _, c := range out.Changes {
		list = append(list, c.Action+" "+c.Address)
	}
	return list
}

// What did not change is not touched; what changed is opened before anything is
// closed, and what has gone is closed last.
func TestReload(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	opened := len(w.noted())
	out := w.reload(r, strings.Replace(ab, `sink "fake" "t" {}`, `sink "fake" "t" { timeout = "5s" }`, 1)+"source \"fake\" \"c\" {}\n", admin.ReloadOptions{})
	if !out.OK || out.Generation != 2 || out.Kept != 5 {
		t.Fatalf("%+v", out)
	}
	if diff := cmp.Diff([]string{"start source.fake.c", "restart sink.fake.t"}, actions(out)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	w.untilNoted("close sink.fake.t")
	want := []string{"open sink.fake.t", "open source.fake.c", "close sink.fake.t"}
	if diff := cmp.Diff(want, w.noted()[opened:]); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	out = w.reload(r, strings.Replace(ab, `sink "fake" "t" {}`, `sink "fake" "t" { timeout = "5s" }`, 1)+"source \"fake\" \"c\" {}\n", admin.ReloadOptions{})
	if !out.OK || out.Generation != 2 || len(out.Changes) != 0 {
		t.Errorf("the same again: %+v", out)
	}
}

// untilNoted waits for something to happen.
func (w *world) untilNoted(event string) {
	w.t.Helper()
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(time.Millisecond); ; {
		for _, e := range w.noted() {
			if e == event {
				tick.Stop()
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("not in time: %s; %v", event, w.noted())
		}
	}
}

// A configuration that cannot be taken over changes nothing, says why, and is loud
// until it is mended.
func TestReloadRefused(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		broken           component.Address
	}{
		{name: "a mistake", text: strings.Replace(ab, "sink.fake.s", "sink.fake.nope", 1), want: "conf.hcl:12:10: there is no sink.fake.nope"},
		{name: "empty", text: "", want: "--allow-empty"},
		{name: "what cannot be opened", text: ab + `sink "fake" "u" {}`, broken: "sink.fake.u", want: "open sink.fake.u: it is broken"},
		{name: "the state directory", text: ab, want: "state_dir of the daemon cannot change"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			r := w.start(w.manual() + ab)
			opened := w.noted()
			w.broken = c.broken
			head := w.manual()
			if c.name == "the state directory" {
				head = strings.Replace(head, "state\"", "other\"", 1)
			}
			w.write(head + c.text)
			out, err := r.Reload(t.Context(), admin.ReloadOptions{})
			if err != nil || out.OK || out.Generation != 1 || !strings.Contains(out.Error, c.want) {
				t.Fatalf("%+v %v", out, err)
			}
			if diff := cmp.Diff(opened, w.noted()); diff != "" {
				t.Errorf("something was touched (-before +after):\n%s", diff)
			}
			s, err := r.Status(t.Context())
			if err != nil || s.Stale == nil || s.Stale.Attempts != 1 || !strings.Contains(s.Line(), "NOT WHAT THE FILES SAY (generation 1 runs)") || s.Generation != 1 {
				t.Errorf("status: %+v %v", s.Stale, err)
			}
			w.broken = ""
			if out = w.reload(r, ab, admin.ReloadOptions{}); !out.OK {
				t.Fatalf("mended: %+v", out)
			}
			if s, _ = r.Status(t.Context()); s.Stale != nil {
				t.Errorf("still stale: %+v", s.Stale)
			}
		})
	}
}

// --allow-empty means it.
func TestReloadToNothing(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	if out := w.reload(r, "", admin.ReloadOptions{AllowEmpty: true}); !out.OK || len(out.Changes) != 6 {
		t.Fatalf("%+v", out)
	}
	w.untilNoted("close sink.fake.s")
	if out := w.reload(r, ab, admin.ReloadOptions{}); !out.OK || len(out.Changes) != 6 {
		t.Fatalf("%+v", out)
	}
}

// A source that changes never has two owners of its checkpoint.
func TestReloadStopsBeforeItStarts(t *testing.T) {
	w := newWorld(t)
	var running atomic.Int32
	w.run["source.fake.a"] = func(ctx context.Context, _ component.Intake) error {
		if running.Add(1) > 1 {
			t.Error("two run at a time")
		}
		<-ctx.Done()
		runtime.Gosched() // it takes a moment to end
		running.Add(-1)
		return nil
	}
	r := w.start(w.manual() + ab)
	for i := range 20 {
		edited := strings.Replace(ab, `source "fake" "a" {}`, fmt.Sprintf(`source "fake" "a" { dedupe_window = "%dh" }`, i+1), 1)
		if out := w.reload(r, edited, admin.ReloadOptions{}); !out.OK {
			t.Fatalf("%+v", out)
		}
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if n := running.Load(); n != 0 {
		t.Errorf("%d run after the end", n)
	}
}

// A rename keeps what waits and what was counted.
func TestReloadMoved(t *testing.T) {
	w := newWorld(t)
	w.run["source.fake.a"] = accept(map[string]any{"n": int64(1)}, map[string]any{"n": int64(2)})
	w.deliver["sink.fake.s"] = func(_ context.Context, d component.Delivery) error {
		if d.Event.Body.(map[string]any)["n"] == int64(1) {
			return component.Permanent(errors.New("no"))
		}
		return nil
	}
	r := w.start(w.manual() + ab)
	w.until(r, "one dead, one delivered", func(s admin.Status) bool { return s.Flows[0].Dead == 1 && s.Flows[0].Delivered == 1 })
	renamed := strings.NewReplacer(`"fake" "a"`, `"fake" "shop"`, "source.fake.a", "source.fake.shop", `flow "a"`, `flow "shop"`, `"fake" "s"`, `"fake" "erp"`, "sink.fake.s", "sink.fake.erp").Replace(ab) + `
moved {
  from = source.fake.a
  to   = source.fake.shop
}
moved {
  from = flow.a
  to   = flow.shop
}
moved {
  from = sink.fake.s
  to   = sink.fake.erp
}
`
	out := w.reload(r, renamed, admin.ReloadOptions{})
	if !out.OK {
		t.Fatalf("%+v", out)
	}
	s, err := r.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f := flowOf(s, "flow.shop"); f.Accepted != 2 || f.Dead != 1 || f.Delivered != 1 || len(s.Lanes) != 2 {
		t.Errorf("%+v %+v", f, s.Lanes)
	}
	if s.Sources[0].Address != "source.fake.shop" || s.Sources[0].Accepted != 2 {
		t.Errorf("%+v", s.Sources[0])
	}
	if out, err := r.Retry(t.Context(), admin.Selection{All: true}); err != nil || out.Done != 1 {
		t.Errorf("retry: %+v %v", out, err)
	}
	w.until(r, "delivered by the renamed sink", func(s admin.Status) bool { return flowOf(s, "flow.shop").Delivered == 2 })
}

// Two that have a past of their own cannot become one: the place of the block is told,
// and the sources that had been stopped for it go on.
func TestReloadMovedOntoAnother(t *testing.T) {
	w := newWorld(t)
	w.run["source.fake.a"] = accept("x")
	w.run["source.fake.b"] = accept("x")
	r := w.start(w.manual() + ab)
	w.until(r, "both have events", func(s admin.Status) bool { return s.Sources[0].Accepted == 1 && s.Sources[1].Accepted == 1 })
	one := strings.Replace(ab, "source \"fake\" \"a\" {}\n", "", 1)
	one = strings.Replace(one, "source.fake.a", "source.fake.b", 1) + "moved {\n  from = source.fake.a\n  to   = source.fake.b\n}\n"
	out := w.reload(r, one, admin.ReloadOptions{})
	want := "conf.hcl:17: source.fake.a cannot move to source.fake.b: both have taken events: remove the moved block, then each goes on by itself"
	if out.OK || out.Error != want {
		t.Errorf("got %+v", out)
	}
	w.until(r, "both run again", func(s admin.Status) bool {
		return s.Sources[0].Accepted == 2 && s.Sources[0].State == admin.Running && s.Sources[1].State == admin.Running
	})
}

func flowOf(s admin.Status, address string) admin.FlowStatus {
	for _, f := range s.Flows {
		if f.Address == address {
			return f
		}
	}
	return admin.FlowStatus{}
}

// Generations are kept, shown, and come back; also over a restart, until the files
// say something else.
func TestRollback(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	bad := strings.Replace(ab, "from = source.fake.b", "from = source.fake.b\n  order_by = \"body.n\"", 1)
	if out := w.reload(r, bad, admin.ReloadOptions{}); !out.OK || out.Generation != 2 {
		t.Fatalf("%+v", out)
	}
	all, err := r.Generations(t.Context())
	if err != nil || len(all) != 2 || !all[0].Running || all[0].Origin != "reload" || all[1].Origin != "start" {
		t.Fatalf("%+v %v", all, err)
	}
	out, err := r.Rollback(t.Context(), 0)
	if err != nil || !out.OK || out.Generation != 3 {
		t.Fatalf("%+v %v", out, err)
	}
	g, err := r.Generation(t.Context(), 0)
	if err != nil || g.Number != 3 || g.Origin != "rollback to 1" || strings.Contains(g.Files[0].Text, "order_by") {
		t.Errorf("%+v %v", g, err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = w.start(w.manual() + bad) // the same files as before
	s, err := r.Status(t.Context())
	if err != nil || s.Generation != 3 || s.Stale == nil {
		t.Errorf("after a restart: generation %d, %+v %v", s.Generation, s.Stale, err)
	}
	out, err = r.Reload(t.Context(), admin.ReloadOptions{})
	if err != nil || !out.OK || out.Generation != 4 {
		t.Errorf("a reload takes the files: %+v %v", out, err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = w.start(w.manual() + bad)
	if s, err = r.Status(t.Context()); err != nil || s.Generation != 4 || s.Stale != nil {
		t.Errorf("and so does the next start: generation %d, %+v %v", s.Generation, s.Stale, err)
	}
}

// Secrets that were written in a configuration are not kept; within the process, it
// comes back all the same.
func TestRollbackAcrossSecret(t *testing.T) {
	w := newWorld(t)
	secret := ab + "secret \"k\" { value = \"planted\" }\n"
	r := w.start(w.manual() + secret)
	if out := w.reload(r, ab, admin.ReloadOptions{}); !out.OK {
		t.Fatalf("%+v", out)
	}
	if out, err := r.Rollback(t.Context(), 1); err != nil || !out.OK {
		t.Fatalf("%+v %v", out, err)
	}
	g, err := r.Generation(t.Context(), 1)
	if err != nil || strings.Contains(g.Files[0].Text, "planted") {
		t.Errorf("a secret is kept: %+v %v", g, err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = w.start(w.manual() + "# edited\n" + ab)
	if _, err := r.Rollback(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "conf.hcl:") || !strings.Contains(err.Error(), "secrets") {
		t.Errorf("it does not say that it needs the secret: %v", err)
	}
}

// A reload that is not kept in time is taken back, and one that is, is not.
func TestConfirm(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	edited := ab + "source \"fake\" \"c\" {}\n"
	out := w.reload(r, edited, admin.ReloadOptions{Confirm: time.Millisecond})
	if !out.OK || out.KeepBy == nil {
		t.Fatalf("%+v", out)
	}
	s := w.until(r, "back", func(s admin.Status) bool { return s.Generation == 3 && s.KeepBy == nil && s.Stale != nil })
	if len(s.Sources) != 2 {
		t.Errorf("%+v", s)
	}
	out = w.reload(r, edited, admin.ReloadOptions{Confirm: time.Hour})
	if s, _ = r.Status(t.Context()); !out.OK || s.KeepBy == nil {
		t.Fatalf("%+v %+v", out, s)
	}
	if err := r.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, _ = r.Status(t.Context()); s.KeepBy != nil || s.Generation != out.Generation || len(s.Sources) != 3 {
		t.Errorf("%+v", s)
	}
	if err := r.Keep(t.Context()); err == nil {
		t.Error("there was something more to keep")
	}
}

// A daemon that ends before a reload was kept starts with what was there before.
func TestConfirmAcrossRestart(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	edited := w.manual() + ab + "source \"fake\" \"c\" {}\n"
	w.write(edited)
	if out, err := r.Reload(t.Context(), admin.ReloadOptions{Confirm: time.Hour}); err != nil || !out.OK {
		t.Fatalf("%+v %v", out, err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = w.start(edited)
	if s, err := r.Status(t.Context()); err != nil || len(s.Sources) != 2 || s.Stale == nil {
		t.Errorf("%+v %v", s, err)
	}
}

// plan tells what a reload would do, and does nothing.
func TestPlan(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	before := w.noted()
	w.write(w.manual() + strings.Replace(ab, "flow \"b\" {", "flow \"b\" {\n  concurrency = 1", 1))
	p, err := r.Plan(t.Context(), "")
	if err != nil || len(p.Changes) != 1 || p.Changes[0].Address != "flow.b" || p.Kept != 5 {
		t.Errorf("%+v %v", p, err)
	}
	other := filepath.Join(w.dir, "other.hcl")
	if err := os.WriteFile(other, []byte(w.manual()+"sink \"fake\" \"s\" {}\nflow \"x\" {"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err = r.Plan(t.Context(), other); err != nil || p.Error == "" || !strings.Contains(p.Diagnostics, "other.hcl line") {
		t.Errorf("%+v %v", p, err)
	}
	if diff := cmp.Diff(before, w.noted()); diff != "" {
		t.Error(diff)
	}
}

// The daemon follows its files by itself.
func TestFollowsFiles(t *testing.T) {
	w := newWorld(t)
	r := w.start(ab)
	w.write(ab + "source \"fake\" \"c\" {}\n")
	s := w.until(r, "the new source", func(s admin.Status) bool { return len(s.Sources) == 3 })
	if s.Generation != 2 {
		t.Errorf("generation %d", s.Generation)
	}
	w.write(ab + "source \"fake\" \"c\" {")
	w.until(r, "stale", func(s admin.Status) bool { return s.Stale != nil && s.Generation == 2 })
	w.write(ab)
	w.until(r, "mended", func(s admin.Status) bool { return s.Stale == nil && s.Generation == 3 && len(s.Sources) == 2 })
}

// A checkpoint stays over reloads and restarts, unless what it is about changes.
func TestCheckpointStartsOver(t *testing.T) {
	w := newWorld(t)
	found := make(chan bool)
	w.run["source.fake.a"] = func(ctx context.Context, in component.Intake) error {
		var n int
		there, err := in.Get(ctx, "cursor", &n)
		if err != nil {
			return err
		}
		if _, err := in.Accept(ctx, component.Batch{State: []component.Put{{Key: "cursor", Value: 7}}}); err != nil {
			return err
		}
		found <- there
		<-ctx.Done()
		return nil
	}
	const one = `source "fake" "a" { counts = "one" }`
	const two = `source "fake" "a" { counts = "two" }`
	r := w.start(w.manual() + one)
	check := func(when string, want bool) {
		t.Helper()
		if got := <-found; got != want {
			t.Errorf("%s: a checkpoint was there: %v", when, got)
		}
	}
	check("first", false)
	restart := func(text string) {
		t.Helper()
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r = w.start(w.manual() + text)
	}
	restart(one)
	check("after a restart", true)
	if out := w.reload(r, "source \"fake\" \"a\" {\n  counts        = \"one\"\n  dedupe_window = \"1h\"\n}\n", admin.ReloadOptions{}); !out.OK {
		t.Fatalf("%+v", out)
	}
	check("after a reload", true)
	if out := w.reload(r, two, admin.ReloadOptions{}); !out.OK || !strings.Contains(out.Changes[0].State, "starts over") {
		t.Fatalf("%+v", out)
	}
	check("after a reload that changes what is counted", false)
	restart(one)
	check("after a change while it was down", false)
}
