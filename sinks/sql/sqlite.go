package sql

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// sqliteParams of one INSERT, about: with fewer each row costs more, and so it does with
// many, since the driver looks for the name of each.
const sqliteParams = 64

// insertSQLite puts several rows into each INSERT, and goes past database/sql, where a row
// costs as much again as in the driver.
func (s *sink) insertSQLite(ctx context.Context, c *sql.Conn, rows []row, before int) error {
	return c.Raw(func(d any) error {
		db := d.(driver.ConnPrepareContext)
		width := max(1, sqliteParams/len(rows[0].columns))
		many, err := s.insertOf(ctx, db, &rows[0], width)
		if err != nil {
			return err
		}
		defer many.Close()
		one, err := s.insertOf(ctx, db, &rows[0], 1)
		if err != nil {
			return err
		}
		defer one.Close()
		for done := 0; done < len(rows); {
			if err := ctx.Err(); err != nil {
				return err
			}
			insert, n := one, 1
			if len(rows)-done >= width {
				insert, n = many, width
			}
			if err := insert.run(rows[done : done+n]); err != nil {
				return culprit{err, before + done, n}
			}
			done += n
		}
		return nil
	})
}

// sqliteInsert is an INSERT of so many rows.
type sqliteInsert struct {
	driver.Stmt
	args []driver.NamedValue
}

func (s *sink) insertOf(ctx context.Context, db driver.ConnPrepareContext, like *row, n int) (*sqliteInsert, error) {
	stmt, err := db.PrepareContext(ctx, s.table.sentence(like.mode, like.columns, n))
	if err != nil {
		return nil, err
	}
	return &sqliteInsert{Stmt: stmt, args: make([]driver.NamedValue, n*len(like.columns))}, nil
}

// run has no ctx that could end: it waits for nobody here, and the driver has a
// goroutine watch each that can.
func (i *sqliteInsert) run(rows []row) error {
	n := 0
	for r := range rows {
		for _, v := range rows[r].values {
			i.args[n] = driver.NamedValue{Ordinal: n + 1, Value: v}
			n++
		}
	}
	_, err := i.Stmt.(driver.StmtExecContext).ExecContext(context.Background(), i.args)
	return err
}
