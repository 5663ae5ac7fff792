package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	conn "github.com/syncd/syncd/engine/connect/sql"
)

// pageRows is how many new rows a statement is asked for; more where many have one
// value, so that these are not read over and over.
const pageRows = 2000

// errSilent ends a statement whose rows do not come.
var errSilent = errors.New("the database is silent")

// statement is a query that is being read.
type statement struct {
	*sql.Rows
	columns []*column
	names   []string
	cursor  int // which column it is; -1: there is none
	read    []any
	into    []any
	timeout time.Duration
	silence *time.Timer // ends ctx with errSilent
	ctx     context.Context
	end     context.CancelCauseFunc
}

// query begins to read.
func (s *source) query(ctx context.Context, text string, args ...any) (*statement, error) {
	st := &statement{timeout: s.cfg.Timeout}
	st.ctx, st.end = context.WithCancelCause(ctx)
	st.silence = time.AfterFunc(st.timeout, func() { st.end(errSilent) })
	var err error
	if st.Rows, err = s.db.QueryContext(st.ctx, text, args...); err != nil {
		st.close()
		return nil, s.explain(st, err)
	}
	if err := st.describe(s.db.Dialect); err != nil {
		st.close()
		return nil, err
	}
	return st, nil
}

// describe finds out what columns there are.
func (st *statement) describe(d conn.Dialect) (err error) {
	if st.columns, err = columnsOf(d, st.Rows); err != nil {
		return err
	}
	st.read, st.into = make([]any, len(st.columns)), make([]any, len(st.columns))
	for i, c := range st.columns {
		st.into[i] = &st.read[i]
		if c.name != rawCursor {
			st.names = append(st.names, c.name)
		}
	}
	st.cursor = -1
	return nil
}

// find finds the cursor among them.
func (st *statement) find(s *source) error {
	if s.cfg.Cursor == nil {
		return nil
	}
	name := s.cfg.Cursor.Column
	if s.db.Dialect == conn.SQLite {
		name = rawCursor
	}
	st.cursor = slices.IndexFunc(st.columns, func(c *column) bool { return strings.EqualFold(c.name, name) })
	if st.cursor < 0 {
		return fmt.Errorf("what is read has no column %s, which cursor.column names; it has %s", name, strings.Join(st.names, ", "))
	}
	return nil
}

// next reads a row into read; false: there is none, or an error, which Err has.
func (st *statement) next() (bool, error) {
	st.silence.Reset(st.timeout)
	if !st.Next() {
		return false, st.Err()
	}
	return true, st.Scan(st.into...)
}

// rest lets time pass that is not the database's.
func (st *statement) rest() { st.silence.Stop() }

func (st *statement) close() {
	st.silence.Stop()
	st.end(nil)
	if st.Rows != nil {
		st.Rows.Close()
	}
}

func (s *source) explain(st *statement, err error) error {
	if context.Cause(st.ctx) == errSilent {
		return fmt.Errorf("%s: no rows for %s, which timeout allows", s.db.Dialect, s.cfg.Timeout)
	}
	return s.db.Explain(err)
}

// rawCursor is the column that has the cursor as SQLite stores it: by its declared type
// the driver would make a time of a text, and write it in another way.
const rawCursor = "syncd_cursor"

// from is what is read, as r: a name with that before it is never taken for a text.
func (s *source) from() string {
	if s.cfg.Table != "" {
		return s.db.Dialect.QuoteTable(s.cfg.Table) + " AS r"
	}
	return "(" + strings.TrimRight(strings.TrimSpace(s.cfg.Query), ";") + "\n) AS r"
}

// selection is the statement for rows from m on, limit of them; without a cursor, all.
func (s *source) selection(m mark, limit int) (text string, args []any) {
	if s.cfg.Cursor == nil {
		return "SELECT r.* FROM " + s.from(), nil
	}
	column := "r." + s.db.Dialect.Quote(s.cfg.Cursor.Column)
	text = "SELECT r.*"
	if s.db.Dialect == conn.SQLite {
		text += ", +" + column + " AS " + rawCursor
	}
	where, args := s.beyond(m)
	return fmt.Sprintf("%s%s ORDER BY %s LIMIT %d", text, where, column, limit), args
}

// counting is the statement for how many rows there are from m on.
func (s *source) counting(m mark) (text string, args []any) {
	where, args := s.beyond(m)
	return "SELECT count(*)" + where, args
}

// beyond is the part of a statement that says: rows from m on.
func (s *source) beyond(m mark) (text string, args []any) {
	column := "r." + s.db.Dialect.Quote(s.cfg.Cursor.Column)
	text = " FROM " + s.from() + " WHERE " + column + " IS NOT NULL"
	if m.value != nil {
		param, value := m.bind(s.db.Dialect, s.db.Dialect.Param(1))
		text, args = text+" AND "+column+" >= "+param, []any{value}
	}
	return text, args
}
