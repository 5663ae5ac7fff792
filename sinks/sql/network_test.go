package sql

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

// A server that goes away in the middle, or freezes and thaws when nobody waits any
// more, and then does what it was told before: nothing is lost, nothing is there twice.
func TestBrokenNetwork(t *testing.T) {
	events := 160
	if os.Getenv("SYNCD_CHECK") != "" {
		events = 1000
	}
	for _, d := range []conn.Dialect{conn.Postgres, conn.MySQL} {
		t.Run(string(d), func(t *testing.T) {
			database := sqltest.New(t, d)
			by, proxy := sqltest.Through(t, database)
			e := newEngine(t, by, &Config{Table: "log"})
			db := sqltest.Open(t, database)
			sqltest.Exec(t, db, "CREATE TABLE log (id bigint)")
			r := rand.New(rand.NewPCG(uint64(len(d)), 7))
			e.all(event(obj{"id": int64(-1)}))
			trouble := 0
			for open := numbered(events); len(open) > 0; {
				call := open[:min(20, len(open))]
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				at := time.Duration(r.Int64N(int64(8 * time.Millisecond)))
				var frozen, thawed *time.Timer
				kind := r.IntN(3)
				switch {
				case trouble == 0: // there is some at least
					proxy.Freeze()
					thawed = time.AfterFunc(310*time.Millisecond, proxy.Thaw)
				case kind == 0:
					frozen = time.AfterFunc(at, proxy.Cut)
				case kind == 1:
					frozen = time.AfterFunc(at, proxy.Freeze)
					thawed = time.AfterFunc(310*time.Millisecond, proxy.Thaw)
				}
				result := e.sink.Deliver(ctx, call)
				cancel()
				for _, timer := range []*time.Timer{frozen, thawed} {
					if timer != nil && timer.Stop() {
						proxy.Thaw()
					}
				}
				left := unsettled(t, call, result)
				trouble += min(len(left), 1)
				e.settle(result)
				if len(left) == len(call) {
					e.sink.Forget() // as the engine does when a call settles nothing
				}
				open = append(left, open[len(call):]...)
			}
			proxy.Thaw()
			want(t, sqltest.Rows(t, db, "SELECT count(*), count(DISTINCT id) FROM log"), fmt.Sprintf("%d|%d", events+1, events+1))
			t.Logf("%d calls met trouble", trouble)
		})
	}
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
