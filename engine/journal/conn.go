package journal

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"modernc.org/sqlite"
)

// conn is one raw connection with its prepared statements. database/sql is left
// out on purpose: its pool and locks cost more than the statements. Not safe for
// concurrent use.
type conn struct {
	raw   driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue
}

// dial opens the database file with the settings that every connection needs.
func dial(file string, pragmas ...string) (*conn, error) {
	dsn := url.URL{Scheme: "file", Path: file}
	q := url.Values{"_pragma": append([]string{
		"busy_timeout(5000)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-2000)",
	}, pragmas...)}
	dsn.RawQuery = q.Encode()
	raw, err := new(sqlite.Driver).Open(dsn.String())
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, stmts: map[string]driver.Stmt{}}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	c.stmts = nil
	return errors.Join(append(errs, c.raw.Close())...)
}

// stmt gives the prepared statement of query, which must be a single one: only
// such is kept prepared by the driver.
func (c *conn) stmt(query string) (driver.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	if c.stmts == nil {
		return nil, ErrClosed
	}
	s, err := c.raw.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	c.stmts[query] = s
	return s, nil
}

func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: value(a)})
	}
	return c.args
}

// value turns our types into those that the driver binds.
func value(a any) driver.Value {
	switch a := a.(type) {
	case Position:
		return int64(a)
	case int:
		return int64(a)
	case bool:
		if a {
			return int64(1)
		}
		return int64(0)
	}
	return a
}

func (c *conn) exec(query string, args ...any) error {
	s, err := c.stmt(query)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	return err
}

// insert is exec that tells the new row's id.
func (c *conn) insert(query string, args ...any) (int64, error) {
	s, err := c.stmt(query)
	if err != nil {
		return 0, err
	}
	r, err := s.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// errEnough ends a query early.
var errEnough = errors.New("enough")

// query calls each with every row until it returns an error. Slices in the row
// belong to each. Within each the same query may not run again on this connection.
func (c *conn) query(query string, args []any, each func(row []driver.Value) error) (err error) {
	s, err := c.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := each(row); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
	}
}

// integer is the first column of the only row; 0 without a row or for NULL.
func (c *conn) integer(query string, args ...any) (n int64, err error) {
	err = c.query(query, args, func(row []driver.Value) error {
		n = num(row[0])
		return nil
	})
	return n, err
}

// integers is the first column of all rows.
func (c *conn) integers(query string, args ...any) (list []int64, err error) {
	err = c.query(query, args, func(row []driver.Value) error {
		list = append(list, num(row[0]))
		return nil
	})
	return list, err
}

func num(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

func pos(v driver.Value) Position { return Position(num(v)) }

func text(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func blob(v driver.Value) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}
