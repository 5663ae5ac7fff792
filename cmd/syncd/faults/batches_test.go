//go:build linux

package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

const batchConf = `
source "webhook" "in" {
  path = "/in"
  id   = "meta.header['x-id']"
  verify "none" {}
}
connection "http" "api" { base_url = %q }
sink "http" "api" {
  connection = connection.http.api
  batch {
    max    = 50
    within = "20ms"
  }
  results {
    each  = "response.body"
    match = "record.n == body.n"
    ok    = "record.ok"
    retry = "record.again"
  }
  retry {
    initial = "10ms"
    max     = "100ms"
  }
  breaker {
    failures = 50
    pause    = "50ms"
  }
}
flow "orders" {
  from = source.webhook.in
  split { each = "body" }
  to = sink.http.api
}
`

// batchAPI is a server that knows an Idempotency-Key again, and refuses some of what it
// gets: a row of number 7 mod 100 for good, and every third batch for the moment, or a
// row of it.
type batchAPI struct {
	mu       sync.Mutex
	bodies   map[string]string // by key
	done     map[string]bool   // rows, by key and number
	effects  map[int]int       // of rows
	other    []string          // keys that came with another body
	repeated int
	calls    int
}

func (a *batchAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return // the daemon is dead
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	if before, known := a.bodies[key]; known && before != string(text) {
		a.other = append(a.other, key)
	}
	a.bodies[key] = string(text)
	a.calls++
	if a.calls%3 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(a.take(key, text))
}

// take has the effect of a batch, as far as its key has not had it.
func (a *batchAPI) take(key string, text []byte) []byte {
	var rows []struct{ N int }
	if err := json.Unmarshal(text, &rows); err != nil {
		panic(err)
	}
	type result struct {
		N     int  `json:"n"`
		OK    bool `json:"ok"`
		Again bool `json:"again"`
	}
	var all []result
	for i, row := range rows {
		n := row.N
		again := i == 0 && a.calls%5 == 0
		ok := !again && n%100 != 7
		row := fmt.Sprint(key, n)
		switch {
		case a.done[row]:
			a.repeated++
			ok, again = true, false
		case ok:
			a.done[row] = true
			a.effects[n]++
		}
		all = append(all, result{n, ok, again})
	}
	answer, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return answer
}

// Killed again and again while it sends batches: a key has one body, whatever is
// killed when, and so each row has its effect once; what is refused is dead, alone.
func TestBatchesUnderKills(t *testing.T) {
	events, pause := 10_000, 200*time.Millisecond
	switch {
	case long && len(raceFlags) == 0:
		events, pause = 100_000, time.Second
	case long: // the race detector takes many times as long
		events, pause = 10_000, time.Second
	}
	a := &batchAPI{bodies: map[string]string{}, done: map[string]bool{}, effects: map[int]int{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	configure(t, dir, fmt.Sprintf(batchConf, server.URL))
	d, kills := takesListsUnderKills(t, dir, events, pause, 10)
	s := d.drained()
	d.stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	t.Logf("%d kills, %d requests, %d rows again", kills, a.calls, a.repeated)
	if len(a.other) > 0 {
		t.Errorf("%d keys came with another body", len(a.other))
	}
	for n := range events {
		want := 1
		if n%100 == 7 {
			want = 0
		}
		if a.effects[n] != want {
			t.Fatalf("row %d had its effect %d times", n, a.effects[n])
		}
	}
	if f := s.Flows[0]; f.Dropped+f.Filtered != 0 || f.Dead != int64(events/100) {
		t.Errorf("counts after all: %+v", f)
	}
}
