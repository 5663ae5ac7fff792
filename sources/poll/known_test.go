package poll

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/expr"
)

// tagged is an API of three pages that can be asked conditionally.
type tagged struct {
	version [3]int
	fail    int // the page that fails, from 1
}

func (a *tagged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := number0(r.FormValue("after"))
	if n+1 == a.fail {
		w.WriteHeader(500)
		return
	}
	tag := fmt.Sprintf(`"%d-%d"`, n, a.version[n])
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	next := fmt.Sprintf(`"%d"`, n+1)
	if n == 2 {
		next = "null"
	}
	fmt.Fprintf(w, `{"data":[{"id":"%d-%d","n":%d}],"next":%s}`, n, a.version[n], n*100+a.version[n], next)
}

func TestNotModified(t *testing.T) {
	a := &tagged{}
	api := serve(t, a.ServeHTTP)
	p := newPoller(t, api.URL, newMemory(false), func(c *Config) {
		byToken(c)
		c.Cursor = &Cursor{Next: x("record.n"), From: "record", Keep: "max"}
	})
	p.complete(1)
	commits := p.accepts
	p.complete(1)
	if p.accepts != commits {
		t.Errorf("%d commits for nothing new", p.accepts-commits)
	}
	if diff := cmp.Diff(6, len(api.asked())); diff != "" || len(p.events) != 3 {
		t.Errorf("%s, %d events", diff, len(p.events))
	}
	a.version[1]++ // a page between two that stay as they are
	p.complete(1)
	want := []string{"GET /records", "GET /records?after=1", "GET /records?after=2"}
	if diff := cmp.Diff(want, api.asked()); diff != "" || len(p.events) != 4 {
		t.Errorf("%s, %d events", diff, len(p.events))
	}
	if p.cursor() != "200" {
		t.Errorf("cursor %s", p.cursor())
	}
}

// What a page was like is remembered with its records, and used when the run that
// brought them has failed behind it.
func TestNotModifiedAfterAFailure(t *testing.T) {
	a := &tagged{fail: 3}
	api := serve(t, a.ServeHTTP)
	p := newPoller(t, api.URL, newMemory(false), func(c *Config) {
		byToken(c)
		c.Cursor = &Cursor{Next: x("record.n"), From: "record", Keep: "max"}
	})
	p.fails("page 3")
	delete(p.state, keyRun)
	a.fail = 0
	p.complete(1)
	if len(p.events) != 3 || p.cursor() != "200" {
		t.Errorf("%q, cursor %s", p.events, p.cursor())
	}
}

// After a reset nothing is asked conditionally: all is to come again.
func TestResetForgetsPages(t *testing.T) {
	a := &tagged{}
	gone := false
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if gone && r.FormValue("since") != "" {
			w.WriteHeader(http.StatusGone)
			return
		}
		a.ServeHTTP(w, r)
	})
	p := newPoller(t, api.URL, newMemory(false), func(c *Config) {
		byToken(c)
		c.Request.Query = map[string]expr.Template{"since": tmpl("{{ cursor ?? '' }}", expr.Text)}
		c.Cursor = &Cursor{Next: x("record.n"), From: "record", Keep: "max", Reset: x("response.status == 410")}
	})
	p.complete(1)
	gone = true
	p.complete(1)
	if len(p.events) != 6 {
		t.Errorf("%d events: %q", len(p.events), api.asked())
	}
}

func TestLastModified(t *testing.T) {
	const at = "Wed, 21 Oct 2015 07:28:00 GMT"
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-Modified-Since") == at {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Last-Modified", at)
		fmt.Fprint(w, `{"data":[{"n":0}]}`)
	})
	p := newPoller(t, api.URL, newMemory(false), nil)
	p.complete(1)
	p.complete(1)
	p.once(t, 1)
}

// The token behind a page that is as it was is forgotten with it, once its server does
// not know it any more.
func TestForgottenTokenBehindAnUnchangedPage(t *testing.T) {
	session := 1
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch after := r.FormValue("after"); after {
		case "":
			w.Header().Set("ETag", `"same"`)
			if r.Header.Get("If-None-Match") == `"same"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprintf(w, `{"data":[{"id":"r0","n":0}],"next":"s%d"}`, session)
		case fmt.Sprintf("s%d", session):
			fmt.Fprint(w, `{"data":[{"id":"r1","n":1}]}`)
		default:
			http.Error(w, "the token has expired", http.StatusGone)
		}
	})
	p := newPoller(t, api.URL, newMemory(true), byToken)
	p.complete(1)
	session = 2
	p.complete(3)
	p.once(t, 2)
}

// What is known of a page is of the configuration that read it.
func TestNotModifiedOfAnotherConfiguration(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"same"`)
		if r.Header.Get("If-None-Match") == `"same"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if r.FormValue("after") != "" {
			fmt.Fprint(w, `{"data":[{"id":"r1","n":1}]}`)
			return
		}
		fmt.Fprint(w, `{"data":[{"id":"r0","n":0}],"next":"a","other":[{"id":"r2","n":2}]}`)
	}
	api := serve(t, answer)
	p := newPoller(t, api.URL, newMemory(true), nil)
	p.complete(1)
	p = newPoller(t, api.URL, p.memory, byToken)
	p.complete(1)
	p.once(t, 2)
	p = newPoller(t, api.URL, p.memory, func(c *Config) { c.Records = x("response.body.other") })
	p.complete(1)
	p.once(t, 3)
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, `{"data":[{"id":"r3","n":3}]}`)
	})
	p = newPoller(t, other.URL, p.memory, nil)
	p.complete(1)
	p.once(t, 4)
}

// A page that has been as it was for long is read in full before the ids of its records
// are forgotten.
func TestIDsOutliveUnchangedPages(t *testing.T) {
	full := 0
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"same"`)
		if r.Header.Get("If-None-Match") == `"same"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		full++
		fmt.Fprint(w, `{"data":[{"id":"r0","n":0}]}`)
	})
	for ids, want := range map[time.Duration]int{0: 1, 24 * time.Hour: 9, 10 * time.Hour: 20} {
		now := time.Now()
		m := newMemory(ids > 0)
		m.now = func() time.Time { return now }
		p := newPoller(t, api.URL, m, nil)
		p.source.now, p.source.ids = m.now, ids
		full = 0
		for range 100 { // hours
			p.complete(1)
			now = now.Add(time.Hour)
		}
		if p.once(t, 1); full != want {
			t.Errorf("%s: read %d times in full, not %d", ids, full, want)
		}
	}
}
