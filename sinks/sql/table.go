package sql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
)

// table is what the database says of the table.
type table struct {
	dialect conn.Dialect
	name    string
	columns []*column
}

// column of a table; for a parameter of a statement, it has no kind.
type column struct {
	name  string
	kind  kind
	isKey bool
}

// errNoTable: the table is not there.
var errNoTable = errors.New("no such table")

// queries give name and type of a table's columns, in order; of a domain, the type below it.
var queries = map[conn.Dialect]string{
	conn.Postgres: `SELECT attname, format_type(coalesce(nullif(typbasetype, 0), atttypid), NULL) FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
		WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
	conn.MySQL: `SELECT column_name, column_type FROM information_schema.columns
		WHERE table_name = ? AND table_schema = coalesce(nullif(?, ''), database()) ORDER BY ordinal_position`,
	conn.SQLite: `SELECT name, type FROM pragma_table_info(?, coalesce(nullif(?, ''), 'main'))`,
}

// describe asks for the table's columns.
func describe(ctx context.Context, db *conn.DB, name string, key []string) (*table, error) {
	t := &table{dialect: db.Dialect, name: name}
	args := []any{db.Dialect.QuoteTable(name)}
	if db.Dialect != conn.Postgres {
		bare, schema := t.parts()
		args = []any{bare, schema}
	}
	rows, err := db.QueryContext(ctx, queries[db.Dialect], args...)
	if err != nil {
		return nil, db.Explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c column
		var kind string
		if err := rows.Scan(&c.name, &kind); err != nil {
			return nil, db.Explain(err)
		}
		c.kind = kindOf(db.Dialect, kind)
		t.columns = append(t.columns, &c)
	}
	if err := rows.Err(); err != nil {
		return nil, db.Explain(err)
	}
	if len(t.columns) == 0 {
		return nil, errNoTable
	}
	if err := t.findJSON(ctx, db); err != nil {
		return nil, db.Explain(err)
	}
	return t, t.setKey(ctx, db, key)
}

// findJSON: MariaDB's JSON is text with a constraint of the column's name.
// https://mariadb.com/docs/server/reference/data-types/string-data-types/json
func (t *table) findJSON(ctx context.Context, db *conn.DB) error {
	if t.dialect != conn.MySQL {
		return nil
	}
	var version string
	if err := db.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil || !strings.Contains(version, "MariaDB") {
		return err
	}
	bare, schema := t.parts()
	rows, err := db.QueryContext(ctx, "SELECT constraint_name FROM information_schema.check_constraints "+
		"WHERE table_name = ? AND constraint_schema = coalesce(nullif(?, ''), database()) AND check_clause = concat('json_valid(`', constraint_name, '`)')", bare, schema)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		if c := t.column(name); c != nil {
			c.kind = document
		}
	}
	return rows.Err()
}

// parts are the table's own name and its schema's, "" where that is the current one.
func (t *table) parts() (name, schema string) {
	if schema, name, ok := strings.Cut(t.name, "."); ok {
		return name, schema
	}
	return t.name, ""
}

// setKey marks the key's columns.
func (t *table) setKey(ctx context.Context, db *conn.DB, key []string) error {
	for _, name := range key {
		c := t.column(name)
		if c == nil {
			return t.missing(name, "key")
		}
		c.isKey = true
	}
	if t.dialect == conn.MySQL && len(key) > 0 {
		return t.checkUnique(ctx, db)
	}
	return nil
}

// checkUnique: without a unique index on the key, ON DUPLICATE KEY would add row after
// row. The other databases refuse that by themselves.
func (t *table) checkUnique(ctx context.Context, db *conn.DB) error {
	bare, schema := t.parts()
	rows, err := db.QueryContext(ctx, `SELECT index_name, coalesce(column_name, '') FROM information_schema.statistics
		WHERE table_name = ? AND table_schema = coalesce(nullif(?, ''), database()) AND non_unique = 0`, bare, schema)
	if err != nil {
		return db.Explain(err)
	}
	defer rows.Close()
	indexes := map[string][]*column{}
	for rows.Next() {
		var index, name string
		if err := rows.Scan(&index, &name); err != nil {
			return db.Explain(err)
		}
		indexes[index] = append(indexes[index], t.column(name)) // nil where it is of an expression
	}
	keys := slices.DeleteFunc(slices.Clone(t.columns), func(c *column) bool { return !c.isKey })
	for _, index := range indexes {
		if len(index) == len(keys) && !slices.ContainsFunc(index, func(c *column) bool { return c == nil || !c.isKey }) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return db.Explain(err)
	}
	return component.Unwell(fmt.Errorf("table %s has no unique index on just the columns of key: make one, or change key", t.name))
}

// column by its name; in another case, if just one is called so.
func (t *table) column(name string) *column {
	var found *column
	for _, c := range t.columns {
		if c.name == name {
			return c
		}
		if strings.EqualFold(c.name, name) {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

func (t *table) names() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

// missing is the error for a column that the configuration names and the table has not.
func (t *table) missing(name, attribute string) error {
	return component.Unwell(fmt.Errorf("table %s has no column %s, which %s names; it has %s",
		t.name, name, attribute, strings.Join(t.names(), ", ")))
}
