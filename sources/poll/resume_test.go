package poll

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// tokens is an API of pages with tokens, each of size records, total in all.
func tokens(total, size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := number0(r.FormValue("after"))
		to := min(from+size, total)
		next := fmt.Sprintf(`"%d"`, to)
		if to == total {
			next = "null"
		}
		fmt.Fprintf(w, `{"data":[%s],"next":%s}`, records(from, to), next)
	}
}

func byToken(c *Config) {
	c.Paginate = &Paginate{Token: &Token{Next: x("response.body.next"), Query: "after"}}
}

var errCrash = errors.New("crash")

// Whatever commit fails, and with it the process, the next one goes on where that
// one stood: between pages and inside of one.
func TestGoesOnAfterACrash(t *testing.T) {
	for _, size := range []int{100, 1700} {
		api := serve(t, tokens(2600, size))
		for crash := 1; ; crash++ {
			m := newMemory(false)
			m.err = func(accept int) error {
				if accept == crash {
					return errCrash
				}
				return nil
			}
			err := newPoller(t, api.URL, m, byToken).try()
			if crash > 1 && err == nil {
				break // there are not so many commits
			}
			if !errors.Is(err, errCrash) {
				// a run that has moved goes on by itself
				if err != nil {
					t.Fatal(err)
				}
			}
			newPoller(t, api.URL, m, byToken).complete(3)
			if len(m.events) == 2600 {
				m.once(t, 2600)
			} else {
				counts := m.counts(t)
				for n := range 2600 {
					if counts[n] == 0 {
						t.Fatalf("crash %d: record %d is missing", crash, n)
					}
				}
			}
		}
	}
}

// A page that breaks off costs nothing that was read of it.
func TestPageThatBreaksOff(t *testing.T) {
	n := 0
	whole := fmt.Sprintf(`{"data":[%s]}`, records(0, 3000))
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			fmt.Fprint(w, whole[:len(whole)*2/3])
			return
		}
		fmt.Fprint(w, whole)
	})
	p := newPoller(t, api.URL, newMemory(false), nil)
	p.complete(1)
	p.once(t, 3000)
	if n != 2 || !strings.Contains(p.log.String(), "page 1: GET "+api.URL+"/records: read the answer: the answer broke off") {
		t.Errorf("%d requests, log %s", n, p.log)
	}
}

// A page that has changed since a part of it was taken in is read again; what is
// known by its id does not come twice.
func TestPageThatChanges(t *testing.T) {
	n := 0
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n++; n {
		case 1:
			fmt.Fprintf(w, `{"data":[%s`, records(1, 2000))
		default: // one more has come in front
			fmt.Fprintf(w, `{"data":[%s]}`, records(0, 2000))
		}
	})
	p := newPoller(t, api.URL, newMemory(true), nil)
	p.complete(1)
	p.once(t, 2000)
	if n != 3 || p.duplicates == 0 || !strings.Contains(p.log.String(), "the page has changed") {
		t.Errorf("%d requests, %d duplicates, log %s", n, p.duplicates, p.log)
	}
}

func TestLater(t *testing.T) {
	api := serve(t, tokens(100, 100)) // one page: none is asked for while it is handed over
	m := newMemory(false)
	full := false
	m.err = func(accept int) error {
		if full || accept == 1 {
			full = true
			return &component.LaterError{Reason: "disk full", After: time.Minute}
		}
		return nil
	}
	p := newPoller(t, api.URL, m, byToken)
	for range 3 {
		if err := p.try(); !isLater(err) {
			t.Fatal(err)
		}
	}
	asked := len(api.asked())
	p.fails("disk full")
	if n := len(api.asked()); n > 0 || asked > 1 {
		t.Errorf("%d requests while nothing can be taken, %d at first", n, asked)
	}
	full, m.err = false, nil
	p.complete(1)
	p.once(t, 100)
}

// A place that its server has forgotten costs the run's beginning, and no record.
func TestForgottenToken(t *testing.T) {
	for _, status := range []int{400, 404, 410} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			refused := 0
			inner := tokens(500, 100)
			api := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.FormValue("after") == "300" && refused < 3 {
					refused++
					http.Error(w, "the token has expired", status)
					return
				}
				inner(w, r)
			})
			p := newPoller(t, api.URL, newMemory(true), byToken)
			attempts := p.complete(6)
			p.once(t, 500)
			again := strings.Count(p.log.String(), "the run begins again at its first")
			if want := map[int]int{400: 1, 404: 1, 410: 3}[status]; again != want {
				t.Errorf("%d attempts, begun again %d times: %s", attempts, again, p.log)
			}
		})
	}
}

// Reading the same token's pages in the middle of an error is patient.
func TestTroubleInTheMiddle(t *testing.T) {
	n := 0
	inner := tokens(1000, 100)
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n%3 == 0 {
			w.WriteHeader(500)
			return
		}
		inner(w, r)
	})
	p := newPoller(t, api.URL, newMemory(false), byToken)
	p.complete(1)
	p.once(t, 1000)
}

// A run that asks for something else now does not go on in the middle of what it asked
// for before.
func TestChangedRequestBeginsAnew(t *testing.T) {
	down := true
	inner := tokens(300, 100)
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if down && r.FormValue("after") == "200" {
			w.WriteHeader(500)
			return
		}
		inner(w, r)
	})
	p := newPoller(t, api.URL, newMemory(true), byToken)
	p.fails("page 3")
	api.asked()
	down = false
	again := newPoller(t, api.URL, p.memory, func(c *Config) {
		byToken(c)
		c.Request.Query = map[string]expr.Template{"state": tmpl("open", expr.Text)}
	})
	again.complete(1)
	p.once(t, 300)
	if asked := api.asked(); len(asked) != 3 || asked[0] != "GET /records?state=open" {
		t.Errorf("%q", asked)
	}
}

// What is told of a run that is under way is of all of it, not of one attempt.
func TestTellsOfTheWholeRun(t *testing.T) {
	down := true
	inner := tokens(500, 100)
	note := ""
	var p *poller
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if down && r.FormValue("after") == "300" {
			w.WriteHeader(500)
			return
		}
		note = p.Report().Note
		inner(w, r)
	})
	p = newPoller(t, api.URL, newMemory(false), byToken)
	p.fails("page 4")
	down = false
	p = newPoller(t, api.URL, p.memory, byToken)
	p.complete(1)
	if want := "page 5 of a run, 400 records so far"; note != want {
		t.Errorf("%q, not %q", note, want)
	}
}
