package sql

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// All values go to PostgreSQL as text, which it reads as what the column is: numbers
// of any size and precision, times, enums, addresses.

// attemptPostgres is attempt for PostgreSQL: inserts by COPY, everything else as one
// batch of prepared statements, which takes one way to the server and back.
func (s *sink) attemptPostgres(ctx context.Context, rows []row, e entry) error {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(driver any) error {
		pg := driver.(*stdlib.Conn).Conn()
		runs := runs(rows)
		begin, commit := s.progress.beginText(e), "COMMIT"
		if len(runs) == 1 && byCopy(runs[0]) { // one way for all
			return rolledBack(ctx, pg, s.copy(ctx, pg, begin+"; ", rows, "; "+commit, 0))
		}
		if err := run(ctx, pg, begin); err != nil {
			return rolledBack(ctx, pg, err)
		}
		done := 0
		for _, rows := range runs {
			if err := s.storePostgres(ctx, pg, rows, done); err != nil {
				return rolledBack(ctx, pg, err)
			}
			done += len(rows)
		}
		return run(ctx, pg, commit)
	})
}

func (s *sink) storePostgres(ctx context.Context, pg *pgx.Conn, rows []row, before int) error {
	if byCopy(rows) {
		return s.copy(ctx, pg, "", rows, "", before)
	}
	return s.batch(ctx, pg, rows, before)
}

func byCopy(rows []row) bool { return rows[0].mode == insert && len(rows) > 1 }

func run(ctx context.Context, pg *pgx.Conn, text string) error {
	return pg.PgConn().Exec(ctx, text).Close()
}

// rolledBack ends the transaction after an error, so that the connection can be used
// again. One that cannot even do that is broken, and the pool drops it.
func rolledBack(ctx context.Context, pg *pgx.Conn, cause error) error {
	if cause != nil && run(ctx, pg, "ROLLBACK") != nil {
		pg.Close(ctx)
	}
	return cause
}

// copy inserts by COPY, between statements that the server is to run before and behind.
func (s *sink) copy(ctx context.Context, pg *pgx.Conn, first string, rows []row, then string, before int) error {
	text := make([]byte, 0, s.copied+s.copied/8) // as one may not be used again: a copy that fails may still be read
	for i := range rows {
		text = appendCopied(text, rows[i].values)
	}
	names := make([]string, len(rows[0].columns))
	for i, c := range rows[0].columns {
		names[i] = s.db.Dialect.Quote(c.name)
	}
	s.copied = len(text)
	copy := "COPY " + s.table.quoted() + " (" + strings.Join(names, ", ") + ") FROM STDIN"
	_, err := pg.PgConn().CopyFrom(ctx, bytes.NewReader(text), first+copy+then)
	return copyCulprit(err, before)
}

// appendCopied appends a line of COPY's text format.
func appendCopied(dst []byte, values []any) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, '\t')
		}
		if v == nil {
			dst = append(dst, `\N`...)
			continue
		}
		begun := len(dst)
		dst = asText(dst, v)
		if bytes.ContainsAny(dst[begun:], "\\\n\r\t") {
			dst = append(dst[:begun], copyEscapes.Replace(string(dst[begun:]))...)
		}
	}
	return append(dst, '\n')
}

var copyEscapes = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

var copyLine = regexp.MustCompile(`^COPY .*?, line (\d+)`)

// copyCulprit finds in the server's error which line it is about.
func copyCulprit(err error, before int) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	for context := range strings.Lines(pg.Where) {
		if m := copyLine.FindStringSubmatch(context); m != nil {
			n, _ := strconv.Atoi(m[1])
			return culprit{err, before + n - 1, 1}
		}
	}
	return err
}

// batch runs a prepared statement for each row.
func (s *sink) batch(ctx context.Context, pg *pgx.Conn, rows []row, before int) error {
	text := s.statement.text
	if rows[0].mode != "" {
		text = s.table.sentence(rows[0].mode, rows[0].columns, 1)
	}
	stmt, err := pg.Prepare(ctx, text, text)
	if err != nil {
		return err
	}
	var batch pgconn.Batch
	for i := range rows {
		batch.ExecPrepared(stmt.Name, asTexts(rows[i].values), nil, nil)
	}
	results := pg.PgConn().ExecBatch(ctx, &batch)
	n := 0
	for ; results.NextResult(); n++ {
		tag, err := results.ResultReader().Close()
		if err == nil && rows[n].mode == update && tag.RowsAffected() == 0 {
			err = errNoRow
		}
		if err != nil {
			results.Close()
			return culprit{err, before + n, 1}
		}
	}
	if err := results.Close(); err != nil {
		return culprit{err, before + n, 1}
	}
	return nil
}

func asTexts(values []any) [][]byte {
	texts := make([][]byte, len(values))
	for i, v := range values {
		if v != nil {
			texts[i] = asText([]byte{}, v)
		}
	}
	return texts
}
