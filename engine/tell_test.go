package engine

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/admin"
)

// notebook is a log that can be read while it is written.
type notebook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notebook) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// lines are those of a level, without their times.
func (n *notebook) lines(level string) (list []string) {
	for l := range strings.Lines(n.String()) {
		if _, rest, ok := strings.Cut(strings.TrimSpace(l), "level="+level+" "); ok {
			list = append(list, rest)
		}
	}
	return list
}

// logged has the engines of w write into a notebook.
func (w *world) logged() *notebook {
	n := &notebook{}
	w.change = func(o *Options) { o.Log = slog.New(slog.NewTextHandler(n, nil)) }
	return n
}

// A refused configuration has a line for each mistake, a taken one a line for each
// change, without empty attributes.
func TestReloadLog(t *testing.T) {
	w := newWorld(t)
	log := w.logged()
	r := w.start(w.manual() + ab)
	for range 2 {
		w.reload(r, strings.NewReplacer("sink.fake.s", "sink.fake.nope", "source.fake.b", "source.fake.nope").Replace(ab), admin.ReloadOptions{})
	}
	place := w.path()
	var want []string
	for _, attempt := range []string{"1", "2"} {
		want = append(want,
			`msg="the configuration is not taken over; the old one goes on" generation=1 error="`+place+`:12:10: there is no sink.fake.nope (and 1 more)" attempts=`+attempt,
			`msg="mistake in the configuration" place=`+place+`:12:10 summary="there is no sink.fake.nope" detail="Declared are flow.a, flow.b, sink.fake.s, sink.fake.t."`,
			`msg="mistake in the configuration" place=`+place+`:15:10 summary="there is no source.fake.nope" detail="Declared are source.fake.a, source.fake.b."`)
	}
	if diff := cmp.Diff(want, log.lines("ERROR")); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	s, err := r.Status(t.Context())
	if err != nil || s.Stale == nil || !strings.Contains(s.Stale.Diagnostics, "Declared are flow.a") {
		t.Errorf("the status lacks the full text: %+v %v", s.Stale, err)
	}
	if out := w.reload(r, ab+"connection \"fake\" \"c\" {}\n", admin.ReloadOptions{}); !out.OK {
		t.Fatal(out.Error)
	}
	if all := log.String(); !strings.Contains(all, `msg="component start" component=connection.fake.c reason=new`+"\n") || strings.Contains(all, `=""`) {
		t.Errorf("logged:\n%s", all)
	}
}

// hearer is a manager that remembers what it was told.
type hearer struct {
	mu   sync.Mutex
	told []string
}

func (h *hearer) tell(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, s)
}

func (h *hearer) Ready(status string)                     { h.tell("ready: " + status) }
func (h *hearer) Reloading(string)                        { h.tell("reloading") }
func (h *hearer) Stopping(status string, _ time.Duration) { h.tell("stopping") }
func (h *hearer) Keep(ctx context.Context, _ func(context.Context) error, _ func(context.Context) string) {
	<-ctx.Done()
}

// The manager hears of every reload how the daemon stands after it.
func TestReloadIsToldToManager(t *testing.T) {
	w := newWorld(t)
	h := &hearer{}
	w.change = func(o *Options) { o.Manager = h }
	r := w.start(w.manual() + ab)
	w.reload(r, "broken", admin.ReloadOptions{})
	w.reload(r, ab+"source \"fake\" \"c\" {}\n", admin.ReloadOptions{})
	if _, err := r.Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	w.reload(r, ab, admin.ReloadOptions{})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range h.told {
		got = append(got, strings.ReplaceAll(s, w.path(), "PATH"))
	}
	const well = "running: 2 sources, 2 flows, 0 accepted, 0 pending"
	want := []string{
		"ready: " + well,
		"reloading", "ready: NOT WHAT THE FILES SAY (generation 1 runs): PATH:5:1: broken has no value; " + well,
		"reloading", "ready: running: 3 sources, 2 flows, 0 accepted, 0 pending",
		"reloading", "ready: NOT WHAT THE FILES SAY (generation 3 runs): generation 3 was brought back; the files say something else; " + well,
		"reloading", "ready: " + well, "stopping",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
