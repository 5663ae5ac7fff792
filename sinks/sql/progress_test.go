package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

func numbered(n int) []component.Delivery {
	ds := make([]component.Delivery, n)
	for i := range ds {
		ds[i] = event(obj{"id": int64(i)})
	}
	return ds
}

// What was stored and not settled comes again, in other calls, and is not stored again.
func TestOnceAfterCrash(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "log"})
		sqltest.Exec(t, e.db, "CREATE TABLE log (id bigint)") // nothing but us keeps a row from being there twice
		ds := numbered(300)
		e.all(ds[:100]...)
		e.sink.Deliver(t.Context(), ds[100:200]) // and the daemon is killed
		e.start()
		e.all(ds[100:130]...)
		e.start() // in the middle of what comes again
		e.all(ds[130:250]...)
		e.start()
		e.all(ds[250:]...)
		want(t, e.rows("SELECT count(*), count(DISTINCT id), sum(id) FROM log"), "300|300|44850")
		e.all(event(obj{"id": int64(0)}))
		// What has been settled is removed. Left are the fence, the last call, and the one
		// of which a part had been settled at another crash.
		want(t, e.rows("SELECT count(*) FROM syncd_progress"), "3")
	})
}

// Histories of calls, of which some are forgotten, settled or not, some interrupted.
func TestOnceHistories(t *testing.T) {
	seeds := 5
	if os.Getenv("SYNCD_CHECK") != "" {
		seeds = 100
	}
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		db := sqltest.Open(t, database)
		sqltest.Exec(t, db, "CREATE TABLE log (id bigint)")
		for seed := range uint64(seeds) {
			history(t, database, rand.New(rand.NewPCG(seed, 1)))
			sum := sqltest.Rows(t, db, "SELECT count(*), count(DISTINCT id) FROM log")
			want(t, sum, "200|200")
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			sqltest.Exec(t, db, "DELETE FROM log")
		}
	})
}

func history(t *testing.T, database *conn.Config, r *rand.Rand) {
	e := newEngine(t, database, &Config{Table: "log"})
	defer e.db.Close()
	open := numbered(200)
	for len(open) > 0 {
		ctx, cancel := context.WithCancel(t.Context())
		n := min(1+r.IntN(60), len(open))
		if r.IntN(3) == 0 { // gives up at some moment, COMMIT included
			time.AfterFunc(time.Duration(r.Int64N(int64(3*time.Millisecond))), cancel)
		}
		result := e.sink.Deliver(ctx, open[:n])
		cancel()
		switch r.IntN(4) {
		case 0:
			e.sink.Forget() // the settlement failed
			continue
		case 1:
			e.start() // killed before it
			continue
		}
		e.settle(result)
		var left []component.Delivery
		for i, err := range result.Errors {
			if err != nil {
				left = append(left, open[i])
			}
		}
		open = append(left, open[n:]...)
		if r.IntN(4) == 0 {
			e.start() // killed after it
		}
	}
}

// Two sinks, of two daemons perhaps, do not mind each other's progress.
func TestProgressOfOthers(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		one := newEngine(t, database, &Config{Table: "log"})
		sqltest.Exec(t, one.db, "CREATE TABLE log (id bigint)")
		other := newEngine(t, database, &Config{Table: "log"})
		first := numbered(10)
		one.sink.Deliver(t.Context(), first) // never settled here
		other.all(numbered(10)...)
		other.all(numbered(10)...)
		one.start()
		one.all(first...)
		want(t, one.rows("SELECT count(*) FROM log"), "30")
		for range 3 { // and in turns
			other.all(numbered(10)...)
			one.all(numbered(10)...)
		}
		want(t, one.rows("SELECT count(*) FROM log"), "90")
	})
}

// An unsettled transaction that still goes on at the server, of a daemon that has gone,
// is waited for.
func TestFence(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		if database.Driver == string(conn.SQLite) {
			t.Log("a process that has gone leaves nothing behind in SQLite")
			return
		}
		e := newEngine(t, database, &Config{Table: "log"})
		sqltest.Exec(t, e.db, "CREATE TABLE log (id bigint)")
		e.all(numbered(1)...)
		ds := numbered(1)

		tx, err := e.db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		left := newEntry([]row{{id: idOf(ds[0].ID)}})
		statements := []string{
			"UPDATE syncd_progress SET at = at WHERE batch = '" + e.sink.progress.fence + "'",
			"INSERT INTO log VALUES (0)",
			fmt.Sprintf("INSERT INTO syncd_progress SELECT '%s', sink, at, %s FROM syncd_progress WHERE batch = '%s'", left.batch,
				map[string]string{"postgres": fmt.Sprintf(`'\x%x'::bytea`, left.members), "mysql": fmt.Sprintf("x'%x'", left.members)}[database.Driver], e.sink.progress.fence),
		}
		if database.Driver == "mysql" { // SET at = at locks, but is optimised away by nobody
			statements[0] = "SELECT * FROM syncd_progress WHERE batch = '" + e.sink.progress.fence + "' FOR UPDATE"
		}
		for _, s := range statements {
			if _, err := tx.Exec(s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
		e.start()
		ended := make(chan []error)
		go func() { ended <- e.sink.Deliver(t.Context(), ds).Errors }()
		select {
		case errs := <-ended:
			t.Errorf("it did not wait: %v", errs)
		case <-time.After(100 * time.Millisecond):
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if errs := <-ended; errs[0] != nil {
			t.Error(errs)
		}
		want(t, e.rows("SELECT count(*) FROM log"), "2")
	})
}

// A call that is cancelled ends at once, and says that it is worth another try.
func TestCancelled(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "log"})
		sqltest.Exec(t, e.db, "CREATE TABLE log (id bigint)")
		e.all(numbered(1)...)
		tx, err := e.db.Begin() // holds the fence
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		if _, err := tx.Exec("UPDATE syncd_progress SET sink = 'x' WHERE batch = '" + e.sink.progress.fence + "'"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		begun := time.Now()
		errs := e.sink.Deliver(ctx, numbered(2)).Errors
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %s to end", took)
		}
		for _, err := range errs {
			if err == nil || component.IsPermanent(err) || component.IsUnwell(err) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// The record names rows in a way that survives the journal.
func TestRecord(t *testing.T) {
	p := progress{settled: []string{"A"}}
	puts := p.end(&call{made: []string{"B"}})
	if raw, err := json.Marshal(puts[0].Value); err != nil || string(raw) != `["A","B"]` {
		t.Errorf("%s %v", raw, err)
	}
	if p.end(&call{}) != nil {
		t.Error("a call that did nothing puts something on record")
	}
}

// The rows that name deliveries are removed while calls follow each other so closely that
// there is always one that is not settled.
func TestProgressOfPipelinedCallsIsRemoved(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, database *conn.Config) {
		e := newEngine(t, database, &Config{Table: "log"})
		sqltest.Exec(t, e.db, "CREATE TABLE log (id bigint)")
		names := func() string { return e.rows("SELECT count(*) FROM syncd_progress WHERE batch NOT LIKE 'fence%'")[0] }
		e.all(numbered(5)...)
		var last component.Result
		for n := range 20 {
			if !e.sink.Pipelines() {
				t.Fatal("it does not take a call before the last one is settled")
			}
			r := e.sink.Deliver(t.Context(), numbered(5))
			e.commit(last)
			last = r
			want(t, []string{names()}, strconv.Itoa(min(1+n, 2)))
		}
		e.settle(last)
		e.all(numbered(5)...)
		want(t, []string{names()}, "1")
		want(t, e.rows("SELECT count(*) FROM log"), "110")
		e.start()
		e.all(numbered(5)...)
		want(t, []string{names()}, "1")
	})
}
