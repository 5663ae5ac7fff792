package engine

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
)

// runs is a source that works in runs, as far as an operator can tell.
type runs struct {
	*fake
	report  component.Report
	trigger error
}

func (r *runs) Trigger() error {
	r.note("trigger %s", r.addr)
	return r.trigger
}

func (r *runs) Report() component.Report { return r.report }

func (r *runs) Checkpoint(value json.RawMessage) ([]component.Put, error) {
	var page int
	if err := json.Unmarshal(value, &page); err != nil {
		return nil, errors.New("write a page number")
	}
	return []component.Put{{Key: "cursor", Value: page}, {Key: "half"}}, nil
}

// withRuns adds source "runs", whose instances are as made.
func (w *world) withRuns(made func(f *fake) component.Source) {
	w.extra = append(w.extra, component.SourceKind("runs", "For tests.", func() *fakeConfig { return &fakeConfig{} },
		func(env component.Env, _ *fakeConfig) (component.Source, error) {
			return made(&fake{w, env.Address}), nil
		}))
}

const runsConf = `
source "runs" "a" {}
source "runs" "off" { enabled = false }
source "fake" "plain" {}
`

// detail is what the API says of err.
func detail(t *testing.T, err error) string {
	t.Helper()
	var p *admin.Problem
	if err != nil && !errors.As(err, &p) {
		t.Fatal(err)
	}
	if p == nil {
		return ""
	}
	return p.Detail
}

func TestTriggerAndReport(t *testing.T) {
	w := newWorld(t)
	next, last := time.Date(2026, 11, 26, 2, 30, 0, 0, time.UTC), time.Date(2026, 11, 25, 2, 30, 0, 0, time.UTC)
	source := &runs{report: component.Report{Next: next, Last: last, Error: "fetch page 3: 500", Note: "page 3 of a run"}}
	w.withRuns(func(f *fake) component.Source { source.fake = f; return source })
	r := w.start(runsConf)
	s, err := r.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := s.Sources[0]
	if a.State != admin.Running || a.LastError != "fetch page 3: 500" || a.Note != "page 3 of a run" || !a.NextRun.Equal(next) || !a.LastRun.Equal(last) {
		t.Errorf("%+v", a)
	}
	if p := s.Sources[2]; p.NextRun != nil || p.LastRun != nil || p.LastError != "" {
		t.Errorf("%+v", p)
	}
	for address, want := range map[string]string{
		"source.runs.a":     "",
		"source.runs.b":     "there is no source.runs.b; did you mean source.runs.a?",
		"source.poll.other": "there is no source.poll.other: syncd status shows all sources",
		"source.runs.off":   "source.runs.off is disabled",
		"source.fake.plain": "source.fake.plain has no runs to trigger: it takes what is sent to it",
	} {
		if got := detail(t, r.Trigger(t.Context(), address)); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	source.trigger = errors.New("a run is under way, for 3s now")
	if got := detail(t, r.Trigger(t.Context(), "source.runs.a")); got != "source.runs.a: a run is under way, for 3s now" {
		t.Error(got)
	}
}

// A checkpoint is shown, changed and forgotten, and never has two owners.
func TestCheckpointByHand(t *testing.T) {
	w := newWorld(t)
	w.withRuns(func(f *fake) component.Source { return &runs{fake: f} })
	var log strings.Builder
	w.change = func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }
	var owners sync.Mutex
	cursors := make(chan string, 1)
	w.run["source.runs.a"] = func(ctx context.Context, in component.Intake) error {
		if !owners.TryLock() {
			t.Error("two owners")
		}
		defer owners.Unlock()
		var cursor int
		found, err := in.Get(ctx, "cursor", &cursor)
		if err != nil {
			return err
		}
		if !found {
			files := []component.Put{{Key: "cursor", Value: 1}, {Key: "half", Value: "page 7"}, {Key: "file:a.csv", Value: map[string]int{"size": 3}}, {Key: "file:b.csv", Value: map[string]int{}}, {Key: "secret:token", Value: "planted"}}
			if _, err := in.Accept(ctx, component.Batch{State: files}); err != nil {
				return err
			}
			cursor = -1
		}
		text, _ := json.Marshal(cursor)
		cursors <- string(text)
		<-ctx.Done()
		return ctx.Err()
	}
	r := w.start(runsConf)
	same := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	same("at first", <-cursors, "-1")

	points, err := r.Checkpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []admin.Checkpoint{
		{Source: "source.runs.a", State: admin.Running, Entries: 5, Summary: "cursor 1, 2 file, half page 7, 1 secret"},
		{Source: "source.fake.plain", State: admin.Running},
	}
	if diff := cmp.Diff(want, points); diff != "" {
		t.Error(diff)
	}
	same("kept", w.kept(r, "source.runs.a"), `cursor=1 file:a.csv={"size":3} file:b.csv={} half="page 7" secret:token=null!`)

	for _, c := range []struct{ address, key, value, want string }{
		{"source.runs.a", "", `"two"`, "this is no checkpoint of source.runs.a: write a page number"},
		{"source.runs.a", "cursor", `"two"`, "cursor of source.runs.a is a number, and cannot become text"},
		{"source.runs.a", "curs", `2`, `source.runs.a keeps nothing under "curs": syncd checkpoint show tells what there is`},
		{"source.runs.off", "", `2`, "source.runs.off is disabled: enable it first, or name the key to change"},
		{"source.fake.plain", "", `2`, "source.fake.plain has no one place to go on from: name the key to change, as syncd checkpoint show tells it"},
		{"source.rums.a", "", `2`, "there is no source.rums.a; did you mean source.runs.a?"},
	} {
		same("refused", detail(t, r.SetCheckpoint(t.Context(), c.address, c.key, json.RawMessage(c.value))), c.want)
	}
	select {
	case <-cursors:
		t.Error("what was refused began a run")
	default:
	}

	same("set", detail(t, r.SetCheckpoint(t.Context(), "source.runs.a", "", json.RawMessage("42"))), "")
	same("it goes on from", <-cursors, "42")
	same("set a value", detail(t, r.SetCheckpoint(t.Context(), "source.runs.a", "file:a.csv", json.RawMessage(`{"size": 4}`))), "")
	same("it goes on from", <-cursors, "42")
	same("forget a value", detail(t, r.ResetCheckpoint(t.Context(), "source.runs.a", "file:b.csv")), "")
	same("it goes on from", <-cursors, "42")
	same("forget it again", detail(t, r.ResetCheckpoint(t.Context(), "source.runs.a", "file:b.csv")), `source.runs.a keeps nothing under "file:b.csv": syncd checkpoint show tells what there is`)
	same("kept", w.kept(r, "source.runs.a"), `cursor=42 file:a.csv={"size":4} secret:token=null!`)
	same("forget all", detail(t, r.ResetCheckpoint(t.Context(), "source.runs.a", "")), "")
	same("it begins anew", <-cursors, "-1")
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "by hand"); n != 4 || strings.Contains(log.String(), "planted") {
		t.Errorf("logged:\n%s", log.String())
	}
}

func (w *world) kept(r *running, source string) string {
	w.t.Helper()
	var parts []string
	for e, err := range r.Kept(w.t.Context(), source, "") {
		if err != nil {
			w.t.Fatal(err)
		}
		text := e.Key + "=" + string(e.Value)
		if e.Secret {
			text += "!"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}
