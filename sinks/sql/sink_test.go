package sql

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
	shaped "github.com/syncd/syncd/engine/row"
)

type obj = map[string]any

const orders = `CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2), note varchar(20))`

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}

func TestInsert(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "orders"})
		sqltest.Exec(t, e.db, orders)
		e.all(event(obj{"id": int64(1), "total": 10.5, "note": "a\tb\\c\n'd'"}), event(obj{"id": int64(2), "note": nil}), event(obj{"id": int64(3), "total": "7.25"}))
		want(t, e.rows("SELECT id, total * 4, note FROM orders ORDER BY id"), norm(e, "1|42.00|a\tb\\c\n'd'"), "2|null|null", norm(e, "3|29.00|null"))
	})
}

// Rows of a shape are stored as objects are.
func TestRowsOfAShape(t *testing.T) {
	one, other := shaped.NewShape([]string{"note", "id"}), shaped.NewShape([]string{"id", "total", "note"})
	made := func(s *shaped.Shape, values ...any) component.Delivery {
		d := event(nil)
		d.Event.Body = &shaped.Row{Shape: s, Values: values}
		return d
	}
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "orders", CreateTable: true, Key: []string{"id"}, ModeBy: code(t, "body.note == 'gone' ? 'delete' : 'insert'")})
		e.all(made(one, "a", int64(1)), made(one, "b", int64(2)), made(other, int64(3), 1.5, "c"), event(obj{"note": "d", "id": int64(4)}), made(one, nil, int64(5)))
		want(t, e.rows("SELECT id, note FROM orders WHERE id = 3 AND total = 1.5 OR total IS NULL ORDER BY id"), "1|a", "2|b", "3|c", "4|d", "5|null")
		odd := shaped.NewShape([]string{"id", "note", "odd"})
		errs := e.deliver(made(odd, int64(2), "gone", true), made(odd, int64(7), "x", true), made(one, "y", nil))
		expect(t, errs, "", "has no column odd", "id is null")
		want(t, e.rows("SELECT id FROM orders ORDER BY id"), "1", "3", "4", "5")
	})
}

// norm writes a decimal as SQLite does, which does not keep its zeros.
func norm(e *engine, row string) string {
	if e.db.Dialect == conn.SQLite {
		return strings.ReplaceAll(row, ".00", "")
	}
	return row
}

func TestUpsertUpdateDelete(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "orders", Key: []string{"id"}, ModeBy: code(t, "body.do"),
			Columns: exprs(t, "id", "body.id", "note", "body.note")})
		sqltest.Exec(t, e.db, orders)
		do := func(mode string, id int64, note any) component.Delivery {
			return event(obj{"do": mode, "id": id, "note": note})
		}
		e.all(do("insert", 1, "one"), do("upsert", 2, "two"), do("upsert", 2, "two again"), do("update", 1, "one more"), do("insert", 3, "x"), do("delete", 3, nil), do("delete", 9, nil))
		want(t, e.rows("SELECT id, note FROM orders ORDER BY id"), "1|one more", "2|two again")
		errs := e.deliver(do("update", 77, "none"), do("upsert", 1, "last"), do("merge", 1, ""), event(obj{"do": "upsert"}))
		expect(t, errs, "no row has this key", "", "mode_by yields merge", "id is null")
		e.all(do("update", 1, "last")) // a row that stays as it is counts as found
		want(t, e.rows("SELECT id, note FROM orders ORDER BY id"), "1|last", "2|two again")
	})
}

// expect compares errors, all of them permanent, with texts; "" is none.
func expect(t *testing.T, errs []error, texts ...string) {
	t.Helper()
	if len(errs) != len(texts) {
		t.Fatalf("%d errors, want %d", len(errs), len(texts))
	}
	for i, text := range texts {
		switch {
		case text == "" && errs[i] != nil:
			t.Errorf("delivery %d: %v", i, errs[i])
		case text != "" && (errs[i] == nil || !strings.Contains(errs[i].Error(), text) || !component.IsPermanent(errs[i])):
			t.Errorf("delivery %d: got %v, want %q for good", i, errs[i], text)
		}
	}
}

// A row that cannot be stored is dead alone, wherever it stands.
func TestBadRows(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "orders"})
		sqltest.Exec(t, e.db, `CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(20) CHECK (length(note) < 10))`)
		e.all(event(obj{"id": int64(50), "note": "first"}))
		var ds []component.Delivery
		var texts []string
		for id := range int64(100) {
			d, text := event(obj{"id": id, "note": "fine"}), ""
			switch id {
			case 0, 17, 18, 99:
				d, text = event(obj{"id": id, "note": "longer than ten"}), database.Driver
			case 50: // taken
				text = database.Driver
			case 60:
				d, text = event(obj{"id": id, "nope": 1}), "has no column nope"
			}
			ds, texts = append(ds, d), append(texts, text)
		}
		expect(t, e.deliver(ds...), texts...)
		want(t, e.rows("SELECT count(*), sum(id) FROM orders"), fmt.Sprintf("95|%d", 99*100/2-17-18-99-60))
	})
}

func TestValues(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 26, 53, 589793000, time.FixedZone("", 2*3600))
	body := obj{
		"id": int64(math.MaxInt64), "amount": "123456789012345678901234.5678", "ratio": 0.1, "ok": true,
		"at": at, "local": "2026-03-14T09:26:53.589793+02:00", "doc": obj{"b": []any{int64(1), "x"}}, "raw": "\x00\xff'\\", "empty": nil,
	}
	tables := map[conn.Dialect]string{
		conn.Postgres: `id bigint, amount numeric, ratio double precision, ok boolean, at timestamptz, local timestamp, doc jsonb, raw bytea, empty text, tags text[]`,
		conn.MySQL:    `id bigint, amount decimal(40,4), ratio double, ok boolean, at datetime(6), local timestamp(6), doc json, raw blob, empty text`,
		conn.SQLite:   `id integer, amount text, ratio real, ok boolean, at text, local text, doc text, raw blob, empty text`,
	}
	queries := map[conn.Dialect]string{
		conn.Postgres: `SELECT id, amount, ratio, ok, at AT TIME ZONE 'UTC', local, doc->'b'->>1, encode(raw, 'hex'), empty, tags[2] FROM v`,
		conn.MySQL:    `SELECT id, amount, ratio, ok, cast(at AS char), cast(local AS char), json_unquote(json_extract(doc, '$.b[1]')), hex(raw), empty FROM v`,
		conn.SQLite:   `SELECT id, amount, ratio, ok, at, local, json_extract(doc, '$.b[1]'), hex(raw), empty FROM v`,
	}
	wants := map[conn.Dialect]string{
		conn.Postgres: `9223372036854775807|123456789012345678901234.5678|0.1|true|2026-03-14T07:26:53.589793Z|2026-03-14T07:26:53.589793Z|x|00ff275c|null|b"}\`,
		conn.MySQL:    `9223372036854775807|123456789012345678901234.5678|0.1|1|2026-03-14 07:26:53.589793|2026-03-14 07:26:53.589793|x|00FF275C|null`,
		conn.SQLite:   `9223372036854775807|123456789012345678901234.5678|0.1|1|2026-03-14T09:26:53.589793+02:00|2026-03-14T09:26:53.589793+02:00|x|00FF275C|null`,
	}
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "v"})
		d := e.db.Dialect
		sqltest.Exec(t, e.db, "CREATE TABLE v ("+tables[d]+")")
		b := obj{}
		for k, v := range body {
			b[k] = v
		}
		if d == conn.Postgres {
			b["tags"] = []any{"a", `b"}\`, nil, int64(3)}
		}
		// One row, several, and many: they take different ways.
		e.all(event(b))
		e.all(event(b), event(b))
		var many []component.Delivery
		for range 20 {
			many = append(many, event(b))
		}
		e.all(many...)
		want(t, e.rows(queries[d]), slices.Repeat([]string{wants[d]}, 23)...)
	})
}

// Columns whose type does not say at once what they hold.
func TestTypesBehindTypes(t *testing.T) {
	setup := map[conn.Dialect][]string{
		conn.Postgres: {
			`CREATE DOMAIN moment AS timestamp`, `CREATE DOMAIN paper AS jsonb`,
			`CREATE TABLE b (id bigint PRIMARY KEY, at moment, ats timestamp(3)[], doc paper, docs jsonb[])`,
		},
		conn.MySQL: {`CREATE TABLE b (id bigint PRIMARY KEY, at datetime, ats json, doc json, docs json)`},
	}
	queries := map[conn.Dialect]string{
		conn.Postgres: `SELECT at, ats[1], doc #>> '{}', docs[1] #>> '{}' FROM b`,
		conn.MySQL:    `SELECT cast(at AS char), json_unquote(json_extract(ats, '$[0]')), json_unquote(doc), json_unquote(json_extract(docs, '$[0]')) FROM b`,
	}
	wants := map[conn.Dialect]string{
		conn.Postgres: `2026-03-14T07:26:53Z|2026-03-14T07:26:53Z|some text|more`,
		conn.MySQL:    `2026-03-14 07:26:53|2026-03-14T09:26:53+02:00|some text|more`,
	}
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "b", Mode: upsert, Key: []string{"id"}})
		d := e.db.Dialect
		if d == conn.SQLite {
			return // has no such types
		}
		sqltest.Exec(t, e.db, setup[d]...)
		const at = "2026-03-14T09:26:53+02:00"
		e.all(event(obj{"id": int64(1), "at": at, "ats": []any{at}, "doc": "some text", "docs": []any{"more", []any{int64(1)}}}))
		want(t, e.rows(queries[d]), wants[d])
	})
}

func TestStatement(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{
			Statement: "INSERT INTO orders (id, note) VALUES (:id, ':id is no parameter here' /* :nor */) -- :id\n",
			Params:    exprs(t, "id", "body.id * 2")})
		sqltest.Exec(t, e.db, `CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(40))`)
		errs := e.deliver(event(obj{"id": int64(1)}), event(obj{"id": int64(1)}), event(obj{"id": "x"}), event(obj{"id": int64(2)}))
		expect(t, errs, "", database.Driver, "compute parameter id", "")
		want(t, e.rows("SELECT id, note FROM orders ORDER BY id"), "2|:id is no parameter here", "4|:id is no parameter here")
	})
}

func TestCreateTable(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "made", Key: []string{"id"}, CreateTable: true})
		e.all(event(obj{"id": "a", "n": int64(1), "f": 1.5, "ok": true, "doc": obj{"x": int64(1)}, "none": nil}), event(obj{"id": "b", "n": int64(2), "none": "now"}))
		e.all(event(obj{"id": "a", "n": int64(3)}))
		want(t, e.rows("SELECT id, n, f, none FROM made ORDER BY id"), "a|3|1.5|null", "b|2|null|now")
	})
}

// What nobody can deliver until the table is as it should be stops the lane.
func TestSetup(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		for _, tc := range []struct {
			cfg  Config
			want string
		}{
			{Config{Table: "none"}, "there is no table none: make it, or write create_table = true"},
			{Config{Table: "orders", Columns: exprs(t, "idd", "body.id")}, "table orders has no column idd, which columns names; it has id, total, note"},
			{Config{Table: "orders", Key: []string{"nr"}}, "table orders has no column nr, which key names; it has id, total, note"},
			{Config{Table: "orders", Key: []string{"note"}}, ""},
			{Config{Statement: "INSERT INTO none VALUES (1)"}, "none"},
		} {
			e := newEngine(t, database, &tc.cfg)
			if tc.cfg.Table == "none" {
				sqltest.Exec(t, e.db, orders)
			}
			errs := e.deliver(event(obj{"id": int64(1), "note": "x"}))
			if len(errs) != 1 || !component.IsUnwell(errs[0]) || !strings.Contains(errs[0].Error(), tc.want) {
				t.Errorf("got %v, want the sink unwell: %s", errs, tc.want)
			}
		}
		e := newEngine(t, database, &Config{Table: "orders"})
		want(t, e.rows("SELECT count(*) FROM orders"), "0")
	})
}
