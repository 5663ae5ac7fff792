package sql_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestValidate(t *testing.T) {
	for _, tc := range []struct{ driver, dsn, want string }{
		{"sqlite", "x.db", ""},
		{"sqlite", "", "which database?"},
		{"postgres", "", "which database?"},
		{"postgres", "postgres://u:secret@h/db", ""},
		{"postgres", "host=h user=u dbname=db", ""},
		{"postgres", "postgres://u:secret@h:port/db", "not a dsn of postgres"},
		{"mysql", "u:secret@tcp(h:3306)/db", ""},
		{"mysql", "u:secret@tcp(h:3306)/", "which database?"},
		{"mysql", "mysql://u:secret@h/db", "not a dsn of mysql"},
	} {
		var p component.Problems
		(&conn.Config{Driver: tc.driver, DSN: component.NewSecret(tc.dsn)}).Validate(&p)
		got := ""
		for _, problem := range p.List {
			got += problem.Summary
			if strings.Contains(problem.Detail, "secret") {
				t.Errorf("%s: %s", tc.dsn, problem.Detail)
			}
		}
		if got != tc.want {
			t.Errorf("%+v: got %q", tc, got)
		}
	}
}

// A path is taken from where the block stands, and tells where SQLite writes.
func TestLocate(t *testing.T) {
	for _, tc := range []struct{ driver, dsn, want, directory string }{
		{"sqlite", "out/x.db", "/etc/syncd/out/x.db", "/etc/syncd/out"},
		{"sqlite", "/srv/x.db", "/srv/x.db", "/srv"},
		{"postgres", "host=h dbname=db", "host=h dbname=db", ""},
	} {
		cfg := &conn.Config{Driver: tc.driver, DSN: component.NewSecret(tc.dsn)}
		cfg.Locate("/etc/syncd")
		if got := strings.Join(cfg.Directories(), ","); cfg.DSN.Reveal() != tc.want || got != tc.directory {
			t.Errorf("%s: %s, writes to %q", tc.dsn, cfg.DSN.Reveal(), got)
		}
	}
}

// What is wrong with a peer, told without its password.
func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		driver, dsn, want string
		setup             bool
	}{
		{"postgres", "postgres://u:sesame@127.0.0.1:1/db", "postgres: dial tcp 127.0.0.1:1: connect: connection refused", false},
		{"mysql", "u:sesame@tcp(127.0.0.1:1)/db", "mysql: dial tcp 127.0.0.1:1: connect: connection refused", false},
		{"postgres", "postgres://u:sesame@nowhere.invalid/db", "nowhere.invalid", true},
		{"mysql", "u:sesame@tcp(nowhere.invalid:3306)/db", "nowhere.invalid", true},
	} {
		db := sqltest.Open(t, &conn.Config{Driver: tc.driver, DSN: component.NewSecret(tc.dsn), MaxConnections: 1, Timeout: 5 * time.Second})
		err := db.Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "sesame") || component.IsUnwell(err) != tc.setup {
			t.Errorf("%s: %v", tc.dsn, err)
		}
	}
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		if err := sqltest.Open(t, cfg).Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What an error is the fault of, as the databases really tell it.
func TestFaults(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		db := sqltest.Open(t, cfg)
		sqltest.Exec(t, db, "CREATE TABLE t (id bigint PRIMARY KEY, note varchar(5) NOT NULL CHECK (note <> 'no'))", "INSERT INTO t VALUES (1, 'one')")
		for statement, want := range map[string]conn.Fault{
			"INSERT INTO t VALUES (1, 'again')":  conn.Row,
			"INSERT INTO t VALUES (2, NULL)":     conn.Row,
			"INSERT INTO t VALUES (3, 'no')":     conn.Row,
			"INSERT INTO t VALUES ('x', 'text')": conn.Row,
			"INSERT INTO none VALUES (1)":        conn.Setup,
			"INSERT INTO t (other) VALUES (1)":   conn.Setup,
			"INSERT INTO":                        conn.Setup,
		} {
			if db.Dialect == conn.SQLite && strings.Contains(statement, "'x'") {
				continue // takes anything
			}
			_, err := db.Exec(statement)
			if got := conn.FaultOf(err); err == nil || got != want {
				t.Errorf("%s: fault %v, want %v (%v)", statement, got, want, err)
			}
			if conn.IsNoTable(err) != strings.Contains(statement, "none") {
				t.Errorf("%s: is it about the table? %v", statement, err)
			}
		}
		if _, err := db.Exec("INSERT INTO t VALUES (9, 'too long')"); db.Dialect != conn.SQLite && conn.FaultOf(err) != conn.Row {
			t.Errorf("too long: %v", err) // and never cut
		}
	})
}

// Two transactions that wait for each other: one is told so, and may begin anew.
func TestDeadlock(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		db := sqltest.Open(t, cfg)
		sqltest.Exec(t, db, "CREATE TABLE t (id bigint PRIMARY KEY, n bigint)", "INSERT INTO t VALUES (1, 0), (2, 0)")
		if db.Dialect == conn.SQLite { // has one writer at a time
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := db.Exec("UPDATE t SET n = 1"); conn.FaultOf(err) != conn.Conflict {
				t.Errorf("got %v", err)
			}
			return
		}
		a, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer a.Rollback()
		b, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Rollback()
		_, e1 := a.Exec("UPDATE t SET n = 1 WHERE id = 1")
		_, e2 := b.Exec("UPDATE t SET n = 2 WHERE id = 2")
		if err := errors.Join(e1, e2); err != nil {
			t.Fatal(err)
		}
		other := make(chan error, 1)
		go func() {
			_, err := a.Exec("UPDATE t SET n = 1 WHERE id = 2")
			if err != nil {
				a.Rollback()
			}
			other <- err
		}()
		_, err = b.Exec("UPDATE t SET n = 2 WHERE id = 1")
		if err != nil {
			b.Rollback()
		} else {
			b.Commit()
		}
		err = errors.Join(err, <-other)
		if conn.FaultOf(err) != conn.Conflict {
			t.Errorf("got %v", err)
		}
	})
}

// A name of a file is that, whatever stands in it; the directory is made.
func TestFileNames(t *testing.T) {
	cfg := conn.Kind.NewConfig().(*conn.Config)
	file := filepath.Join(t.TempDir(), "new", "a b?c#d%20é.db")
	cfg.Driver, cfg.DSN = "sqlite", component.NewSecret(file)
	sqltest.Exec(t, sqltest.Open(t, cfg), "CREATE TABLE t (id)")
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	cfg.DSN = component.NewSecret(filepath.Dir(file))
	if _, err := conn.Kind.Open(component.Env{}, cfg); err == nil || !strings.Contains(err.Error(), cfg.DSN.Reveal()) {
		t.Errorf("a directory was opened: %v", err)
	}
}

func TestQuote(t *testing.T) {
	got := []string{conn.Postgres.QuoteTable(`a"b.c`), conn.MySQL.QuoteTable("a`b"), conn.SQLite.Quote("x"), conn.Postgres.Param(3), conn.MySQL.Param(3)}
	if d := cmp.Diff([]string{`"a""b"."c"`, "`a``b`", `"x"`, "$3", "?"}, got); d != "" {
		t.Error(d)
	}
}
