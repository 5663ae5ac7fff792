package sql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
	"github.com/syncd/syncd/engine/schedule"
)

// Rows of equal value, also late ones, and those that change: each comes once.
func TestTies(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		in := newIntake(t, cfg, &Config{Table: "t", Cursor: &Cursor{Column: "n"}})
		sqltest.Exec(t, in.db, "CREATE TABLE t (id bigint, n bigint)", "INSERT INTO t VALUES (1, 10), (2, 10), (3, 11), (4, NULL)")
		for _, step := range []struct{ statement, want string }{
			{"UPDATE t SET id = id", "1 2 3"},
			{"UPDATE t SET id = id", ""},
			{"INSERT INTO t VALUES (5, 11)", "5"},
			{"INSERT INTO t VALUES (5, 11)", "5"}, // the same once more is another row
			{"INSERT INTO t VALUES (6, 10)", ""},
			{"UPDATE t SET n = 12 WHERE id = 4", "4"},
			{"DELETE FROM t WHERE n = 12", ""},
			{"INSERT INTO t VALUES (7, 12), (4, 12)", "7"}, // 4 is as it was
		} {
			sqltest.Exec(t, in.db, step.statement)
			if got := in.brings(); got != step.want {
				t.Errorf("after %s: got %q, want %q", step.statement, got, step.want)
			}
		}
		if len(in.state) > 4 {
			t.Errorf("it keeps %d values: %s", len(in.state), in.state)
		}
	})
}

// Thousands of rows of one value over many pages and broken runs: each comes once, and
// the list of them goes when the mark moves on.
func TestTiesOverPages(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		in := newIntake(t, cfg, &Config{Table: "t", Cursor: &Cursor{Column: "at"}})
		sqltest.Exec(t, in.db, "CREATE TABLE t (id bigint, at timestamp NULL)")
		fill(t, in.db, 0, 5000, "2026-01-02 03:04:05")
		got := map[string]int{}
		for attempts := 0; ; attempts++ {
			in.refuse = 3 // takes two
			bodies, err := in.run()
			for _, b := range bodies {
				got[b]++
			}
			if err == nil {
				break
			}
			if later := (*component.LaterError)(nil); !errors.As(err, &later) {
				t.Fatal(err)
			}
			if attempts == 1 {
				fill(t, in.db, 5000, 5500, "2026-01-02 03:04:05")
			}
			if attempts > 20 {
				t.Fatal("it does not come to an end")
			}
		}
		in.refuse = 0
		for b, n := range got {
			if n != 1 {
				t.Fatalf("%s came %d times", b, n)
			}
		}
		if len(got) != 5500 {
			t.Errorf("%d rows", len(got))
		}
		if got := in.brings(); got != "" {
			t.Errorf("got %q again", got)
		}
		fill(t, in.db, 5500, 5501, "2026-01-02 03:04:05")
		if got := in.brings(); got != "5500" {
			t.Errorf("late: got %q", got)
		}
		fill(t, in.db, 5501, 5502, "2026-01-02 03:04:06")
		if got := in.brings(); got != "5501" || len(in.state) != 2 {
			t.Errorf("got %q; state: %v", got, in.state)
		}
	})
}

func fill(t *testing.T, db *conn.DB, from, to int, at string) {
	t.Helper()
	for part := range slices.Chunk(numbers(from, to), 500) {
		var rows []string
		for _, n := range part {
			rows = append(rows, fmt.Sprintf("(%d, '%s')", n, at))
		}
		sqltest.Exec(t, db, "INSERT INTO t VALUES "+strings.Join(rows, ","))
	}
}

func numbers(from, to int) []int {
	all := make([]int, 0, to-from)
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

// A cursor goes on from exactly where it was, whatever its type.
func TestCursorTypes(t *testing.T) {
	types := map[conn.Dialect][]string{
		conn.Postgres: {"timestamp", "timestamptz", "numeric", "numeric(30,10)", "text", "uuid", "double precision", "int"},
		conn.MySQL:    {"timestamp(6)", "datetime(6)", "decimal(30,10)", "double", "bigint unsigned"},
		conn.SQLite:   {"timestamp", "datetime", "text", "integer", "real", "decimal(30,10)"},
	}
	value := func(typ string, n int) string {
		switch {
		case strings.HasPrefix(typ, "timestamp"), strings.HasPrefix(typ, "datetime"):
			return fmt.Sprintf("'2026-01-02 03:04:05.00000%d'", n)
		case typ == "text":
			return fmt.Sprintf("'it''s %d'", n)
		case typ == "uuid":
			return fmt.Sprintf("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1%d'", n)
		case strings.HasPrefix(typ, "decimal"), strings.HasPrefix(typ, "numeric"):
			return fmt.Sprintf("12345678901234567890.000000%d", n)
		case typ == "bigint unsigned":
			return fmt.Sprintf("1844674407370955161%d", n)
		case typ == "double precision", typ == "double", typ == "real":
			return fmt.Sprintf("0.%d", n)
		}
		return strconv.Itoa(n)
	}
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		for i, typ := range types[conn.Dialect(cfg.Driver)] {
			t.Run(typ, func(t *testing.T) {
				table := fmt.Sprint("t", i)
				in := newIntake(t, cfg, &Config{Table: table, Cursor: &Cursor{Column: "c"}})
				sqltest.Exec(t, in.db, fmt.Sprintf("CREATE TABLE %s (id bigint, c %s)", table, typ))
				for n := 1; n <= 3; n++ {
					v := value(typ, n)
					if cfg.Driver == "sqlite" && strings.HasPrefix(typ, "decimal") {
						v = fmt.Sprintf("1.%d", n) // it has no exact ones
					}
					sqltest.Exec(t, in.db, fmt.Sprintf("INSERT INTO %s VALUES (%d, %s), (%d, %s)", table, n, v, n, v))
					if got, want := in.brings(), fmt.Sprintf("%d %d", n, n); got != want {
						t.Errorf("got %q, want %q", got, want)
					}
					if got := in.brings(); got != "" {
						t.Errorf("got %q again", got)
					}
				}
			})
		}
	})
}

// With overlap, what becomes visible late is found, and nothing comes twice.
func TestOverlap(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		config := &Config{Table: "t", Cursor: &Cursor{Column: "at", Overlap: time.Minute}}
		if cfg.Driver == "sqlite" {
			_, err := Kind().Open(component.Env{Connection: func(component.Ref) (any, error) { return sqltest.Open(t, cfg), nil }}, config)
			if err == nil || !strings.Contains(err.Error(), "overlap") {
				t.Errorf("got %v", err)
			}
			return
		}
		in := newIntake(t, cfg, config)
		in.dedupes = true
		sqltest.Exec(t, in.db, "CREATE TABLE t (id bigint, at timestamp NULL)", "INSERT INTO t VALUES (1, '2026-01-02 03:04:05')")
		for _, step := range []struct{ statement, want string }{
			{"UPDATE t SET id = id", "1"},
			{"INSERT INTO t VALUES (2, '2026-01-02 03:03:30')", "2"},
			{"INSERT INTO t VALUES (3, '2026-01-02 03:03:00')", ""}, // more than a minute before
			{"UPDATE t SET at = '2026-01-02 03:04:30' WHERE id = 1", "1"},
		} {
			sqltest.Exec(t, in.db, step.statement)
			if got := in.brings(); got != step.want {
				t.Errorf("after %s: got %q, want %q", step.statement, got, step.want)
			}
		}
	})
}

func TestOnlyChanged(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		in := newIntake(t, cfg, &Config{Query: "SELECT id, name FROM t -- all;", OnlyChanged: true})
		in.dedupes = true
		sqltest.Exec(t, in.db, "CREATE TABLE t (id bigint, name varchar(20), noise bigint)", "INSERT INTO t VALUES (1, 'a', 0), (2, 'b', 0)")
		for _, step := range []struct{ statement, want string }{
			{"UPDATE t SET noise = 1", "1 2"},
			{"UPDATE t SET noise = 2", ""},
			{"UPDATE t SET name = 'c' WHERE id = 2", "2"},
		} {
			sqltest.Exec(t, in.db, step.statement)
			if got := in.brings(); got != step.want {
				t.Errorf("after %s: got %q, want %q", step.statement, got, step.want)
			}
		}
	})
}

func TestValues(t *testing.T) {
	tables := map[conn.Dialect]struct{ columns, values, want string }{
		conn.Postgres: {
			"id bigint, n numeric(30,10), f real, d double precision, b boolean, ts timestamp, tz timestamptz, day date, j json, by bytea, u uuid, a int[], nothing text",
			`9223372036854775807, 12345678901234567890.0123456789, 0.1, 'NaN', true, '2026-01-02 03:04:05.123456', '2026-01-02 03:04:05+02', '2026-01-02', '{"a": [1, null]}', '\x0001', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{1,2}', NULL`,
			`{"a":"{1,2}","b":true,"by":"AAE=","d":"NaN","day":"2026-01-02","f":0.1,"id":9223372036854775807,"j":{"a":[1,null]},"n":"12345678901234567890.0123456789","nothing":null,"ts":"2026-01-02T03:04:05.123456Z","tz":"2026-01-02T01:04:05Z","u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}`,
		},
		conn.MySQL: {
			"id bigint unsigned, n decimal(30,10), f float, ts datetime(6), day date, e enum('a','b'), bl blob, t text, nothing text",
			`18446744073709551615, 12345678901234567890.0123456789, 0.1, '2026-01-02 03:04:05.123456', '2026-01-02', 'a', x'0001', 'ñ', NULL`,
			`{"bl":"AAE=","day":"2026-01-02","e":"a","f":0.1,"id":"18446744073709551615","n":"12345678901234567890.0123456789","nothing":null,"t":"ñ","ts":"2026-01-02T03:04:05.123456Z"}`,
		},
		conn.SQLite: {
			"id integer, f real, ts datetime, day date, j json, bl, t text, none text",
			`9223372036854775807, 0.1, '2026-01-02 03:04:05', '2026-01-02', '{"a": 1}', x'0001', 'ñ', NULL`,
			`{"bl":"AAE=","day":"2026-01-02","f":0.1,"id":9223372036854775807,"j":{"a":1},"none":null,"t":"ñ","ts":"2026-01-02T03:04:05Z"}`,
		},
	}
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		table := tables[conn.Dialect(cfg.Driver)]
		in := newIntake(t, cfg, &Config{Table: "t"})
		sqltest.Exec(t, in.db, "CREATE TABLE t ("+table.columns+")", "INSERT INTO t VALUES ("+table.values+")")
		got, err := in.run()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{table.want}, got); d != "" {
			t.Error(d)
		}
	})
}

func TestMistakes(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		for _, c := range []struct {
			config Config
			want   string
		}{
			{Config{Table: "none"}, "none"},
			{Config{Table: "t", Cursor: &Cursor{Column: "nope"}}, "nope"},
			{Config{Query: "SELECT id, id AS other, t.* FROM t"}, "id"},
			{Config{Query: "SELEKT"}, string(conn.Dialect(cfg.Driver))},
		} {
			if cfg.Driver == "sqlite" && strings.Contains(c.config.Query, "AS other") {
				continue // it tells the columns apart itself
			}
			in := newIntake(t, cfg, &c.config)
			if _, err := in.db.Exec("SELECT 1 FROM t"); err != nil {
				sqltest.Exec(t, in.db, "CREATE TABLE t (id bigint, name varchar(20))", "INSERT INTO t VALUES (1, 'a')")
			}
			got, err := in.run()
			if err == nil || !strings.Contains(err.Error(), c.want) || len(got) > 0 {
				t.Errorf("%+v: got %v, %v", c.config, got, err)
			}
		}
	})
}

func TestTextInMySQL(t *testing.T) {
	in := newIntake(t, sqltest.New(t, conn.MySQL), &Config{Table: "t", Cursor: &Cursor{Column: "name"}})
	sqltest.Exec(t, in.db, "CREATE TABLE t (name varchar(20))", "INSERT INTO t VALUES ('a')")
	if _, err := in.run(); !component.IsPermanent(err) || !strings.Contains(err.Error(), "name") {
		t.Errorf("got %v", err)
	}
}

func TestCheckpoint(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		in := newIntake(t, cfg, &Config{Table: "t", Cursor: &Cursor{Column: "at", Initial: "2026-01-02T00:00:00Z"}})
		if cfg.Driver == "sqlite" {
			in.cfg.Cursor.Initial = "2026-01-02"
		}
		sqltest.Exec(t, in.db, "CREATE TABLE t (id bigint, at timestamp NULL)", "INSERT INTO t VALUES (1, '2026-01-01 00:00:00'), (2, '2026-01-02 00:00:00'), (3, '2026-01-03 00:00:00')")
		if got := in.brings(); got != "2 3" {
			t.Errorf("got %q", got)
		}
		puts, err := in.open().Checkpoint([]byte(`"2026-01-01"`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Accept(t.Context(), component.Batch{State: puts}); err != nil {
			t.Fatal(err)
		}
		if got := in.brings(); got != "1 2 3" {
			t.Errorf("after the checkpoint was set: got %q", got)
		}
		for _, bad := range []string{"true", "[]", "null", "{"} {
			if _, err := in.open().Checkpoint([]byte(bad)); err == nil {
				t.Errorf("%s is taken", bad)
			}
		}
	})
}

// The schedule runs it, and it ends when it is told to.
func TestRun(t *testing.T) {
	in := newIntake(t, sqltest.New(t, conn.SQLite), &Config{Table: "t", Cursor: &Cursor{Column: "id"}, Config: schedule.Config{Every: 20 * time.Millisecond}})
	sqltest.Exec(t, in.db, "CREATE TABLE t (id integer)", "INSERT INTO t VALUES (1)")
	s := in.open()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, in) }()
	<-in.news
	sqltest.Exec(t, in.db, "INSERT INTO t VALUES (2)")
	<-in.news
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := ids(t, in.bodies); got != "1 2" {
		t.Errorf("got %q", got)
	}
}
