package poll

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/expr"
)

func TestFold(t *testing.T) {
	tests := []struct {
		keep       string
		soFar, v   any
		from, want any
		say        string
	}{
		{"max", nil, int64(3), nil, int64(3), ""},
		{"max", int64(3), int64(2), nil, int64(3), ""},
		{"max", int64(3), 3.5, nil, 3.5, ""},
		{"max", int64(9007199254740993), int64(9007199254740992), nil, int64(9007199254740993), ""},
		{"max", json.Number("99999999999999999999"), json.Number("100000000000000000000"), nil, json.Number("100000000000000000000"), ""},
		{"max", "9", "10", nil, "10", ""},
		{"max", "b", "a", nil, "b", ""},
		{"max", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+02:00", nil, "2026-01-01T00:00:00Z", ""},
		{"max", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.25Z", nil, "2026-01-01T00:00:00.5Z", ""},
		{"max", "2026-01-01", nil, nil, "2026-01-01", ""},
		{"max", nil, time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), nil, "2026-01-02T03:04:05.000006Z", ""},
		{"max", "a", int64(1), nil, nil, `the cursor 1 cannot be compared with "a"`},
		{"max", nil, []any{}, nil, nil, "cursor.next yields a list; a cursor is a text, a number or a time"},
		{"last", "b", "a", nil, "a", ""},
		{"last", int64(5), int64(4), int64(4), int64(4), ""},
		{"last", int64(5), int64(3), int64(4), nil, "the cursor goes backwards, from 4 to 3"},
		{"last", nil, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", nil, "goes backwards"},
	}
	for _, test := range tests {
		c := Cursor{Keep: test.keep}
		got, err := c.fold(test.soFar, test.v, test.from)
		if diff := cmp.Diff(test.want, got); diff != "" || (err == nil) != (test.say == "") || err != nil && !strings.Contains(err.Error(), test.say) {
			t.Errorf("%v after %v: %v, %v", test.v, test.soFar, got, err)
		}
	}
}

func TestBefore(t *testing.T) {
	for _, test := range []struct{ v, want any }{
		{"2026-01-01T00:04:00Z", "2025-12-31T23:59:00Z"},
		{"2026-01-01T00:04:00.120Z", "2025-12-31T23:59:00.120Z"},
		{"2026-01-01T00:04:00+00:00", "2025-12-31T23:59:00+00:00"},
		{"2026-01-01T00:04:00.5-0300", "2025-12-31T23:59:00.5-0300"},
		{"2026-01-01 00:04:00", "2025-12-31 23:59:00"},
		{"2026-01-01", "2025-12-31"},
		{int64(1767225600), int64(1767225300)},
		{int64(1767225600123), int64(1767225300123)},
		{1767225600.5, 1767225300.5},
		{"1767225600", "1767225300"},
		{"0000-01-01 00:04:00", "0000-01-01 00:04:00"},
		{nil, nil},
		{int64(42), "the cursor 42 is no time"},
		{"abc", `the cursor "abc" is no time`},
	} {
		got, err := before(test.v, 5*time.Minute)
		if err != nil {
			if !strings.HasPrefix(err.Error(), fmt.Sprint(test.want)) {
				t.Errorf("%v: %v", test.v, err)
			}
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%v: %s", test.v, diff)
		}
	}
}

func FuzzBefore(f *testing.F) {
	for _, s := range []string{"2026-01-01T00:04:00.5-0300", "1767225600", "Mon, 02 Jan 2006 15:04:05 MST"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := before(s, time.Minute); err == nil {
			if _, ok := order(s, v); !ok {
				t.Fatalf("%q and %q cannot be compared", s, v)
			}
		}
	})
}

func TestCursorFromRunToRun(t *testing.T) {
	have := 30
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		since, _ := time.Parse(time.RFC3339, r.FormValue("since"))
		from := max(0, int(since.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))/time.Second))
		fmt.Fprintf(w, `{"data":[%s]}`, records(min(from, have), have))
	})
	p := newPoller(t, api.URL, newMemory(true), func(c *Config) {
		c.Request.Query = map[string]expr.Template{"since": tmpl("{{ cursor }}", expr.Text)}
		c.Cursor = &Cursor{Initial: "2025-01-01T00:00:00Z", Next: x("record.at"), From: "record", Keep: "max", Overlap: 5 * time.Second}
	})
	p.complete(1)
	if p.cursor() != `"2026-01-01T00:00:29Z"` {
		t.Errorf("cursor %s", p.cursor())
	}
	have = 40
	p.complete(1)
	commits := p.accepts
	p.complete(1)
	p.once(t, 40)
	want := []string{"GET /records?since=2025-01-01T00%3A00%3A00Z", "GET /records?since=2026-01-01T00%3A00%3A24Z", "GET /records?since=2026-01-01T00%3A00%3A34Z"}
	if diff := cmp.Diff(want, api.asked()); diff != "" {
		t.Error(diff)
	}
	if p.duplicates != 6+6 || p.cursor() != `"2026-01-01T00:00:39Z"` {
		t.Errorf("%d duplicates, cursor %s, %d commits", p.duplicates, p.cursor(), commits)
	}
}

// A cursor is taken when the run is complete, not before.
func TestCursorOfARunThatFails(t *testing.T) {
	down := true
	inner := tokens(300, 100)
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if down && r.FormValue("after") == "200" {
			w.WriteHeader(500)
			return
		}
		inner(w, r)
	})
	p := newPoller(t, api.URL, newMemory(false), func(c *Config) {
		byToken(c)
		c.Cursor = &Cursor{Initial: int64(0), Next: x("record.n"), From: "record", Keep: "max"}
	})
	p.fails("page 3")
	if p.cursor() != "" {
		t.Errorf("cursor %s", p.cursor())
	}
	down = false
	again := newPoller(t, api.URL, p.memory, func(c *Config) { *c = *p.cfg })
	again.complete(1)
	p.once(t, 300)
	if p.cursor() != "299" || len(p.state) != 1 {
		t.Errorf("state %s", p.state)
	}
}

// The answer hands out a link for next time, until the server forgets it.
func TestCursorFromResponse(t *testing.T) {
	have, forgotten := 20, false
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/records":
			fmt.Fprintf(w, `{"data":[%s],"next":"/more?from=10"}`, records(0, 10))
		case forgotten:
			http.Error(w, "resync", http.StatusGone)
		default:
			from := number0(r.FormValue("from"))
			fmt.Fprintf(w, `{"data":[%s],"delta":"/delta?from=%d"}`, records(from, have), have)
		}
	})
	p := newPoller(t, api.URL, newMemory(true), func(c *Config) {
		c.Paginate = &Paginate{NextURL: &NextURL{Next: x("response.body.next")}}
		c.Cursor = &Cursor{Next: x("response.body.delta"), From: "response", As: "url", Reset: x("response.status == 410")}
	})
	p.complete(1)
	have = 25
	p.complete(1)
	p.complete(1)
	want := []string{"GET /records", "GET /more?from=10", "GET /delta?from=20", "GET /delta?from=25"}
	if diff := cmp.Diff(want, api.asked()); diff != "" {
		t.Error(diff)
	}
	p.once(t, 25)
	forgotten = true
	p.fails("answered 410 Gone: resync")
	if diff := cmp.Diff([]string{"GET /delta?from=25", "GET /records", "GET /more?from=10"}, api.asked()[:3]); diff != "" {
		t.Error(diff)
	}
	forgotten = false
	p.complete(1)
	p.once(t, 25)
	if !strings.Contains(p.log.String(), "all is read again from the beginning") {
		t.Errorf("log %s", p.log)
	}
}

func TestOnlyChanged(t *testing.T) {
	text := []string{`{"id":1,"a":"x","n":0}`, `{"n":0,"a":"x","id":1}`, `{"id":1,"a":"y","n":0}`, `{"id":1,"a":"x","n":0}`}
	i := 0
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"data":[%s]}`, text[i]) })
	p := newPoller(t, api.URL, newMemory(true), func(c *Config) { c.OnlyChanged = true })
	for i = range text {
		p.complete(1)
	}
	if len(p.events) != 3 || p.duplicates != 1 {
		t.Errorf("%q, %d duplicates", p.events, p.duplicates)
	}
}
