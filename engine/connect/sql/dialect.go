package sql

import (
	"strconv"
	"strings"
)

// Dialect is what a database speaks, by the name of its driver.
type Dialect string

// The dialects.
const (
	Postgres Dialect = "postgres"
	MySQL    Dialect = "mysql"
	SQLite   Dialect = "sqlite"
)

// Quote writes a name as an identifier.
func (d Dialect) Quote(name string) string {
	if d == MySQL {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteTable writes the name of a table, with its schema's before it if there is one:
// "sales.orders".
func (d Dialect) QuoteTable(name string) string {
	schema, table, ok := strings.Cut(name, ".")
	if !ok {
		return d.Quote(name)
	}
	return d.Quote(schema) + "." + d.Quote(table)
}

// Param is the placeholder of a statement's n-th parameter, from 1.
func (d Dialect) Param(n int) string {
	if d == Postgres {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}
