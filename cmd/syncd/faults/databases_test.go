//go:build linux

package faults

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
)

const databaseConf = `
source "webhook" "in" {
  path = "/in"
  id   = "meta.header['x-id']"
  verify "none" {}
}
connection "sql" "db" {
  driver = %q
  %s
}
sink "sql" "log" {
  connection = connection.sql.db
  table      = "log"
}
sink "sql" "state" {
  connection = connection.sql.db
  table      = "state"
  key        = ["id"]
  columns    = { id = "body.n %% 100", n = "body.n" }
}
flow "orders" {
  from = source.webhook.in
  split { each = "body" }
  to = [sink.sql.log, sink.sql.state]
}
`

// Killed every second while it fills a database: nothing is lost, and nothing is there
// twice, although nothing but syncd keeps it from that.
func TestDatabasesUnderKills(t *testing.T) {
	events, pause := 10_000, 200*time.Millisecond
	if long {
		events, pause = 100_000, time.Second
	}
	sqltest.Each(t, func(t *testing.T, cfg *conn.Config) {
		db := sqltest.Open(t, cfg)
		sqltest.Exec(t, db, "CREATE TABLE log (n bigint, amount decimal(20,2))", "CREATE TABLE state (id bigint PRIMARY KEY, n bigint)")
		where := fmt.Sprintf("dsn = %q", cfg.DSN.Reveal())
		dir := t.TempDir()
		configure(t, dir, fmt.Sprintf(databaseConf, cfg.Driver, where))
		d, kills := takesListsUnderKills(t, dir, events, pause, math.MaxInt)
		s := d.drained()
		d.stop()
		t.Logf("%d kills", kills)
		if f := s.Flows[0]; f.Dead+f.Dropped+f.Filtered != 0 {
			t.Errorf("counts after all: %+v", f)
		}
		n := int64(events)
		got := sqltest.Rows(t, db, fmt.Sprintf("SELECT count(*), count(DISTINCT n), sum(n), CASE WHEN sum(amount * 4) = %d THEN 'exact' END FROM log", n*(n-1)/2))
		want := []string{fmt.Sprintf("%d|%d|%d|exact", n, n, n*(n-1)/2)}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("log (-want +got):\n%s", d)
		}
		got = sqltest.Rows(t, db, "SELECT count(*), sum(n) FROM state")
		if d := cmp.Diff([]string{fmt.Sprintf("100|%d", 100*(n-100)+99*100/2)}, got); d != "" {
			t.Errorf("state (-want +got):\n%s", d)
		}
	})
}

// takesListsUnderKills posts the events to a daemon that is killed again and again until
// it has delivered all, or has been killed most times and all are posted; and gives the one
// that runs then.
func takesListsUnderKills(t *testing.T, dir string, events int, pause time.Duration, most int) (d *daemon, kills int) {
	t.Helper()
	d = launch(t, dir)
	var url atomic.Value
	url.Store(d.url + "/in")
	posted := make(chan error, 1)
	go func() { posted <- postLists(&url, events) }()
	for pending := true; pending; {
		<-time.After(pause) // the moment is the point
		d.kill()
		kills++
		d = launch(t, dir)
		url.Store(d.url + "/in")
		select {
		case err := <-posted:
			if err != nil {
				t.Fatal(err)
			}
			posted <- nil
			s, err := d.status()
			pending = err != nil || s.Flows[0].Pending > 0 && kills < most
		default:
		}
	}
	return d, kills
}

// postLists posts events in lists of a hundred, each list again and again until it is
// accepted.
func postLists(url *atomic.Value, events int) error {
	c := client()
	defer c.CloseIdleConnections()
	for first := 0; first < events; first += 100 {
		var body strings.Builder
		for n := first; n < first+100; n++ {
			fmt.Fprintf(&body, `,{"n":%d,"amount":"%d.%02d"}`, n, n/4, n%4*25)
		}
		text := "[" + body.String()[1:] + "]"
		for deadline := time.Now().Add(time.Minute); ; {
			req, err := http.NewRequest(http.MethodPost, url.Load().(string), strings.NewReader(text))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("X-Id", fmt.Sprint(first))
			res, err := c.Do(req)
			if err == nil {
				res.Body.Close()
				if res.StatusCode == http.StatusAccepted {
					break
				}
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("list %d is not accepted within a minute: %w", first, errors.Join(errors.New("no 202"), err))
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	return nil
}
