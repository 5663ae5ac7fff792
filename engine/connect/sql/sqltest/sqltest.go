// Package sqltest gives tests databases of their own, on the servers of this machine.
package sqltest

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
)

// Where the servers are, unless the environment says otherwise: as Debian's packages
// leave them, for root, and PostgreSQL with trust for connections from this machine.
var (
	postgres = cmp.Or(os.Getenv("SYNCD_TEST_POSTGRES"), "postgres://postgres@127.0.0.1:5432/postgres")
	mariadb  = cmp.Or(os.Getenv("SYNCD_TEST_MYSQL"), "root@tcp(127.0.0.1:3306)/mysql")
)

// Dialects are all that there are.
var Dialects = []conn.Dialect{conn.Postgres, conn.MySQL, conn.SQLite}

// Each runs a test on each database, in one that is made for it and gone with it. Where
// a server is absent, its test is skipped.
func Each(t *testing.T, test func(t *testing.T, cfg *conn.Config)) {
	t.Helper()
	for _, d := range Dialects {
		t.Run(string(d), func(t *testing.T) { test(t, New(t, d)) })
	}
}

// New makes a database; in PostgreSQL, a schema.
func New(t testing.TB, d conn.Dialect) *conn.Config {
	t.Helper()
	cfg := conn.Kind.NewConfig().(*conn.Config)
	cfg.Driver = string(d)
	name := "syncd_test_" + strings.ToLower(rand.Text())
	switch d {
	case conn.SQLite:
		cfg.DSN = component.NewSecret(filepath.Join(t.TempDir(), "test.db"))
	case conn.Postgres:
		made(t, d, postgres, "CREATE SCHEMA "+name, "DROP SCHEMA "+name+" CASCADE") // sooner made than a database
		u, err := url.Parse(postgres)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("search_path", name)
		u.RawQuery = q.Encode()
		cfg.DSN = component.NewSecret(u.String())
	case conn.MySQL:
		made(t, d, mariadb, "CREATE DATABASE "+name, "DROP DATABASE "+name)
		c, err := mysql.ParseDSN(mariadb)
		if err != nil {
			t.Fatal(err)
		}
		c.DBName = name
		cfg.DSN = component.NewSecret(c.FormatDSN())
	}
	return cfg
}

// Open connects to a database as users of the connection do.
func Open(t testing.TB, cfg *conn.Config) *conn.DB {
	t.Helper()
	db, err := conn.Kind.Open(component.Env{}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.(*conn.DB).Close() })
	return db.(*conn.DB)
}

// Exec runs statements, which must succeed.
func Exec(t testing.TB, db *conn.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// Rows gives the rows of a query, as Texts does.
func Rows(t testing.TB, db *conn.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	all, err := Texts(rows)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// Texts gives each row as its values joined by "|"; NULL is "null".
func Texts(rows *sql.Rows) (all []string, err error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values := make([]sql.NullString, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		texts := make([]string, len(values))
		for i, v := range values {
			if texts[i] = v.String; !v.Valid {
				texts[i] = "null"
			}
		}
		all = append(all, strings.Join(texts, "|"))
	}
	return all, rows.Err()
}

// made runs create, or skips the test where no server is; drop comes at its end.
func made(t testing.TB, d conn.Dialect, dsn, create, drop string) {
	t.Helper()
	db, err := conn.Kind.Open(component.Env{}, &conn.Config{Driver: string(d), DSN: component.NewSecret(dsn), MaxConnections: 1, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	server := db.(*conn.DB)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Check(ctx); err != nil {
		server.Close()
		t.Skipf("no %s to test with: start one, or say where it is (%v)", d, err)
	}
	Exec(t, server, create)
	t.Cleanup(func() {
		if _, err := server.Exec(drop); err != nil {
			t.Error(err)
		}
		server.Close()
	})
}
