// Package poll is the source that asks an HTTP API for records, page by page, and
// remembers how far it has come: in the middle of a page, of a run, and from one
// run to the next.
//
// A run reads pages, one after the other; what it reads goes in pieces to the
// intake, each together with the place behind it (see progress). Whatever breaks a
// run, the next attempt goes on at the last such place. Only when the last page has
// been taken in, the cursor moves, in the same commit.
package poll

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/schedule"
)

//go:embed page.md
var page string

// Kind declares source "poll".
func Kind() component.Kind {
	return component.SourceKind("poll", "Asks an HTTP API for records, page by page, and remembers how far it has come.", newConfig, open).WithPage(page).OfRecords()
}

type source struct {
	*schedule.Runner
	cfg    *Config
	client *conn.Client
	log    *slog.Logger
	now    func() time.Time
	ids    time.Duration // for which they are remembered; 0: there are none
	asker  asker
	shape  shape

	// Of the attempts of one run.
	seen    trail
	refused int  // how often the server has refused a place in a row
	held    bool // the intake has said "later"

	mu   sync.Mutex
	note string
}

var (
	_ component.Source    = (*source)(nil)
	_ component.Triggered = (*source)(nil)
	_ component.Reporter  = (*source)(nil)
	_ component.Previewer = (*source)(nil)
)

func open(env component.Env, cfg *Config) (component.Source, error) {
	client, err := component.Connect[*conn.Client](env, cfg.Connection)
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", cfg.Connection.Address, err)
	}
	runner, err := schedule.New(schedule.Options{
		Config: cfg.Config, Log: env.Log, Now: env.Now,
		Retry: cfg.Retry.Options(),
	})
	if err != nil {
		return nil, err
	}
	return &source{
		Runner: runner, cfg: cfg, client: client, log: env.Log, now: env.Now, ids: env.Remembers,
		asker: newAsker(cfg, client), shape: newShape(cfg, client.Judges()),
	}, nil
}

// Run runs whenever the schedule says so, until ctx ends.
func (s *source) Run(ctx context.Context, in component.Intake) error {
	s.seen, s.refused, s.held = trail{}, 0, false
	return s.Runner.Run(ctx, in, func(ctx context.Context, due schedule.Due) error {
		defer s.tell("")
		return s.run(ctx, in, due)
	})
}

// run goes on with a run until it is complete or an attempt gets nowhere.
func (s *source) run(ctx context.Context, in component.Intake, due schedule.Due) error {
	for {
		moved, err := s.attempt(ctx, in, due)
		if err == nil || !moved || ctx.Err() != nil || isLater(err) {
			return err
		}
		pause := max(component.Wait(err), s.cfg.Retry.Initial)
		s.log.Warn("run interrupted; it goes on where it was", "error", err, "in", pause)
		s.tell("a run goes on in %s, after: %v", pause, err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Report tells how the source stands.
func (s *source) Report() component.Report {
	r := s.Runner.Report()
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Note = s.note
	return r
}

func (s *source) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note = fmt.Sprintf(format, args...)
}
