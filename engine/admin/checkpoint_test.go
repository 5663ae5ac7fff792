package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// keeper is a Daemon of one source with what it keeps; it notes what is done by hand.
type keeper struct {
	fake
	points []Checkpoint
	kept   []Kept
	notes  []string
	err    error
}

func (k *keeper) Trigger(_ context.Context, source string) error {
	k.notes = append(k.notes, "trigger "+source)
	return k.err
}

func (k *keeper) Checkpoints(context.Context) ([]Checkpoint, error) { return k.points, k.err }

func (k *keeper) Kept(_ context.Context, source, prefix, after string, limit int) ([]Kept, error) {
	if source != "source.a.b" {
		return nil, fmt.Errorf("no %s: %w", source, ErrNotFound)
	}
	var page []Kept
	for _, e := range k.kept {
		if strings.HasPrefix(e.Key, prefix) && e.Key > after && len(page) < limit {
			page = append(page, e)
		}
	}
	return page, nil
}

func (k *keeper) SetCheckpoint(_ context.Context, source, key string, value json.RawMessage) error {
	k.notes = append(k.notes, fmt.Sprintf("set %s %q %s", source, key, value))
	return k.err
}

func (k *keeper) ResetCheckpoint(_ context.Context, source, key string) error {
	k.notes = append(k.notes, fmt.Sprintf("reset %s %q", source, key))
	return k.err
}

// What a Daemon of other tests does with sources by hand: nothing.
func (f *fake) Trigger(context.Context, string) error             { return ErrNotFound }
func (f *fake) Checkpoints(context.Context) ([]Checkpoint, error) { return nil, nil }
func (f *fake) Kept(context.Context, string, string, string, int) ([]Kept, error) {
	return nil, ErrNotFound
}
func (f *fake) SetCheckpoint(context.Context, string, string, json.RawMessage) error {
	return ErrNotFound
}
func (f *fake) ResetCheckpoint(context.Context, string, string) error { return ErrNotFound }

func TestCheckpoints(t *testing.T) {
	expires := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	k := &keeper{points: []Checkpoint{{Source: "source.a.b", State: Running, Entries: 2, Summary: "cursor 7"}}}
	k.kept = []Kept{{Key: "cursor", Value: json.RawMessage("7"), Expires: &expires}}
	for n := range 3 * pageSize {
		k.kept = append(k.kept, Kept{Key: fmt.Sprintf("file:%06d", n), Value: json.RawMessage(`"x"`)})
	}
	k.kept = append(k.kept, Kept{Key: "secret:token", Value: json.RawMessage("null"), Secret: true})
	c, _ := start(t, k)
	points, err := c.Checkpoints(t.Context())
	if diff := cmp.Diff(k.points, points); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for prefix, want := range map[string][]Kept{"": k.kept, "file:": k.kept[1 : len(k.kept)-1], "none": nil} {
		var got []Kept
		for e, err := range c.Kept(t.Context(), "source.a.b", prefix) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", prefix, diff)
		}
	}
	for _, err := range c.Kept(t.Context(), "source.a.c", "") {
		var p *Problem
		if !errors.As(err, &p) || p.Status != http.StatusNotFound {
			t.Errorf("of an unknown source: %v", err)
		}
	}
}

func TestByHand(t *testing.T) {
	k := &keeper{}
	c, _ := start(t, k)
	act := func() []error {
		return []error{
			c.Trigger(t.Context(), "source.a.b"),
			c.SetCheckpoint(t.Context(), "source.a.b", "", json.RawMessage(`{"a": 1}`)),
			c.SetCheckpoint(t.Context(), `source.a.b["cl"]`, "k", json.RawMessage("7")),
			c.ResetCheckpoint(t.Context(), "source.a.b", "k"),
			c.ResetCheckpoint(t.Context(), "source.a.b", ""),
		}
	}
	if err := errors.Join(act()...); err != nil {
		t.Fatal(err)
	}
	want := []string{"trigger source.a.b", `set source.a.b "" {"a":1}`, `set source.a.b["cl"] "k" 7`, `reset source.a.b "k"`, `reset source.a.b ""`}
	if diff := cmp.Diff(want, k.notes); diff != "" {
		t.Error(diff)
	}
	for kind, status := range map[error]int{ErrNotFound: 404, ErrNoPlace: 409, ErrUnfit: 400, ErrStopping: 503} {
		k.err = fmt.Errorf("words of its own: %w", kind)
		for _, err := range act() {
			var p *Problem
			if !errors.As(err, &p) || p.Status != status || p.Detail != k.err.Error() {
				t.Errorf("%v: %v", kind, err)
			}
		}
	}
}

func TestLineNamesRunsThatFail(t *testing.T) {
	s := Status{Sources: []SourceStatus{{Address: "source.poll.orders", State: Running, LastError: "fetch page 3: 500", Stale: true}}}
	if got := s.Line(); !strings.HasSuffix(got, "; runs of source.poll.orders fail: fetch page 3: 500") {
		t.Error(got)
	}
}
