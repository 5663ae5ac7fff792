package poll

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/expr"
)

const (
	total   = 47
	perPage = 10
)

// pages answers with records from the given one on, and what names the next page.
func pages(w http.ResponseWriter, from int, next string) {
	to := min(from+perPage, total)
	from = min(from, to)
	fmt.Fprintf(w, `{"data":[%s]%s}`, records(from, to), next)
}

func number0(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func TestPagination(t *testing.T) {
	tests := []struct {
		name      string
		handler   http.HandlerFunc
		configure func(*Config)
		requests  int
		second    string
	}{
		{"token in the query", func(w http.ResponseWriter, r *http.Request) {
			from := number0(r.FormValue("after"))
			next := fmt.Sprintf(`,"next":"%d"`, from+perPage)
			if from+perPage >= total {
				next = `,"next":""`
			}
			pages(w, from, next)
		}, func(c *Config) {
			c.Request.Query = map[string]expr.Template{"limit": tmpl("10", expr.Text), "none": tmpl("{{ cursor ?? '' }}", expr.Text)}
			c.Paginate = &Paginate{Token: &Token{Next: x("response.body.next"), Query: "after"}}
		}, 5, "GET /records?limit=10&after=10"},
		{"token in a header", func(w http.ResponseWriter, r *http.Request) {
			from := number0(r.Header.Get("X-After"))
			if from+perPage < total {
				w.Header().Set("X-Next", fmt.Sprint(from+perPage))
			}
			pages(w, from, "")
		}, func(c *Config) {
			c.Paginate = &Paginate{Token: &Token{Next: x("response.headers['x-next']"), Header: "X-After"}}
		}, 5, "GET /records"},
		{"token in the body", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			from := 0
			if n, _ := fmt.Sscanf(string(body), `{"limit":10,"page":{"token":%d}}`, &from); n == 0 && string(body) != `{"limit":10}` {
				w.WriteHeader(400)
			}
			next := fmt.Sprintf(`,"next":%d`, from+perPage)
			if from+perPage >= total {
				next = `,"next":null`
			}
			pages(w, from, next)
		}, func(c *Config) {
			c.Request.Method = "POST"
			c.Request.Body = x("{limit: 10}")
			c.Paginate = &Paginate{Token: &Token{Next: x("response.body.next"), Field: "page.token"}}
		}, 5, "POST /records"},
		{"link", func(w http.ResponseWriter, r *http.Request) {
			from := number0(r.FormValue("from"))
			w.Header().Add("Link", `</records?x=1>; rel="first"`)
			if from+perPage < total {
				w.Header().Add("Link", fmt.Sprintf(`</last>; title="a, \"b\""; rel=last, <?from=%d>; rel="prefetch next"`, from+perPage))
			}
			pages(w, from, "")
		}, func(c *Config) { c.Paginate = &Paginate{Link: &Link{}} }, 5, "GET /records?from=10"},
		{"next_url", func(w http.ResponseWriter, r *http.Request) {
			from := number0(r.FormValue("from"))
			next := fmt.Sprintf(`,"links":{"next":"/records?from=%d"}`, from+perPage)
			if from+perPage >= total {
				next = ""
			}
			pages(w, from, next)
		}, func(c *Config) { c.Paginate = &Paginate{NextURL: &NextURL{Next: x("response.body.links.next")}} }, 5, "GET /records?from=10"},
		{"page", func(w http.ResponseWriter, r *http.Request) {
			pages(w, (number0(r.FormValue("page"))-1)*perPage, "")
		}, func(c *Config) {
			c.Paginate = &Paginate{Page: &Page{Query: "page", Start: 1}}
		}, 6, "GET /records?page=2"},
		{"page of known size", func(w http.ResponseWriter, r *http.Request) {
			pages(w, number0(r.FormValue("p"))*perPage, "")
		}, func(c *Config) {
			c.Paginate = &Paginate{Page: &Page{Query: "p", Start: 0, Size: perPage}}
		}, 5, "GET /records?p=1"},
		{"offset, and the server gives less", func(w http.ResponseWriter, r *http.Request) {
			pages(w, number0(r.FormValue("skip")), "")
		}, func(c *Config) {
			c.Paginate = &Paginate{Offset: &Offset{Query: "skip", LimitQuery: "take", Size: 25}}
		}, 6, "GET /records?skip=10&take=25"},
		{"stop", func(w http.ResponseWriter, r *http.Request) {
			pages(w, number0(r.FormValue("skip")), "")
		}, func(c *Config) {
			c.Paginate = &Paginate{Offset: &Offset{Query: "skip", LimitQuery: "take", Size: 25}}
			c.Paginate.Offset.Stop = x("len(response.body.data) < 10")
		}, 5, "GET /records?skip=10&take=25"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := serve(t, test.handler)
			p := newPoller(t, api.URL, newMemory(false), test.configure)
			p.complete(1)
			p.once(t, total)
			asked := api.asked()
			if len(asked) != test.requests || asked[1] != test.second {
				t.Errorf("%d requests: %q", len(asked), asked)
			}
			if len(p.state) > 0 {
				t.Errorf("left behind: %s", p.state)
			}
		})
	}
}

func TestMaxPages(t *testing.T) {
	api := serve(t, func(w http.ResponseWriter, r *http.Request) { pages(w, (number0(r.FormValue("page"))-1)*perPage, "") })
	p := newPoller(t, api.URL, newMemory(false), func(c *Config) {
		c.Paginate = &Paginate{Page: &Page{Query: "page", Start: 1, Limits: Limits{MaxPages: 3}}}
	})
	p.complete(1)
	p.once(t, 30)
}

func TestLinkHeader(t *testing.T) {
	for header, want := range map[string]string{
		`<https://a/b?c=1,2>; rel="next"`:            "https://a/b?c=1,2",
		`<a>; rel=prev, <b>; REL="Next"`:             "b",
		`<a>; rel="prev"; rel="next", <c>;rel=next`:  "c",
		`<a>; title="x>, <y>; rel=next"; rel="last"`: "",
		`<a>;rel="next`: "a",
		`<a>`:           "",
		`nonsense`:      "",
		`<a`:            "",
		``:              "",
	} {
		if got := linkNext([]string{header}); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
}

func FuzzLinkHeader(f *testing.F) {
	f.Add(`<a>; rel="next"; title="\"", <b>;rel=x`)
	f.Add(`<<>>;;=,="`)
	f.Fuzz(func(t *testing.T, header string) { linkNext([]string{header, header}) })
}

// A server that goes in circles ends the run with an error, and nothing twice.
func TestCircles(t *testing.T) {
	tests := []struct {
		name, say string
		next      func(from int) string
		events    int
	}{
		{"the same page", "page 2: the next page, by what it says, is page 2 again", func(from int) string { return fmt.Sprint(min(from+10, 10)) }, 20},
		{"an earlier one", "page 4: the next page, by what it says, is page 2 again", func(from int) string { return fmt.Sprint((from+10)%40 + from/30*10) }, 40},
		{"other names for the same", "page 3: it has the same records as page 2, 10 in all", func(from int) string { return fmt.Sprint(from+10) + "" }, 20},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := serve(t, func(w http.ResponseWriter, r *http.Request) {
				from := number0(r.FormValue("after"))
				next := test.next(from)
				if test.name == "other names for the same" {
					from = min(from, 10)
				}
				pages(w, from, `,"next":`+next)
			})
			p := newPoller(t, api.URL, newMemory(false), func(c *Config) {
				c.Paginate = &Paginate{Token: &Token{Next: x("response.body.next"), Query: "after"}}
			})
			p.fails(test.say)
			p.fails(test.say)
			p.once(t, test.events)
			again := newPoller(t, api.URL, p.memory, func(c *Config) { *c = *p.cfg })
			if test.events != 40 { // after a restart, a larger circle takes one more round
				again.fails(test.say)
				p.once(t, test.events)
			}
		})
	}
}

func TestLinksOutOfReach(t *testing.T) {
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		pages(w, 0, `,"next":"http://elsewhere.example/records"`)
	})
	p := newPoller(t, api.URL, newMemory(false), func(c *Config) {
		c.Paginate = &Paginate{NextURL: &NextURL{Next: x("response.body.next")}}
	})
	p.fails(`page 1: GET ` + api.URL + `/records: follow a link: http://elsewhere.example/records is another server than base_url's; if it is to be trusted, add "elsewhere.example" to allow_hosts`)
	if diff := cmp.Diff([]string(nil), p.events); diff != "" {
		t.Error(diff)
	}
}
