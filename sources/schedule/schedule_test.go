package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a journal of one source. The bubble's clock begins at midnight,
// 2000-01-01 UTC.
type store struct {
	state   map[string]json.RawMessage
	batches [][2]int // events and puts of each commit
	events  []string
	later   int
}

func (s *store) Get(_ context.Context, key string, v any) (bool, error) {
	if raw, ok := s.state[key]; ok {
		return true, json.Unmarshal(raw, v)
	}
	return false, nil
}

func (s *store) Accept(_ context.Context, b component.Batch) ([]component.Accepted, error) {
	if len(b.Drafts) > 0 && s.later > 0 {
		s.later--
		return nil, &component.LaterError{Reason: "disk full", After: time.Hour}
	}
	for _, p := range b.State {
		s.state[p.Key], _ = json.Marshal(p.Value)
	}
	for _, d := range b.Drafts {
		meta, _ := json.Marshal(d.Meta)
		s.events = append(s.events, string(d.Raw)+" "+string(meta))
	}
	s.batches = append(s.batches, [2]int{len(b.Drafts), len(b.State)})
	return nil, nil
}

func (s *store) Refused(int) {}

func live(t *testing.T, s *store, c *Config, d time.Duration) {
	t.Helper()
	src, err := open(component.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now}, c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	if err := src.Run(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
}

func nightly() *Config {
	return &Config{Config: schedule.Config{Cron: "30 2 * * *", Timezone: "UTC"}, Body: map[string]any{"job": "export"}}
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{state: map[string]json.RawMessage{}}
		live(t, s, nightly(), 3*time.Hour)
		time.Sleep(48 * time.Hour)
		live(t, s, nightly(), time.Hour)
		want := []string{
			`{"job":"export"} {"schedule":{"made_up":false,"time":"2000-01-01T02:30:00Z","triggered":false}}`,
			`{"job":"export"} {"schedule":{"made_up":true,"time":"2000-01-03T02:30:00Z","triggered":false}}`,
		}
		if diff := cmp.Diff(want, s.events); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([][2]int{{0, 1}, {1, 1}, {1, 1}}, s.batches); diff != "" {
			t.Errorf("event and news are not one commit: %s", diff)
		}
	})
}

func TestWaitsForTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{state: map[string]json.RawMessage{}, later: 5}
		live(t, s, nightly(), 24*time.Hour)
		if len(s.events) != 1 {
			t.Errorf("events: %v", s.events)
		}
	})
}

func TestCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, err := open(component.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now}, nightly())
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []string{`"yesterday"`, `7`, `{}`, `"2000-01-01T00:00:01Z"`} {
			if _, err := src.(component.Checkpointed).Checkpoint(json.RawMessage(wrong)); err == nil {
				t.Errorf("%s was taken", wrong)
			}
		}
		puts, err := src.(component.Checkpointed).Checkpoint(json.RawMessage(`"1999-12-30T00:00:00+01:00"`))
		if err != nil {
			t.Fatal(err)
		}
		s := &store{state: map[string]json.RawMessage{}}
		s.Accept(t.Context(), component.Batch{State: puts})
		live(t, s, nightly(), time.Minute)
		want := []string{`{"job":"export"} {"schedule":{"made_up":true,"time":"1999-12-31T02:30:00Z","triggered":false}}`}
		if diff := cmp.Diff(want, s.events); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEveryHasNoCheckpoint(t *testing.T) {
	src, err := open(component.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now}, &Config{Config: schedule.Config{Every: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.(component.Checkpointed).Checkpoint(json.RawMessage(`"2026-11-25T00:00:00Z"`)); err == nil {
		t.Error("every took a checkpoint")
	}
}
