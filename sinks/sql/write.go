package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
)

// The pause before a transaction that lost against another one is begun anew.
const (
	firstPause   = 10 * time.Millisecond
	longestPause = 500 * time.Millisecond
)

// culprit is the error of one row, where the database tells which, or of one among count.
type culprit struct {
	error
	n, count int
}

func (c culprit) Unwrap() error { return c.error }

// write stores the rows, in as few transactions as that takes: a row that cannot be
// stored fails alone, and those before and behind it get transactions of their own.
// Past an error that is no row's, nothing more is tried.
func (s *sink) write(ctx context.Context, rows []row, errs []error, c *call) error {
	if len(rows) == 0 {
		return nil
	}
	err := s.transaction(ctx, rows, c)
	if err == nil {
		return nil
	}
	if !isRows(err) {
		s.fail(rows, errs, err)
		return err
	}
	if len(rows) == 1 {
		errs[rows[0].at] = component.Permanent(s.explain(err))
		return nil
	}
	var stop error
	for _, part := range split(rows, err) {
		if stop != nil {
			s.fail(part, errs, stop)
			continue
		}
		stop = s.write(ctx, part, errs, c)
	}
	return stop
}

// isRows tells whether the error is a row's own.
func isRows(err error) bool { return errors.Is(err, errNoRow) || conn.FaultOf(err) == conn.Row }

// fail gives all the rows an error that is not theirs.
func (s *sink) fail(rows []row, errs []error, err error) {
	for i := range rows {
		errs[rows[i].at] = s.explain(err)
	}
}

// split takes out the culprit, or those among whom it is, or halves.
func split(rows []row, err error) [][]row {
	var c culprit
	if errors.As(err, &c) && c.n >= 0 && c.n+c.count <= len(rows) && c.count < len(rows) {
		return [][]row{rows[:c.n], rows[c.n : c.n+c.count], rows[c.n+c.count:]}
	}
	half := len(rows) / 2
	return [][]row{rows[:half], rows[half:]}
}

// transaction stores the rows, all or none. While it loses against others, by a
// deadlock, say, it is begun anew.
func (s *sink) transaction(ctx context.Context, rows []row, c *call) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		e := newEntry(rows)
		err := s.attempt(ctx, rows, e)
		if err == nil {
			c.made = append(c.made, e.batch)
			s.progress.settled = nil
			return nil
		}
		if conn.FaultOf(err) != conn.Conflict {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(pause)):
		}
	}
}

func (s *sink) attempt(ctx context.Context, rows []row, e entry) error {
	if s.db.Dialect == conn.Postgres {
		return s.attemptPostgres(ctx, rows, e)
	}
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing, after a commit
	if err := s.progress.begin(ctx, tx, e); err != nil {
		return err
	}
	done := 0
	for _, run := range runs(rows) {
		if err := s.store(ctx, c, tx, run, done); err != nil {
			return err
		}
		done += len(run)
	}
	return tx.Commit()
}

const (
	// maxParams of one statement, if the driver must prepare it.
	maxParams = 65_535
	// maxBytes of values in one statement, so that it fits into a small max_allowed_packet.
	maxBytes = 512 << 10
)

// store runs what the rows, which are alike, ask for. Before them come so many others
// of the transaction.
func (s *sink) store(ctx context.Context, c *sql.Conn, tx *sql.Tx, rows []row, before int) error {
	switch adds := rows[0].mode == insert || rows[0].mode == upsert; {
	case adds && s.db.Dialect == conn.MySQL:
		return s.storeMany(ctx, tx, rows)
	case adds && s.db.Dialect == conn.SQLite:
		return s.insertSQLite(ctx, c, rows, before)
	}
	stmt, err := s.prepare(ctx, tx, &rows[0])
	if err != nil {
		return err
	}
	defer stmt.close()
	run := ctx
	if s.db.Dialect == conn.SQLite { // waits for nobody here, and its driver has a goroutine watch each ctx that can end
		run = context.WithoutCancel(ctx)
	}
	for i := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		result, err := stmt.exec(run, rows[i].values)
		if err == nil && rows[i].mode == update {
			err = affected(result)
		}
		if err != nil {
			return culprit{err, before + i, 1}
		}
	}
	return nil
}

func affected(r sql.Result) error {
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		err = errNoRow
	}
	return err
}

// storeMany puts as many rows as go into each INSERT: what counts with MySQL is how
// often one waits for its answer.
func (s *sink) storeMany(ctx context.Context, tx *sql.Tx, rows []row) error {
	var args []any
	width := len(rows[0].columns)
	n, size := 0, 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, s.table.sentence(rows[0].mode, rows[0].columns, n), args...)
		args, n, size = args[:0], 0, 0
		return err
	}
	for i := range rows {
		bytes := weight(rows[i].values)
		if (n+1)*width > maxParams || n > 0 && size+bytes > maxBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		args = append(args, rows[i].values...)
		n, size = n+1, size+bytes
	}
	return flush()
}

// weight of values in bytes, about.
func weight(values []any) int {
	n := 0
	for _, v := range values {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += 2 * len(v)
		}
		n += 8
	}
	return n
}

// prepared is a statement that is run for several rows.
type prepared struct {
	stmt *sql.Stmt // nil: the driver puts the values into the text by itself
	tx   *sql.Tx
	text string
}

func (s *sink) prepare(ctx context.Context, tx *sql.Tx, r *row) (*prepared, error) {
	text := s.statement.text
	if r.mode != "" {
		text = s.table.sentence(r.mode, r.columns, 1)
	}
	if s.db.Dialect == conn.MySQL {
		return &prepared{tx: tx, text: text}, nil
	}
	stmt, err := tx.PrepareContext(ctx, text)
	return &prepared{stmt: stmt}, err
}

func (p *prepared) exec(ctx context.Context, values []any) (sql.Result, error) {
	if p.stmt == nil {
		return p.tx.ExecContext(ctx, p.text, values...)
	}
	return p.stmt.ExecContext(ctx, values...)
}

func (p *prepared) close() {
	if p.stmt != nil {
		p.stmt.Close()
	}
}

// explain puts a row's or the database's error into words.
func (s *sink) explain(err error) error {
	if errors.Is(err, errNoRow) {
		return err
	}
	var c culprit
	if errors.As(err, &c) {
		err = c.error
	}
	if s.table != nil {
		return fmt.Errorf("table %s: %w", s.table.name, s.db.Explain(err))
	}
	return s.db.Explain(err)
}
