package bench

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/syncd/syncd/engine"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/connect"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

// databasesEnv has this binary be a daemon that fills a database from a source in
// memory: "RECORDS DIR", where DIR/syncd.hcl is its configuration.
const databasesEnv = "SYNCD_BENCH_DATABASES"

const databaseRecords = 100_000

// BenchmarkDatabases is rows of five columns on their way from a source in memory
// through journal and flow into each database, each exactly once; beside the same rows
// by the fastest call that the driver has: COPY for inserts into PostgreSQL, INSERT with
// many rows for MySQL, prepared statements for SQLite and upserts, without database/sql
// between where that costs more. The reference takes as many rows into a transaction as
// syncd does, and in "one" all. The rows of both are made before.
func BenchmarkDatabases(b *testing.B) {
	for _, d := range sqltest.Dialects {
		for _, mode := range []string{"insert", "upsert"} {
			b.Run(string(d)+"/"+mode, func(b *testing.B) { fill(b, d, mode) })
		}
	}
}

func fill(b *testing.B, d conn.Dialect, mode string) {
	cfg := sqltest.New(b, d)
	db := sqltest.Open(b, cfg)
	key := map[string]string{"upsert": "PRIMARY KEY"}[mode]
	sqltest.Exec(b, db, "CREATE TABLE orders (id bigint "+key+", name varchar(40), email varchar(60), plan varchar(10), balance decimal(12,2))")
	var ours, theirs, one, cpu, driverCPU []float64
	for b.Loop() {
		for range pairs {
			empty(b, db)
			took, spent := daemonFills(b, db, cfg, mode)
			ours, cpu = append(ours, databaseRecords/took), append(cpu, spent*1000*1000/databaseRecords)
			empty(b, db)
			took, spent = driverFills(b, db, mode, 4000)
			theirs, driverCPU = append(theirs, databaseRecords/took), append(driverCPU, spent*1000*1000/databaseRecords)
			empty(b, db)
			took, _ = driverFills(b, db, mode, databaseRecords)
			one = append(one, databaseRecords/took)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle(ours), "rows/s")
	b.ReportMetric(middle(theirs), "driver-rows/s")
	b.ReportMetric(middle(one), "driver-one-rows/s")
	b.ReportMetric(middle(ours)/middle(theirs), "of-driver")
	b.ReportMetric(middle(cpu), "cpu-ms/1k")
	b.ReportMetric(middle(driverCPU), "driver-cpu-ms/1k")
}

// ownCPU is the processor time that this process has taken, in seconds.
func ownCPU() (float64, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds(), err
}

func empty(b *testing.B, db *conn.DB) {
	b.Helper()
	sqltest.Exec(b, db, map[bool]string{true: "DELETE FROM orders", false: "TRUNCATE TABLE orders"}[db.Dialect == conn.SQLite])
}

// daemonFills gives the seconds from the first record until all rows are there, and
// those of processor time that the daemon took for them.
func daemonFills(b *testing.B, db *conn.DB, cfg *conn.Config, mode string) (took, cpu float64) {
	b.Helper()
	dir := b.TempDir()
	where := fmt.Sprintf("dsn = %q", cfg.DSN.Reveal())
	if mode == "upsert" {
		mode += "\"\n  key = [\"id\"]\n  description = \""
	}
	text := fmt.Sprintf(`
daemon { state_dir = "%s/state" }
source "rows" "in" {}
connection "sql" "db" {
  driver = %q
  %s
}
sink "sql" "orders" {
  connection = connection.sql.db
  table      = "orders"
  mode       = "%s"
}
flow "import" {
  from = source.rows.in
  map {
    id      = "body.id"
    name    = "body.name"
    email   = "lower(body.email)"
    plan    = "body.plan"
    balance = "body.balance"
  }
  to = sink.sql.orders
}
`, dir, cfg.Driver, where, mode)
	if err := os.WriteFile(filepath.Join(dir, "syncd.hcl"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(self)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", databasesEnv, databaseRecords, dir))
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	defer func() { cmd.Process.Kill(); <-ended }()
	began, before := time.Time{}, 0.0
	pause := time.Millisecond
	for n := 0; n < databaseRecords; {
		select {
		case <-ended:
			b.Fatalf("it ended:\n%s", out.String())
		case <-time.After(pause):
		}
		if began.IsZero() {
			if text, err := os.ReadFile(filepath.Join(dir, "begun")); err == nil {
				began = time.Now()
				before, _ = strconv.ParseFloat(string(text), 64)
			}
			continue
		}
		if err := db.QueryRow("SELECT count(*) FROM orders").Scan(&n); err != nil {
			b.Fatal(err)
		}
		// Counting takes from what it measures: so only when half of the rest may be there.
		elapsed := time.Since(began)
		pause = max(5*time.Millisecond, elapsed*time.Duration(databaseRecords-n)/time.Duration(max(n, 10_000))/2)
		if elapsed > 5*time.Minute {
			b.Fatalf("%d rows after five minutes", n)
		}
	}
	took = time.Since(began).Seconds()
	cmd.Process.Kill()
	<-ended
	return took, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds() - before
}

// serveDatabases is main of such a daemon, until it is killed.
func serveDatabases(spec string) {
	var dir string
	var records int
	if _, err := fmt.Sscan(spec, &records, &dir); err != nil {
		fail(err)
	}
	source := &rows{kind: "poll", size: 1000, left: records, all: make(chan struct{}), begun: func() {
		cpu, err := ownCPU()
		part := filepath.Join(dir, "part")
		if err = errors.Join(err, os.WriteFile(part, fmt.Append(nil, cpu), 0o600), os.Rename(part, filepath.Join(dir, "begun"))); err != nil {
			fail(err)
		}
	}}
	kinds := append(source.kinds(), connect.Kinds()...)
	path := filepath.Join(dir, "syncd.hcl")
	read := func(path string) *config.Reading { return config.Open(path, kinds, config.Options{}) }
	r := read(path)
	if r.Config == nil {
		fail(fmt.Errorf("%v", r.Diagnostics))
	}
	if err := engine.Run(context.Background(), r, engine.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Config: path, Read: read}); err != nil {
		fail(err)
	}
	os.Exit(0)
}

// driverFills stores the same rows, so many in a transaction, and gives the seconds
// and those of processor time that this took.
func driverFills(b *testing.B, db *conn.DB, mode string, size int) (took, cpu float64) {
	b.Helper()
	rows := make([][]any, databaseRecords)
	for i := range rows {
		n := i + 1
		rows[i] = []any{int64(n), fmt.Sprintf("Customer %d", n), fmt.Sprintf("c%d@example.test", n), []string{"free", "pro", "team"}[n%3], float64(n%1000) + float64(n%100)/100}
	}
	began := time.Now()
	before, err := ownCPU()
	if err != nil {
		b.Fatal(err)
	}
	for part := range slices.Chunk(rows, size) {
		if err := store(b.Context(), db, mode, part); err != nil {
			b.Fatal(err)
		}
	}
	after, err := ownCPU()
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(began).Seconds(), after - before
}

// store puts the rows into one transaction.
func store(ctx context.Context, db *conn.DB, mode string, rows [][]any) error {
	if db.Dialect == conn.Postgres && mode == "insert" {
		return copyRows(ctx, db, rows)
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	switch db.Dialect {
	case conn.MySQL:
		err = insertMany(ctx, tx, mode, rows)
	case conn.Postgres:
		err = c.Raw(func(db any) error { return upsertPipelined(ctx, db.(*stdlib.Conn).Conn(), rows) })
	case conn.SQLite:
		err = c.Raw(func(db any) error { return insertEach(db, mode, rows) })
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

func copyRows(ctx context.Context, db *conn.DB, rows [][]any) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(db any) error {
		var text bytes.Buffer
		for _, r := range rows {
			fmt.Fprintf(&text, "%v\t%v\t%v\t%v\t%v\n", r...)
		}
		_, err := db.(*stdlib.Conn).Conn().PgConn().CopyFrom(ctx, &text, "COPY orders FROM STDIN")
		return err
	})
}

func insertMany(ctx context.Context, tx *sql.Tx, mode string, rows [][]any) error {
	for len(rows) > 0 {
		part := rows[:min(len(rows), 5000)]
		rows = rows[len(part):]
		text := "INSERT INTO orders VALUES " + strings.TrimSuffix(strings.Repeat("(?,?,?,?,?),", len(part)), ",")
		if mode == "upsert" {
			text += " ON DUPLICATE KEY UPDATE name = VALUES(name), email = VALUES(email), plan = VALUES(plan), balance = VALUES(balance)"
		}
		var args []any
		for _, r := range part {
			args = append(args, r...)
		}
		if _, err := tx.ExecContext(ctx, text, args...); err != nil {
			return err
		}
	}
	return nil
}

const onConflict = " ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email, plan = excluded.plan, balance = excluded.balance"

// upsertPipelined sends all rows before it waits for the first answer.
func upsertPipelined(ctx context.Context, c *pgx.Conn, rows [][]any) error {
	var batch pgx.Batch
	for _, r := range rows {
		batch.Queue("INSERT INTO orders VALUES ($1,$2,$3,$4,$5)"+onConflict, r...)
	}
	return c.SendBatch(ctx, &batch).Close()
}

// insertEach runs a prepared statement for each row.
func insertEach(db any, mode string, rows [][]any) error {
	text := "INSERT INTO orders VALUES (?,?,?,?,?)"
	if mode == "upsert" {
		text += onConflict
	}
	ctx := context.Background() // with one that can end, the driver has a goroutine watch it for each row
	stmt, err := db.(driver.ConnPrepareContext).PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	defer stmt.Close()
	args := make([]driver.NamedValue, 5)
	for _, r := range rows {
		for i, v := range r {
			args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
		}
		if _, err := stmt.(driver.StmtExecContext).ExecContext(ctx, args); err != nil {
			return err
		}
	}
	return nil
}
