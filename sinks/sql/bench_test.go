package sql

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

const benchRows = 50_000

// BenchmarkInsert stores orders of five columns, settlements in memory, beside the same
// rows through the fastest call that each driver has, as many in a transaction: COPY,
// INSERT with many rows, prepared INSERTs. They take turns.
func BenchmarkInsert(b *testing.B) { benchmark(b, &Config{Table: "orders"}) }

// BenchmarkUpsert is the same with a key, into rows of which half are there.
func BenchmarkUpsert(b *testing.B) { benchmark(b, &Config{Table: "orders", Key: []string{"id"}}) }

func benchmark(b *testing.B, cfg *Config) {
	for _, d := range sqltest.Dialects {
		b.Run(string(d), func(b *testing.B) {
			database := sqltest.New(b, d)
			e := newEngine(b, database, cfg)
			sqltest.Exec(b, e.db, "CREATE TABLE orders (id bigint "+map[bool]string{true: "PRIMARY KEY"}[len(cfg.Key) > 0]+", customer varchar(40), total numeric(10,2), paid boolean, at varchar(40))")
			var ours, theirs []float64
			for b.Loop() {
				for range 5 {
					ours = append(ours, timed(b, e, func(ds []component.Delivery) { e.all(ds...) }))
					theirs = append(theirs, timed(b, e, func(ds []component.Delivery) { reference(b, e, ds) }))
				}
			}
			slices.Sort(ours)
			slices.Sort(theirs)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ours[len(ours)/2], "rows/s")
			b.ReportMetric(theirs[len(theirs)/2], "driver-rows/s")
			b.ReportMetric(ours[len(ours)/2]/theirs[len(theirs)/2], "of-driver")
		})
	}
}

func timed(b *testing.B, e *engine, store func([]component.Delivery)) float64 {
	sqltest.Exec(b, e.db, "DELETE FROM orders")
	var took time.Duration
	for first := 0; first < benchRows; first += maxBatch {
		ds := make([]component.Delivery, maxBatch)
		for i := range ds {
			n := int64(first + i)
			if len(e.cfg.Key) > 0 {
				n = n * 7919 % (benchRows / 2)
			}
			ds[i] = event(obj{"id": n, "customer": fmt.Sprintf("customer %d", n%1000), "total": float64(n) / 4, "paid": n%2 == 0, "at": "2026-03-14T09:26:53Z"})
		}
		began := time.Now()
		store(ds)
		took += time.Since(began)
	}
	return benchRows / took.Seconds()
}

// reference stores rows without any care.
func reference(b *testing.B, e *engine, ds []component.Delivery) {
	names := []string{"at", "customer", "id", "paid", "total"}
	var rows [][]any
	for i := range ds {
		var values []any
		for _, name := range names {
			values = append(values, ds[i].Event.Body.(obj)[name])
		}
		rows = append(rows, values)
	}
	if err := referenceRows(b, e, names, rows); err != nil {
		b.Fatal(err)
	}
}

func referenceRows(b *testing.B, e *engine, names []string, rows [][]any) error {
	ctx := b.Context()
	c, err := e.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if e.db.Dialect == conn.Postgres && len(e.cfg.Key) == 0 {
		return c.Raw(func(driver any) error {
			var text bytes.Buffer
			for _, r := range rows {
				fmt.Fprintf(&text, "%v\t%v\t%v\t%v\t%v\n", r...)
			}
			_, err := driver.(*stdlib.Conn).Conn().PgConn().CopyFrom(ctx, &text, "COPY orders ("+strings.Join(names, ",")+") FROM STDIN")
			return err
		})
	}
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	t := &table{dialect: e.db.Dialect, name: "orders"}
	mode := insert
	var columns []*column
	for _, name := range names {
		columns = append(columns, &column{name: name, isKey: slices.Contains(e.cfg.Key, name)})
	}
	if len(e.cfg.Key) > 0 {
		mode = upsert
	}
	if e.db.Dialect == conn.MySQL {
		_, err := tx.ExecContext(ctx, t.sentence(mode, columns, len(rows)), slices.Concat(rows...)...)
		if err != nil {
			return err
		}
		return tx.Commit()
	}
	stmt, err := tx.PrepareContext(ctx, t.sentence(mode, columns, 1))
	if err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := stmt.ExecContext(ctx, r...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
