package sql

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

// A server that goes away in the middle, or freezes and thaws when nobody waits any
// more, and then does what it was told before: nothing is lost, nothing is there twice.
func TestBrokenNetwork(t *testing.T) {
	for _, d := range []conn.Dialect{conn.Postgres, conn.MySQL} {
		t.Run(string(d), func(t *testing.T) {
			database := sqltest.New(t, d)
			by, proxy := sqltest.Through(t, database)
			despite(t, by, database, func(first bool, at time.Duration, kind int) (end func()) {
				var frozen, thawed *time.Timer
				switch {
				case first:
					proxy.Freeze()
					thawed = time.AfterFunc(beyond, proxy.Thaw)
				case kind == 0:
					frozen = time.AfterFunc(at, proxy.Cut)
				case kind == 1:
					frozen = time.AfterFunc(at, proxy.Freeze)
					thawed = time.AfterFunc(beyond, proxy.Thaw)
				}
				return func() {
					for _, timer := range []*time.Timer{frozen, thawed} {
						if timer != nil && timer.Stop() {
							proxy.Thaw()
						}
					}
				}
			})
			proxy.Thaw()
		})
	}
}

// The same with processes of PostgreSQL that are stopped, and go on later with what they
// have been sent meanwhile.
func TestFrozenServer(t *testing.T) {
	database := sqltest.New(t, conn.Postgres)
	by := *database
	name := "syncd_test_" + strings.ToLower(rand.Text())
	by.DSN = component.NewSecret(database.DSN.Reveal() + "&application_name=" + name)
	db := sqltest.Open(t, database)
	var thawing sync.WaitGroup
	defer thawing.Wait()
	despite(t, &by, database, func(first bool, at time.Duration, kind int) (end func()) {
		if !first && kind > 0 {
			return func() {}
		}
		if first {
			at = 0
		}
		pids := sqltest.Rows(t, db, "SELECT pid FROM pg_stat_activity WHERE application_name = '"+name+"'")
		thawing.Go(func() {
			<-time.After(at / 4)
			signalPostgres(t, pids, syscall.SIGSTOP)
			<-time.After(beyond) // into the next call
			signalPostgres(t, pids, syscall.SIGCONT)
		})
		return func() {}
	})
}

// A process of PostgreSQL that is stopped before it has read anything goes on when another
// has done what it was sent: it must not do that, too.
func TestServerThatComesTooLate(t *testing.T) {
	database := sqltest.New(t, conn.Postgres)
	by := *database
	name := "syncd_test_" + strings.ToLower(rand.Text())
	by.DSN = component.NewSecret(database.DSN.Reveal() + "&application_name=" + name)
	db := sqltest.Open(t, database)
	pids := func() []string {
		return sqltest.Rows(t, db, "SELECT pid FROM pg_stat_activity WHERE application_name = '"+name+"'")
	}
	e := newEngine(t, &by, &Config{Table: "log"})
	sqltest.Exec(t, db, "CREATE TABLE log (id bigint)")
	all := numbered(30)
	e.all(all[:10]...)
	late := pids()
	signalPostgres(t, late, syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if left := unsettled(t, all[10:20], e.sink.Deliver(ctx, all[10:20])); len(left) != 10 {
		t.Errorf("of ten, %d were not done in time", len(left))
	}
	e.sink.Forget()
	e.all(all[10:20]...)
	signalPostgres(t, late, syscall.SIGCONT)
	for slices.ContainsFunc(late, func(pid string) bool { return slices.Contains(pids(), pid) }) {
		<-time.After(time.Millisecond)
	}
	e.all(all[20:]...)
	want(t, sqltest.Rows(t, db, "SELECT count(*), count(DISTINCT id) FROM log"), "30|30")
}

// signalPostgres signals processes of a server on this machine.
func signalPostgres(t *testing.T, pids []string, s syscall.Signal) {
	for _, text := range pids {
		comm, err := os.ReadFile("/proc/" + text + "/comm")
		if errors.Is(err, fs.ErrNotExist) {
			continue // the connection has gone
		}
		pid, _ := strconv.Atoi(text)
		if err != nil || strings.TrimSpace(string(comm)) != "postgres" || syscall.Kill(pid, s) != nil {
			t.Errorf("process %s is no postgres of this machine that may be signalled", text)
		}
	}
}

const (
	// patience is how long a call may take in these tests.
	patience = 300 * time.Millisecond
	// beyond is when nobody waits any more.
	beyond = patience + 10*time.Millisecond
)

// despite delivers numbered events by one way to the database, in calls each of which
// something may disturb, from some moment within the call on; and wants each there once.
func despite(t *testing.T, by, database *conn.Config, disturb func(first bool, at time.Duration, kind int) (end func())) {
	t.Helper()
	events := 160
	if os.Getenv("SYNCD_CHECK") != "" {
		events = 1000
	}
	e := newEngine(t, by, &Config{Table: "log"})
	db := sqltest.Open(t, database)
	sqltest.Exec(t, db, "CREATE TABLE log (id bigint)")
	r := mathrand.New(mathrand.NewPCG(uint64(len(database.Driver)), 7))
	e.all(event(obj{"id": int64(-1)}))
	trouble := 0
	for open := numbered(events); len(open) > 0; {
		call := open[:min(20, len(open))]
		end := disturb(trouble == 0, time.Duration(r.Int64N(int64(8*time.Millisecond))), r.IntN(3))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		result := e.sink.Deliver(ctx, call)
		cancel()
		end()
		left := unsettled(t, call, result)
		trouble += min(len(left), 1)
		e.settle(result)
		if len(left) == len(call) {
			e.sink.Forget() // as the engine does when a call settles nothing
		}
		open = append(left, open[len(call):]...)
	}
	want(t, sqltest.Rows(t, db, "SELECT count(*), count(DISTINCT id) FROM log"), fmt.Sprintf("%d|%d", events+1, events+1))
	t.Logf("%d calls met trouble", trouble)
}

// unsettled are the deliveries that failed, none of them for good.
func unsettled(t *testing.T, call []component.Delivery, r component.Result) (left []component.Delivery) {
	t.Helper()
	for i, err := range r.Errors {
		if err == nil {
			continue
		}
		if component.IsPermanent(err) || component.IsUnwell(err) {
			t.Fatalf("got %v, want an error that may pass", err)
		}
		left = append(left, call[i])
	}
	return left
}
