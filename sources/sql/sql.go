// Package sql is the source that reads rows of a database: what is new by a column that
// grows, or all, of which only what has changed becomes events.
//
// What it reads goes in pieces to the intake, each together with the mark that covers
// it: the column's value of the last row, and which rows of that value are on disk. So a
// run goes on anywhere, also between rows of one value, and finds those that get the
// same value later.
package sql

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/schedule"
)

//go:embed page.md
var page string

// Kind declares source "sql".
func Kind() component.Kind {
	return component.SourceKind("sql", "Reads rows of a database: what is new by a column, or what has changed.", newConfig, open).WithPage(page).OfRecords()
}

type source struct {
	*schedule.Runner
	cfg  *Config
	db   *conn.DB
	log  *slog.Logger
	rows atomic.Int64 // of the run under way
}

var (
	_ component.Source       = (*source)(nil)
	_ component.Triggered    = (*source)(nil)
	_ component.Reporter     = (*source)(nil)
	_ component.Checkpointed = (*source)(nil)
)

func open(env component.Env, cfg *Config) (component.Source, error) {
	db, err := component.Connect[*conn.DB](env, cfg.Connection)
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", cfg.Connection.Address, err)
	}
	if db.Dialect == conn.SQLite && cfg.Cursor != nil && cfg.Cursor.Overlap > 0 {
		return nil, errors.New("cursor.overlap: SQLite commits one transaction after the other, and none shows late; leave it out")
	}
	runner, err := schedule.New(schedule.Options{Config: cfg.Config, Log: env.Log, Now: env.Now, Retry: cfg.Retry.Options()})
	if err != nil {
		return nil, err
	}
	return &source{Runner: runner, cfg: cfg, db: db, log: env.Log}, nil
}

// Run runs whenever the schedule says so, until ctx ends.
func (s *source) Run(ctx context.Context, in component.Intake) error {
	return s.Runner.Run(ctx, in, func(ctx context.Context, due schedule.Due) error {
		s.rows.Store(0)
		defer s.rows.Store(0)
		r, err := s.load(ctx, in, due)
		if err != nil {
			return err
		}
		for more := true; more; {
			if more, err = r.page(ctx); err != nil {
				return err
			}
		}
		s.log.Debug("run complete", "records", s.rows.Load())
		return nil
	})
}

// Report tells how the source stands.
func (s *source) Report() component.Report {
	r := s.Runner.Report()
	if n := s.rows.Load(); n > 0 {
		r.Note = fmt.Sprintf("%s, %d rows so far", r.Note, n)
	}
	return r
}
