package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

// database is one that an example fills.
type database struct {
	open  func() *conn.DB // when the example runs
	query string
	want  []string
}

// databaseOf makes it, and has the example find it; nil: the example writes files.
func databaseOf(t *testing.T, example, dir string) *database {
	t.Helper()
	query, err := os.ReadFile(filepath.Join(dir, "rows.sql"))
	if err != nil {
		return nil
	}
	db := &database{query: string(query)}
	rows, err := os.ReadFile(filepath.Join(dir, "want", "rows"))
	if err != nil {
		t.Fatal(err)
	}
	db.want = strings.Split(strings.TrimSpace(string(rows)), "\n")
	switch example {
	case "github-to-sqlite":
		db.open = func() *conn.DB { return sqlite(t, filepath.Join(dir, "out", "github.db")) }
	case "mailed-orders":
		db.open = func() *conn.DB { return sqlite(t, filepath.Join(dir, "out", "orders.db")) }
	case "orders-to-postgres":
		cfg := sqltest.New(t, conn.Postgres)
		opened := sqltest.Open(t, cfg)
		tables, err := os.ReadFile(filepath.Join(dir, "tables.sql"))
		if err != nil {
			t.Fatal(err)
		}
		for s := range strings.SplitSeq(strings.TrimSpace(string(tables)), ";\n") {
			sqltest.Exec(t, opened, s)
		}
		t.Setenv("ORDERS_DSN", cfg.DSN.Reveal())
		db.open = func() *conn.DB { return opened }
	default:
		t.Fatalf("where is the database of %s?", example)
	}
	return db
}

func sqlite(t *testing.T, file string) *conn.DB {
	t.Helper()
	cfg := conn.Kind.NewConfig().(*conn.Config)
	cfg.Driver, cfg.DSN = "sqlite", component.NewSecret(file)
	return sqltest.Open(t, cfg)
}

// waitForRows until the query finds what it must.
func (d *database) waitForRows(t *testing.T) {
	t.Helper()
	db := d.open()
	var got []string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = d.rows(db); cmp.Equal(d.want, got) {
			return
		}
	}
	t.Errorf("rows (-want +got):\n%s", cmp.Diff(d.want, got))
}

// rows found; none while the tables are not there.
func (d *database) rows(db *conn.DB) []string {
	rows, err := db.Query(d.query)
	if err != nil {
		return nil
	}
	defer rows.Close()
	all, _ := sqltest.Texts(rows)
	return all
}

// waitBeside waits for the files that come out beside the rows.
func waitBeside(t *testing.T, dir string) {
	t.Helper()
	want := files(t, filepath.Join(dir, "want"))
	delete(want, "rows")
	for name, content := range want {
		within(t, name, func() bool {
			got, _ := os.ReadFile(filepath.Join(dir, "out", name))
			return string(got) == content
		})
	}
}

// within polls what the program brings about.
func within(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		}
	}
}
