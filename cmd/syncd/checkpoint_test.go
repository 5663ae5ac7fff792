package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/admin"
)

// What a daemon of other tests is told of sources by hand, it notes.
func (f *fake) note(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
	return nil
}

func (f *fake) Trigger(_ context.Context, source string) error { return f.note("trigger %s", source) }

func (f *fake) Checkpoints(context.Context) ([]admin.Checkpoint, error) { return f.points, nil }

func (f *fake) Kept(_ context.Context, source, prefix, after string, limit int) ([]admin.Kept, error) {
	if source == "source.poll.none" {
		return nil, admin.ErrNotFound
	}
	var page []admin.Kept
	for _, e := range f.kept {
		if strings.HasPrefix(e.Key, prefix) && e.Key > after && len(page) < limit {
			page = append(page, e)
		}
	}
	return page, nil
}

func (f *fake) SetCheckpoint(_ context.Context, source, key string, value json.RawMessage) error {
	return f.note("set %s %q %s", source, key, value)
}

func (f *fake) ResetCheckpoint(_ context.Context, source, key string) error {
	return f.note("reset %s %q", source, key)
}

func withCheckpoints() *fake {
	return &fake{
		points: []admin.Checkpoint{
			{Source: "source.poll.orders", State: admin.Running, Entries: 1, Summary: "cursor 2026-11-25T02:30:00Z"},
			{Source: `source.files.in["cl"]`, State: admin.Disabled, Entries: 1204, Summary: "1204 file"},
		},
		kept: []admin.Kept{
			{Key: "cursor", Value: json.RawMessage(`"2026-11-25T02:30:00Z"`)},
			{Key: "file:a.csv", Value: json.RawMessage(`{"size":3}`)},
			{Key: "secret:token", Secret: true},
		},
	}
}

func TestCheckpointTexts(t *testing.T) {
	at := serve(t, withCheckpoints())
	for args, want := range map[string]string{
		"checkpoint list": `SOURCE                 STATE     VALUES  CHECKPOINT
source.poll.orders     running        1  cursor 2026-11-25T02:30:00Z
source.files.in["cl"]  disabled    1204  1204 file
`,
		"checkpoint show poll.orders": `KEY           VALUE
cursor        "2026-11-25T02:30:00Z"
file:a.csv    {"size":3}
secret:token  (sensitive)
`,
		"checkpoint show poll.orders file:":     "KEY         VALUE\nfile:a.csv  {\"size\":3}\n",
		"checkpoint show poll.orders x":         "source.poll.orders keeps nothing under \"x\".\n",
		"checkpoint set poll.orders 7":          "source.poll.orders goes on from there.\n",
		"checkpoint reset poll.orders":          "source.poll.orders has forgotten how far it had come, and begins anew.\n",
		"checkpoint reset poll.orders file:a":   "source.poll.orders has forgotten file:a.\n",
		"checkpoint reset --json poll.orders k": "{\n  \"key\": \"k\",\n  \"source\": \"source.poll.orders\"\n}\n",
		"trigger poll.orders":                   "source.poll.orders runs now.\n",
		"trigger poll.orders --json":            "{\n  \"source\": \"source.poll.orders\"\n}\n",
	} {
		code, out, stderr := syncd(append(strings.Fields(args), at)...)
		if diff := cmp.Diff(want, out); diff != "" || code != exitOK {
			t.Errorf("%s: code %d, %s%s", args, code, stderr, diff)
		}
	}
	if code, out, _ := syncd("checkpoint", "list", serve(t, &fake{})); code != exitOK || !strings.HasPrefix(out, "No checkpoints") {
		t.Errorf("without any: %d %s", code, out)
	}
	if code, _, stderr := syncd("checkpoint", "show", "poll.none", at); code != exitWrong || !strings.Contains(stderr, "no such entry") {
		t.Errorf("of an unknown one: %d %s", code, stderr)
	}
}

func TestCheckpointJSON(t *testing.T) {
	f := withCheckpoints()
	at := serve(t, f)
	var points []admin.Checkpoint
	var kept []admin.Kept
	for args, into := range map[string]any{"checkpoint list --json": &points, "checkpoint show --json source.poll.orders": &kept} {
		if _, out, _ := syncd(append(strings.Fields(args), at)...); json.Unmarshal([]byte(out), into) != nil {
			t.Errorf("%s: %s", args, out)
		}
	}
	if diff := cmp.Diff(f.points, points); diff != "" {
		t.Error(diff)
	}
	f.kept[2].Value = json.RawMessage("null")
	if diff := cmp.Diff(f.kept, kept); diff != "" {
		t.Error(diff)
	}
}

// A value is JSON, and anything else is text.
func TestCheckpointValues(t *testing.T) {
	f := withCheckpoints()
	at := serve(t, f)
	for _, args := range [][]string{
		{"set", "poll.orders", "2026-11-01T00:00:00Z"}, {"set", "poll.orders", "4711"}, {"set", "poll.orders", `"4711"`},
		{"set", "files.in[cl]", "file:a.csv", ` {"size": 4} `}, {"set", "poll.orders", `say "x"`}, {"reset", "poll.orders", "k"},
	} {
		if code, _, stderr := syncd(append(append([]string{"checkpoint"}, args...), at)...); code != exitOK {
			t.Errorf("%q: %s", args, stderr)
		}
	}
	want := []string{
		`set source.poll.orders "" "2026-11-01T00:00:00Z"`, `set source.poll.orders "" 4711`, `set source.poll.orders "" "4711"`,
		`set source.files.in["cl"] "file:a.csv" {"size":4}`, `set source.poll.orders "" "say \"x\""`, `reset source.poll.orders "k"`,
	}
	if diff := cmp.Diff(want, f.notes); diff != "" {
		t.Error(diff)
	}
}

func TestStatusShowsRuns(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	next, last := now.Add(4*time.Minute), now.Add(-time.Hour)
	s := admin.Status{Sources: []admin.SourceStatus{
		{Address: "source.webhook.w", State: admin.Running},
		{Address: "source.poll.orders", State: admin.Running, NextRun: &next, LastRun: &last, LastError: "fetch page 3: 500"},
		{Address: "source.poll.long", State: admin.Running, Note: "page 12 of a run"},
		{Address: "source.poll.new", State: admin.Running, NextRun: &next},
		{Address: "source.smtp.inbox", State: admin.Running, Note: "2 connections"},
	}}
	var b strings.Builder
	if err := writeStatus(&b, s, now); err != nil {
		t.Fatal(err)
	}
	want := `
SOURCE              NEXT RUN  LAST RUN  NOTE
source.poll.orders  in 4m     1h ago
source.poll.long    -         -         page 12 of a run
source.poll.new     in 4m     never
source.smtp.inbox   -         -         2 connections
`
	if !strings.HasSuffix(b.String(), want) || !strings.Contains(b.String(), "never       fetch page 3: 500\n") {
		t.Errorf("shown:\n%s", b.String())
	}
}
