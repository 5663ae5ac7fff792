// Package schedule is the source that brings an event whenever it is time: the
// daemon's crontab.
package schedule

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/schedule"
)

//go:embed page.md
var page string

// Kind declares source "schedule".
func Kind() component.Kind {
	return component.SourceKind("schedule", "Brings an event whenever it is time.", newConfig, open).WithPage(page)
}

// Config is the block of a schedule.
type Config struct {
	schedule.Config
	Body any `hcl:"body" doc:"The body of each event." default:"{}" example:"{ job = \"export\" }"`
}

func newConfig() *Config { return &Config{Body: map[string]any{}} }

// Validate checks what tags cannot say.
func (c *Config) Validate(p *component.Problems) { c.Check(p, true) }

// source is one schedule.
type source struct {
	*schedule.Runner
	now  func() time.Time
	cron bool
	body []byte
}

var (
	_ component.Source       = (*source)(nil)
	_ component.Triggered    = (*source)(nil)
	_ component.Reporter     = (*source)(nil)
	_ component.Checkpointed = (*source)(nil)
)

func open(env component.Env, c *Config) (component.Source, error) {
	body, err := format.AppendJSON(nil, c.Body)
	if err != nil {
		return nil, fmt.Errorf("encode body: %w", err)
	}
	r, err := schedule.New(schedule.Options{Config: c.Config, Log: env.Log, Now: env.Now})
	if err != nil {
		return nil, err
	}
	return &source{Runner: r, now: env.Now, cron: c.Cron != "", body: body}, nil
}

// Run brings an event for each run. It and the news that the run is done are one
// commit, so that no kill loses or doubles it.
func (s *source) Run(ctx context.Context, in component.Intake) error {
	return s.Runner.Run(ctx, in, func(ctx context.Context, due schedule.Due) error {
		_, err := in.Accept(ctx, component.Batch{Drafts: []component.Draft{s.draft(due)}, State: due.Done()})
		return err
	})
}

func (s *source) draft(due schedule.Due) component.Draft {
	return component.Draft{ContentType: "application/json", Raw: s.body, Meta: map[string]any{"schedule": map[string]any{
		"time": due.Time.Format(time.RFC3339Nano), "made_up": due.MadeUp, "triggered": due.Triggered,
	}}}
}

// Checkpoint takes a time: what was due until then counts as done.
func (s *source) Checkpoint(value json.RawMessage) ([]component.Put, error) {
	var until time.Time
	switch err := json.Unmarshal(value, &until); {
	case !s.cron:
		return nil, errors.New("it runs by every, which begins anew at each start and remembers nothing")
	case err != nil:
		return nil, errors.New(`write the time until which all is done, "2026-11-25T02:30:00Z"; of what was due after it, the last run is made up`)
	case until.After(s.now()):
		return nil, fmt.Errorf("%s lies ahead, and what is to come cannot be done", until.Format(time.RFC3339))
	}
	return []component.Put{s.Since(until)}, nil
}
