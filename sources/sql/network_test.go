package sql

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

// A server that freezes or goes away in the middle of a run is an error, in time, and
// the next attempt brings the rest.
func TestTroubleInTheMiddle(t *testing.T) {
	for _, d := range []conn.Dialect{conn.Postgres, conn.MySQL} {
		for name, trouble := range map[string]func(*sqltest.Proxy){"freeze": (*sqltest.Proxy).Freeze, "cut": (*sqltest.Proxy).Cut} {
			t.Run(string(d)+"/"+name, func(t *testing.T) {
				database := sqltest.New(t, d)
				direct := sqltest.Open(t, database)
				sqltest.Exec(t, direct, "CREATE TABLE t (id bigint, at timestamp NULL, wide text)")
				fillWide(t, direct, 3000)
				by, proxy := sqltest.Through(t, database)
				in := newIntake(t, by, &Config{Table: "t", Cursor: &Cursor{Column: "at"}})
				in.cfg.Timeout = 300 * time.Millisecond
				in.atBatch = func(n int) {
					if n == 2 {
						trouble(proxy)
					}
				}
				got, err := in.run()
				if err == nil || component.IsPermanent(err) || len(got) == 0 || len(got) == 3000 {
					t.Fatalf("got %d rows, %v", len(got), err)
				}
				if name == "freeze" && !strings.Contains(err.Error(), "no rows for 300ms") {
					t.Errorf("got %v", err)
				}
				proxy.Thaw()
				in.cfg.Timeout = 30 * time.Second
				rest, err := in.run()
				if err != nil || len(got)+len(rest) != 3000 {
					t.Errorf("%d and %d rows of 3000, %v", len(got), len(rest), err)
				}
			})
		}
	}
}

// fillWide makes wide rows, so that they do not fit into what is read ahead.
func fillWide(t *testing.T, db *conn.DB, n int) {
	t.Helper()
	fill(t, db, 0, n, "2026-01-02 03:04:05', '"+strings.Repeat("x", 4000))
}

// Nobody is there: an error that says so, and no dead end.
func TestNobodyThere(t *testing.T) {
	cfg := conn.Kind.NewConfig().(*conn.Config)
	cfg.Driver, cfg.DSN = "postgres", component.NewSecret("postgres://u:very-secret@127.0.0.1:1/x")
	in := newIntake(t, cfg, &Config{Table: "t"})
	_, err := in.run()
	if err == nil || component.IsPermanent(err) || errors.Is(err, errSilent) || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("got %v", err)
	}
}
