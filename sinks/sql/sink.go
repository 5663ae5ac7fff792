// Package sql is the sink that does with each event something to a table of a
// database, each event exactly once.
package sql

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
)

//go:embed page.md
var page string

// Kind declares sink "sql".
var Kind = component.SinkKind("sql", "Writes events to a table: inserts, upserts, updates, deletes.", newConfig, open).WithPage(page)

// maxBatch is how many events share a transaction.
const maxBatch = 4000

// maxTries of a call that another daemon gets in the way of.
const maxTries = 10

type sink struct {
	cfg   *Config
	log   *slog.Logger
	state component.State
	db    *conn.DB

	mu        sync.Mutex
	statement compiled
	table     *table // nil: not described yet, or a statement
	rower     *rower
	progress  *progress
	known     bool // progress is what the database says
	copied    int  // the bytes that the last COPY was sent
}

var (
	_ component.Pipelined = (*sink)(nil)
	_ component.Settler   = (*sink)(nil)
	_ component.Shaped    = (*sink)(nil)
)

func open(env component.Env, cfg *Config) (component.Sink, error) {
	db, err := component.Connect[*conn.DB](env, cfg.Connection)
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", cfg.Connection.Address, err)
	}
	s := &sink{cfg: cfg, log: env.Log, state: env.State, db: db, progress: newProgress(db, env.Address)}
	if cfg.Statement != "" {
		s.statement = compile(db.Dialect, cfg.Statement)
		s.rower, err = newRower(cfg, nil, s.statement.names)
	}
	return s, err
}

// MaxBatch is how many events share a transaction.
func (s *sink) MaxBatch() int { return maxBatch }

// TakesRows says that columns are found in rows as in objects.
func (s *sink) TakesRows() {}

// Forget makes the next call ask the database what has been done.
func (s *sink) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = false
	s.progress.unsettled = nil
}

// Pipelines unless the database must be asked what has been done.
func (s *sink) Pipelines() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known
}

// Settled takes note that what the calls did is on record.
func (s *sink) Settled() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress.settle(0)
}

// Deliver stores the events, in their order, in one transaction if all can be stored.
func (s *sink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress.settle(1)
	for try := 1; ; try++ {
		var c call
		errs, err := s.deliver(ctx, ds, &c)
		if !isTakenOver(err) || try == maxTries {
			return component.Result{Errors: errs, State: s.progress.end(&c)}
		}
	}
}

// deliver gives the error of each event, and what kept it from storing all.
func (s *sink) deliver(ctx context.Context, ds []component.Delivery, c *call) ([]error, error) {
	if err := s.ready(ctx, ds); err != nil {
		return component.AllFailed(len(ds), err).Errors, err
	}
	errs := make([]error, len(ds))
	rows := make([]row, 0, len(ds))
	for i := range ds {
		id := idOf(ds[i].ID)
		if s.progress.isDone(id, c) {
			continue
		}
		r, err := s.rower.row(ds[i].Event)
		if err != nil {
			errs[i] = component.Permanent(err)
			continue
		}
		r.at, r.id = i, id
		rows = append(rows, r)
	}
	err := s.write(ctx, rows, errs, c)
	if err != nil {
		s.doubt(err)
	}
	return errs, err
}

// doubt: after an error that is no row's, a commit may have come through, and the
// table be another.
func (s *sink) doubt(err error) {
	s.known = false
	if conn.FaultOf(err) == conn.Setup && s.cfg.Statement == "" {
		s.table = nil
	}
}

// ready asks the database what there is to know before the first event, or again.
func (s *sink) ready(ctx context.Context, ds []component.Delivery) error {
	if !s.known {
		if err := s.progress.load(ctx, s.state); err != nil {
			return err
		}
		s.known = true
	}
	if s.table != nil || s.cfg.Statement != "" {
		return nil
	}
	t, err := s.describe(ctx, ds)
	if err != nil {
		return err
	}
	r, err := newRower(s.cfg, t, nil)
	if err != nil {
		return err
	}
	s.table, s.rower = t, r
	return nil
}

func (s *sink) describe(ctx context.Context, ds []component.Delivery) (*table, error) {
	t, err := describe(ctx, s.db, s.cfg.Table, s.cfg.Key)
	switch {
	case !errors.Is(err, errNoTable):
		return t, err
	case !s.cfg.CreateTable:
		return nil, component.Unwell(fmt.Errorf("there is no table %s: make it, or write create_table = true", s.cfg.Table))
	}
	if err := s.create(ctx, ds); err != nil {
		return nil, err
	}
	return describe(ctx, s.db, s.cfg.Table, s.cfg.Key)
}
