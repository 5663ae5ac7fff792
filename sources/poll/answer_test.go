package poll

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

func TestBadAnswers(t *testing.T) {
	tests := []struct {
		name, typ, body, records, say string
		status                        int
	}{
		{"HTML", "text/html", "<!doctype html><title> Please log in </title>", "", `page 1: GET URL/records: the answer is HTML, not data: "Please log in"`, 200},
		{"HTML that says it is JSON", "application/json", "<html>", "", `the answer is HTML, not data: "<html>"`, 200},
		{"nothing", "application/json", " \n", "", "page 1: GET URL/records: the answer is empty", 200},
		{"no list", "application/json", `{"data":{"a":1}}`, "", `"data" is no list`, 200},
		{"no such field", "application/json", `{"items":[],"total":0}`, "", `nothing is called "data"; there are items, total`, 200},
		{"an object as a whole", "application/json", `{"items":[]}`, "response.body", `the answer is no list; name the list in it: records = "response.body.…"`, 200},
		{"computed, and no list", "application/json", `{"items":{}}`, "response.body.items ?? []", "records: 1:1: the result is an object, but a list is needed", 200},
		{"cut JSON", "application/json", `{"data":[{"n":1},{"n"`, "", "the document ends in the middle", 200},
		{"a picture", "image/png", "\x89PNG", "", "the answer is image/png, which holds no records", 200},
		{"500", "text/plain", "boom", "", "page 1: GET URL/records: answered 500 Internal Server Error: boom", 500},
		{"404", "application/json", `{"error":"no"}`, "", `answered 404 Not Found: {"error":"no"}`, 404},
		{"not modified, unasked", "", "", "", "answered 304 Not Modified", 304},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.typ)
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			})
			p := newPoller(t, api.URL, newMemory(false), func(c *Config) {
				if test.records != "" {
					c.Records = x(test.records)
				}
			})
			p.fails(strings.ReplaceAll(test.say, "URL", api.URL))
			if len(p.events) > 1 || len(p.state) > 1 {
				t.Errorf("%d events, state %s", len(p.events), p.state)
			}
		})
	}
}

func TestNothingNew(t *testing.T) {
	for _, body := range []string{"", `{"data":[]}`, `{"data":null}`} {
		api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if body == "" {
				w.WriteHeader(http.StatusNoContent)
			}
			fmt.Fprint(w, body)
		})
		p := newPoller(t, api.URL, newMemory(false), func(c *Config) { c.Cursor = &Cursor{Next: x("record.n"), From: "record", Keep: "max"} })
		p.complete(1)
		if p.accepts != 0 {
			t.Errorf("%q: %d commits", body, p.accepts)
		}
	}
}

func TestEndlessAnswer(t *testing.T) {
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"data":[`)
		for n := 0; r.Context().Err() == nil; n++ {
			if _, err := fmt.Fprintf(w, `{"n":%d},`, n); err != nil {
				return
			}
		}
	})
	p := newPoller(t, api.URL, newMemory(false), func(c *Config) { c.MaxBody = 1 << 20 })
	p.fails("the answer is longer than 1048576 bytes")
	api.CloseClientConnections()
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{"7": 7 * time.Second, "": 0, "999999999": 24 * time.Hour, "soon": 0, "-3": 0} {
		api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		if err := newPoller(t, api.URL, newMemory(false), nil).try(); component.Wait(err) != want {
			t.Errorf("%q: %s, %v", value, component.Wait(err), err)
		}
	}
}

func TestFormats(t *testing.T) {
	tests := []struct {
		name, typ, body, records string
		want, faults             []string
	}{
		{"JSON", "application/json; charset=utf-8", `{"data":[{"a":1},2,"x"]}`, "response.body.data", []string{`{"a":1}`, `2`, `"x"`}, nil},
		{"JSON of no type", "", `[{"a":1}]`, "response.body", []string{`{"a":1}`}, nil},
		{"JSON as text", "text/plain", `{"data":[{"a":1}]}`, "response.body.data", []string{`{"a":1}`}, nil},
		{"vendor's JSON", "application/vnd.api+json", `{"data":[{"a":1}]}`, "response.body.data", []string{`{"a":1}`}, nil},
		{"computed", "application/json", `{"data":[{"a":1},{"a":2}]}`, "filter(response.body.data, .a > 1)", []string{`{"a":2}`}, nil},
		{"NDJSON", "application/x-ndjson", "{\"a\":1}\n\n{\"a\":2}\nno\n", "response.body", []string{`{"a":1}`, `{"a":2}`}, []string{"page 1, record 3: "}},
		{"CSV", "text/csv", "a,b\n1,x\n2\n3,\"y, z\"\n", "response.body", []string{`{"a":"1","b":"x"}`, `{"a":"3","b":"y, z"}`}, []string{"page 1, record 2: "}},
		{"XML", "application/xml", "<r><o><a>1</a></o><o><a>2</a></o></r>", "response.body.r.o", []string{`{"a":"1"}`, `{"a":"2"}`}, nil},
		{"XML of one", "text/xml", "<r><o><a>1</a></o></r>", "response.body.r.o", []string{`{"a":"1"}`}, nil},
		{"XML of none", "text/xml", "<r/>", "response.body.r.o", nil, nil},
		{"a record that is none", "application/json", `{"data":[{"a":1},{"a":tru},{"a":3}]}`, "response.body.data", []string{`{"a":1}`, `{"a":3}`}, []string{"page 1, record 2: "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{test.typ}
				fmt.Fprint(w, test.body)
			})
			p := newPoller(t, api.URL, newMemory(false), func(c *Config) { c.Records = x(test.records) })
			if err := p.try(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, p.events); diff != "" {
				t.Error(diff)
			}
			if len(p.faults) != len(test.faults) {
				t.Errorf("faults %q", p.faults)
			}
			for i, want := range test.faults {
				if !strings.HasPrefix(p.faults[i], want) {
					t.Errorf("fault %q", p.faults[i])
				}
			}
			p.complete(1)
			if len(p.faults) != len(test.faults) {
				t.Errorf("faults again: %q", p.faults)
			}
		})
	}
}

// A record's dead letter is read again when it is retried.
func TestParse(t *testing.T) {
	p := newPoller(t, "http://127.0.0.1:1", newMemory(false), nil)
	tests := []struct {
		d  component.Draft
		ok bool
	}{
		{component.Draft{ContentType: "application/json", Raw: []byte(`{"a":1}`)}, true},
		{component.Draft{ContentType: "application/json", Raw: []byte(`{"a":}`)}, false},
		{component.Draft{ContentType: "text/csv", Names: []string{"a", "b"}, Raw: []byte("1,2")}, true},
		{component.Draft{ContentType: "text/csv", Names: []string{"a", "b"}, Raw: []byte("1")}, false},
	}
	for _, test := range tests {
		d, err := p.Parse(test.d)
		if (err == nil) != test.ok || test.ok && d.Fault != nil {
			t.Errorf("%s: %v, %v", test.d.Raw, d, err)
		}
	}
}

// Servers tell with various statuses that a quota is used up: GitHub with 403.
func TestQuotaOfAnyStatus(t *testing.T) {
	for _, status := range []int{403, 429, 500, 503} {
		api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", "7")
			w.WriteHeader(status)
		})
		if err := newPoller(t, api.URL, newMemory(false), nil).try(); component.Wait(err) != 7*time.Second {
			t.Errorf("%d: %s, %v", status, component.Wait(err), err)
		}
	}
}

// A record that cannot be read is one dead letter, for as long as it is met.
func TestBadRecordIsOneDeadLetter(t *testing.T) {
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		fmt.Fprint(w, "{\"n\":0}\n{oops\n")
	})
	now := time.Now()
	m := newMemory(true)
	m.now = func() time.Time { return now }
	p := newPoller(t, api.URL, m, func(c *Config) { c.Records = expr.Expr{} })
	p.source.now = m.now
	for range 30 { // days
		p.complete(1)
		now = now.Add(24 * time.Hour)
	}
	if len(p.faults) != 1 || len(p.events) != 1 {
		t.Errorf("%q, %q", p.faults, p.events)
	}
}
