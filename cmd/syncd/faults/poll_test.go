//go:build linux

package faults

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const pollConf = `
connection "http" "api" { base_url = "http://%s" }
source "poll" "records" {
  connection = connection.http.api
  every      = "1h"
  %s
  records    = "response.body.data"
  request { path = "/records" }
  paginate "token" {
    next  = "response.body.next"
    query = "after"
  }
  retry {
    initial = "10ms"
    max     = "50ms"
  }
}
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
flow "records" {
  from = [source.poll.records, source.webhook.in]
  to   = sink.files.out
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
`

// pollAPI gives total records in pages, by tokens. At certain requests it asks for
// the daemon to be killed, before it answers or in the middle of a page; unless it is
// kind, it is as APIs are on their bad days.
type pollAPI struct {
	addr        string
	total, page int
	kind        bool
	kills       map[int]bool // by the number of the request; true: in the middle of the answer
	kill        chan bool

	mu       sync.Mutex
	requests int
	epoch    int // tokens of an earlier one have expired
	troubles map[string]int
}

func newPollAPI(t *testing.T, a *pollAPI) *pollAPI {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a.addr, a.kill, a.troubles = l.Addr().String(), make(chan bool), map[string]int{}
	server := &http.Server{Handler: a}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return a
}

func (a *pollAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests++
	n := a.requests
	inside, kills := a.kills[n]
	if kills && !inside {
		a.mu.Unlock()
		a.murder(r, false)
		return
	}
	from, ok := a.place(r.FormValue("after"))
	next := a.token(from + a.page)
	trouble := ""
	if !a.kind && !kills {
		trouble = a.trouble(n, from, &next)
	}
	a.mu.Unlock()
	if !ok {
		http.Error(w, "this token has expired", http.StatusGone)
		return
	}
	switch trouble {
	case "429":
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case "500":
		w.WriteHeader(http.StatusInternalServerError)
		return
	case "html":
		fmt.Fprint(w, "<html><title>We will be back soon</title></html>")
		return
	}
	page := a.text(from, next)
	switch {
	case kills:
		w.Write([]byte(page[:len(page)*3/4]))
		w.(http.Flusher).Flush()
		a.murder(r, true)
	case trouble == "cut":
		w.Header().Set("Content-Length", strconv.Itoa(len(page)))
		w.Write([]byte(page[:len(page)/2]))
	default:
		w.Write([]byte(page))
	}
}

// murder has the daemon killed while it waits for an answer.
func (a *pollAPI) murder(r *http.Request, inside bool) {
	select {
	case a.kill <- inside:
		<-r.Context().Done()
	case <-r.Context().Done():
	}
}

func (a *pollAPI) token(from int) string {
	if from >= a.total {
		return "null"
	}
	return fmt.Sprintf(`"%d-%d"`, a.epoch, from)
}

func (a *pollAPI) place(token string) (from int, ok bool) {
	if token == "" {
		return 0, true
	}
	epoch, n, _ := strings.Cut(token, "-")
	from, _ = strconv.Atoi(n)
	return from, epoch == strconv.Itoa(a.epoch)
}

// trouble is what goes wrong with request n.
func (a *pollAPI) trouble(n, from int, next *string) string {
	pages := a.total / a.page
	what := ""
	switch {
	case n >= pages/3 && a.troubles["expired"] == 0:
		what = "expired"
		a.epoch++ // the token that this answer holds is good for nothing
	case n%(pages/3) == 5:
		what = "loop"
		*next = a.token(from)
	case n >= pages/2 && a.troubles["429"] == 0:
		what = "429"
	case n%17 == 3:
		what = "500"
	case n%17 == 9:
		what = "cut"
	case n%50 == 20:
		what = "html"
	}
	if what != "" {
		a.troubles[what]++
	}
	return what
}

// text is a page. An unkind API gives some records of the page before once more, and
// all in another order each time.
func (a *pollAPI) text(from int, next string) string {
	first := from
	if !a.kind && from > 0 {
		first -= a.page / 10
	}
	numbers := make([]int, 0, a.page*2)
	for n := first; n < min(from+a.page, a.total); n++ {
		numbers = append(numbers, n)
	}
	if !a.kind {
		rand.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	}
	var b strings.Builder
	b.WriteString(`{"data":[`)
	for i, n := range numbers {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"r%d","n":%d,"name":"Customer %d","active":%t}`, n, n, n, n%2 == 0)
	}
	fmt.Fprintf(&b, `],"next":%s}`, next)
	return b.String()
}

// An API that is no friend of ours is read by a daemon that is killed again and again,
// between pages and inside of them: every record is there, and each once.
func TestPollOfAnUnkindAPI(t *testing.T) {
	total, kills := 30_000, 4
	switch {
	case long && len(raceFlags) == 0:
		total, kills = 1_000_000, 10
	case long: // the race detector takes ten times as long
		total, kills = 100_000, 10
	}
	a := newPollAPI(t, &pollAPI{total: total, page: 1000, kills: killsAt(total/1000, kills)})
	s := pollThrough(t, a, kills, `id = "record.id"`)
	if s.Duplicates == 0 {
		t.Error("the API repeats records, and none was a duplicate")
	}
	for _, what := range []string{"expired", "loop", "429", "500", "cut"} {
		if a.troubles[what] == 0 {
			t.Errorf("the API was never as unkind as that: %s", what)
		}
	}
	t.Logf("%d requests, %v, %d duplicates", a.requests, a.troubles, s.Duplicates)
}

// Of an API that says the same each time, everything is there once, though nothing
// tells one record from another.
func TestPollWithoutIDs(t *testing.T) {
	total, kills := 20_000, 4
	if long {
		total, kills = 100_000, 10
	}
	a := newPollAPI(t, &pollAPI{total: total, page: 2000, kind: true, kills: killsAt(total/2000, kills)})
	pollThrough(t, a, kills, "")
}

// killsAt spreads kills over the requests of a run, between and inside pages in turn.
func killsAt(pages, kills int) map[int]bool {
	at := map[int]bool{}
	for k := range kills {
		at[2+k*max(pages/kills, 2)] = k%2 == 0
	}
	return at
}

// pollThrough lets the daemon read the API to the end, killing it as that wants.
func pollThrough(t *testing.T, a *pollAPI, kills int, more string) (source struct{ Accepted, Duplicates int64 }) {
	t.Helper()
	dir := t.TempDir()
	configure(t, dir, fmt.Sprintf(pollConf, a.addr, more))
	d := launch(t, dir)
	for range kills {
		select {
		case <-a.kill:
		case <-time.After(15 * time.Minute):
			t.Fatalf("no further request after %d", a.requests)
		}
		<-time.After(rand.N(40 * time.Millisecond)) // the moment is the point
		d.kill()
		d = launch(t, dir)
	}
	deadline := time.Now().Add(15 * time.Minute)
	for source.Accepted < int64(a.total) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d records after 15 minutes", source.Accepted, a.total)
		}
		s, err := d.status()
		if err == nil {
			source.Accepted, source.Duplicates = s.Sources[0].Accepted, s.Sources[0].Duplicates
		}
		<-time.After(50 * time.Millisecond) // it is another process
	}
	s := d.drained()
	d.stop()
	if got := s.Sources[0]; got.Accepted != int64(a.total) || got.Dead != 0 {
		t.Errorf("%d accepted of %d, %d dead", got.Accepted, a.total, got.Dead)
	}
	counts := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	for n := range a.total {
		if counts[n] != 1 {
			t.Fatalf("record %d is there %d times", n, counts[n])
		}
	}
	if len(counts) != a.total {
		t.Errorf("%d records of %d", len(counts), a.total)
	}
	return source
}
