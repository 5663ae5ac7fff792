//go:build linux

package faults

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

const tableConf = `
connection "sql" "db" {
  driver = %q
  %s
}
source "sql" "rows" {
  connection = connection.sql.db
  table      = "feed"
  every      = "50ms"
  cursor { column = "v" }
  retry {
    initial = "10ms"
    max     = "50ms"
  }
}
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
flow "rows" {
  from = [source.sql.rows, source.webhook.in]
  map { n = "body.n" }
  to = sink.files.out
}
sink "files" "out" {
  path = "out.ndjson"
}
`

// A table that is read while it grows, in values that hundreds of rows share, by a
// daemon that is killed again and again: every row is there, and each once, though
// nothing but its place tells one from another.
func TestTableUnderKills(t *testing.T) {
	rows, pause := 20_000, 150*time.Millisecond
	if long {
		rows, pause = 300_000, time.Second
	}
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		db := sqltest.Open(t, cfg)
		sqltest.Exec(t, db, "CREATE TABLE feed (n bigint, v bigint)", "CREATE INDEX feed_v ON feed (v)")
		where := fmt.Sprintf("dsn = %q", cfg.DSN.Reveal())
		dir := t.TempDir()
		configure(t, dir, fmt.Sprintf(tableConf, cfg.Driver, where))
		filled := make(chan error, 1)
		go func() { filled <- fillTable(db, rows) }()
		d := launch(t, dir)
		kills, accepted := 0, int64(0)
		for deadline := time.Now().Add(5 * time.Minute); accepted < int64(rows); {
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d rows after 5 minutes", accepted, rows)
			}
			<-time.After(pause) // the moment is the point
			if s, err := d.status(); err == nil {
				accepted = s.Sources[0].Accepted
			}
			d.kill()
			kills++
			d = launch(t, dir)
		}
		if err := <-filled; err != nil {
			t.Fatal(err)
		}
		s := d.drained()
		d.stop()
		t.Logf("%d kills", kills)
		if got := s.Sources[0]; got.Accepted != int64(rows) || got.Dead != 0 {
			t.Errorf("%d accepted of %d, %d dead", got.Accepted, rows, got.Dead)
		}
		counts := fileCounts(t, filepath.Join(dir, "out.ndjson"))
		for n := range rows {
			if counts[n] != 1 {
				t.Fatalf("row %d is there %d times", n, counts[n])
			}
		}
		if len(counts) != rows {
			t.Errorf("%d rows of %d", len(counts), rows)
		}
	})
}

// fillTable inserts rows, a hundred a statement, five statements a value: later ones
// find the value read already.
func fillTable(db *conn.DB, rows int) error {
	for first := 0; first < rows; first += 100 {
		var values strings.Builder
		for n := first; n < first+100; n++ {
			fmt.Fprintf(&values, ",(%d,%d)", n, first/500)
		}
		statement := "INSERT INTO feed VALUES " + values.String()[1:]
		err := fmt.Errorf("not tried")
		for deadline := time.Now().Add(time.Minute); err != nil; {
			_, err = db.Exec(statement)
			if err != nil && (conn.FaultOf(err) != conn.Conflict || time.Now().After(deadline)) {
				return err
			}
		}
	}
	return nil
}
