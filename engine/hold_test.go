package engine

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
)

const third = "source \"fake\" \"c\" {}\n"

// Two reloads that are not kept go back to what ran before both.
func TestConfirmTwice(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	if out := w.reload(r, ab+third, admin.ReloadOptions{Confirm: time.Hour}); out.KeepBy == nil {
		t.Fatalf("%+v", out)
	}
	out := w.reload(r, ab+third, admin.ReloadOptions{})
	if !out.OK || out.KeepBy == nil {
		t.Errorf("nothing new, and it forgets that it must be kept: %+v", out)
	}
	if out = w.reload(r, ab+third+"sink \"fake\" \"u\" {}\n", admin.ReloadOptions{Confirm: time.Millisecond}); out.KeepBy == nil {
		t.Fatalf("%+v", out)
	}
	w.until(r, "back", func(s admin.Status) bool { return s.Generation == 4 && s.KeepBy == nil && len(s.Sources) == 2 })
}

// A refused reload leaves the net of the one before as it was.
func TestConfirmRefused(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	w.reload(r, ab+third, admin.ReloadOptions{Confirm: time.Hour})
	if out := w.reload(r, "broken", admin.ReloadOptions{Confirm: time.Hour}); out.OK {
		t.Fatalf("%+v", out)
	}
	w.write(w.manual() + ab + third)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = w.start(w.manual() + ab + third)
	if s, err := r.Status(t.Context()); err != nil || len(s.Sources) != 2 {
		t.Errorf("the restart does not go back: %+v %v", s.Sources, err)
	}
}

// Where the old configuration cannot come back, that is tried until it can.
func TestConfirmGoesBackLater(t *testing.T) {
	w := newWorld(t)
	log := w.logged()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	r := w.start(w.manual() + ab + fmt.Sprintf("listener \"http\" \"in\" { address = %q }\n", address))
	if out := w.reload(r, ab, admin.ReloadOptions{Confirm: time.Hour}); out.KeepBy == nil {
		t.Fatalf("%+v", out)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatalf("a port that was given up: %v", err)
	}
	defer l.Close()
	if out := w.reload(r, ab+third, admin.ReloadOptions{Confirm: time.Millisecond}); out.KeepBy == nil {
		t.Fatalf("%+v", out)
	}
	w.until(r, "a failed attempt", func(admin.Status) bool { return strings.Contains(log.String(), "does not come back yet") })
	if s, _ := r.Status(t.Context()); s.KeepBy == nil {
		t.Error("it has given up")
	}
	l.Close()
	w.until(r, "back", func(s admin.Status) bool { return s.KeepBy == nil && len(s.Listeners) == 1 && len(s.Sources) == 2 })
}

// What no earlier state of is kept cannot be brought back, and is not taken over
// under that promise.
func TestConfirmOfTable(t *testing.T) {
	w := newWorld(t)
	text := strings.Replace(ab, `source "fake" "a" {}`, `source "fake" "a" { dedupe_window = trimspace(file("window")) }`, 1)
	window := filepath.Join(w.dir, "window")
	put := func(s string) {
		t.Helper()
		if err := os.WriteFile(window, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("1h")
	r := w.start(w.manual() + text)
	put("2h")
	out, err := r.Reload(t.Context(), admin.ReloadOptions{Confirm: time.Hour})
	if err != nil || out.OK || !strings.Contains(out.Error, "reload without it") {
		t.Fatalf("%+v %v", out, err)
	}
	if out, err = r.Reload(t.Context(), admin.ReloadOptions{}); err != nil || !out.OK || out.Generation != 1 || len(out.Changes) != 1 {
		t.Errorf("%+v %v", out, err)
	}
}

// A generation that was brought back stays when a file that it reads changes, and
// takes that up.
func TestRollbackOutlivesTable(t *testing.T) {
	w := newWorld(t)
	log := w.logged()
	window := filepath.Join(w.dir, "window")
	text := strings.Replace(ab, `source "fake" "a" {}`, `source "fake" "a" { dedupe_window = trimspace(file("window")) }`, 1)
	if err := os.WriteFile(window, []byte("1h"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := w.start(text)
	w.write(text + third)
	w.until(r, "the new files", func(s admin.Status) bool { return s.Generation == 2 })
	if out, err := r.Rollback(t.Context(), 0); err != nil || out.Generation != 3 {
		t.Fatalf("%+v %v", out, err)
	}
	if err := os.WriteFile(window, []byte("2h"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.until(r, "the table is taken up", func(s admin.Status) bool {
		return strings.Contains(log.String(), `msg="component restart" component=source.fake.a reason="dedupe_window changed"`)
	})
	s := w.until(r, "told again", func(s admin.Status) bool { return s.Stale != nil })
	if s.Generation != 3 || len(s.Sources) != 2 || !strings.Contains(s.Stale.Reason, "generation 3 was brought back") {
		t.Errorf("%+v", s)
	}
	w.write(text + third + "# mended\n")
	w.until(r, "the files count again", func(s admin.Status) bool { return s.Generation == 4 && len(s.Sources) == 3 && s.Stale == nil })
}

// A generation that says what the files say is not stale, and not before them.
func TestRollbackToFiles(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	w.reload(r, ab+third, admin.ReloadOptions{})
	w.write(w.manual() + ab)
	if out, err := r.Rollback(t.Context(), 1); err != nil || !out.OK {
		t.Fatalf("%+v %v", out, err)
	}
	if s, err := r.Status(t.Context()); err != nil || s.Stale != nil {
		t.Errorf("%+v %v", s.Stale, err)
	}
}

// What was brought back is over when the daemon starts with other files, also if
// those come back that it stood before.
func TestPinEndsWithItsFiles(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	w.reload(r, ab+third, admin.ReloadOptions{})
	if _, err := r.Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text    string
		sources int
	}{{ab + third, 2}, {ab + third + "# edited\n", 3}, {ab + third, 3}} {
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r = w.start(w.manual() + c.text)
		if s, err := r.Status(t.Context()); err != nil || len(s.Sources) != c.sources {
			t.Errorf("%d sources, want %d; %v", len(s.Sources), c.sources, err)
		}
	}
}

// The daemon itself is set up as what runs says, not as the files do.
func TestPinnedSettings(t *testing.T) {
	w := newWorld(t)
	var levels []string
	w.change = func(o *Options) { o.SetLog = func(l config.Log) { levels = append(levels, l.Level) } }
	head := func(level string) string {
		return strings.Replace(w.manual(), "reload", fmt.Sprintf("log { level = %q }\n  reload", level), 1)
	}
	r := w.start(head("warn") + ab)
	w.write(head("error") + ab)
	if out, err := r.Reload(t.Context(), admin.ReloadOptions{Confirm: time.Hour}); err != nil || !out.OK {
		t.Fatalf("%+v %v", out, err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = w.start(head("error") + ab)
	if out, err := r.Reload(t.Context(), admin.ReloadOptions{}); err != nil || !out.OK {
		t.Fatalf("%+v %v", out, err)
	}
	if diff := cmp.Diff([]string{"error", "warn", "error"}, levels); diff != "" {
		t.Error(diff)
	}
}

// Two configurations that differ in a secret only are two generations: while the
// process lives, the old secret comes back.
func TestRollbackOfSecret(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab + "secret \"k\" { value = \"planted\" }\n")
	changed := ab + "secret \"k\" { value = \"another\" }\n"
	if out := w.reload(r, changed, admin.ReloadOptions{Confirm: time.Hour}); !out.OK || out.Generation != 2 || out.KeepBy == nil {
		t.Fatalf("%+v", out)
	}
	if out, err := r.Rollback(t.Context(), 1); err != nil || !out.OK || out.Generation != 3 {
		t.Errorf("%+v %v", out, err)
	}
	if out := w.reload(r, changed, admin.ReloadOptions{}); !out.OK || out.Generation != 4 {
		t.Errorf("%+v", out)
	}
}

// Generations that there are not are named, with where to look.
func TestNoSuchGeneration(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	_, before := r.Generation(t.Context(), -1)
	_, unknown := r.Generation(t.Context(), 99)
	_, back := r.Rollback(t.Context(), 0)
	_, far := r.Rollback(t.Context(), 7)
	got := []string{before.Error(), unknown.Error(), back.Error(), far.Error()}
	want := []string{
		"no such entry: generation 1 runs, and nothing is that far before it",
		"no such entry: generation 99 is not on record; syncd config history lists those that are",
		"no such entry: generation 1 runs, and nothing is that far before it",
		"no such entry: generation 7 is not on record; syncd config history lists those that are",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Files that differ and are put back are what runs again, whatever was wrong meanwhile.
func TestPutBack(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.manual() + ab)
	w.reload(r, "broken", admin.ReloadOptions{})
	w.write(w.manual() + ab)
	w.until(r, "not stale", func(s admin.Status) bool { return s.Stale == nil && s.Generation == 1 })
}
