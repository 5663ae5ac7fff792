package http

import (
	"fmt"
	"io"
	"math"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// batched is a configuration with batches, and, if r is given, results.
func batched(r *Results) *Config {
	c := newConfig()
	c.Batch, c.Results = &component.Batching{}, r
	c.Batch.SetDefaults()
	return c
}

// batch is deliveries of one call, numbered from 1, with body.id.
func batch(n int) []component.Delivery {
	ds := make([]component.Delivery, n)
	for i := range ds {
		ds[i] = delivery(fmt.Sprint("d", i+1), map[string]any{"id": int64(i + 1)})
		ds[i].Batch = "the-batch"
	}
	return ds
}

func TestBatchRequest(t *testing.T) {
	for name, c := range map[string]struct {
		change     func(*Config)
		typ, wants string
	}{
		"json":   {func(*Config) {}, "application/json", `[{"id":1},{"id":2}]`},
		"ndjson": {func(c *Config) { c.Encode = "ndjson" }, "application/x-ndjson", "{\"id\":1}\n{\"id\":2}\n"},
		"an action and a document": {func(c *Config) {
			c.Encode, c.Body = "ndjson", expression(t, "[{index: {_id: body.id}}, body]")
		}, "application/x-ndjson", "{\"index\":{\"_id\":1}}\n{\"id\":1}\n{\"index\":{\"_id\":2}}\n{\"id\":2}\n"},
		"body": {func(c *Config) { c.Body = expression(t, "body.id * 10") }, "application/json", `[10,20]`},
	} {
		t.Run(name, func(t *testing.T) {
			var header nethttp.Header
			url, got := server(t, func(_ nethttp.ResponseWriter, r *nethttp.Request) { header = r.Header })
			s := newSink(t, url, nil, func(cfg *Config) {
				cfg.Batch = batched(nil).Batch
				cfg.Sign = []Sign{{Standard: &SignStandard{Secret: component.NewSecret("whsec_c2VjcmV0")}}}
				c.change(cfg)
			})
			if r := s.Deliver(t.Context(), batch(2)); r.Batch != nil || r.Errors != nil {
				t.Fatalf("%+v", r)
			}
			r := got()[0]
			if d := cmp.Diff(c.wants, r.Body); d != "" {
				t.Error(d)
			}
			for name, want := range map[string]string{"Idempotency-Key": "the-batch", "Webhook-Id": "the-batch", "Content-Type": c.typ} {
				if header.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, header.Get(name), want)
				}
			}
		})
	}
}

func TestGroups(t *testing.T) {
	s := newSink(t, "http://127.0.0.1:1", nil, func(cfg *Config) {
		cfg.Batch = batched(nil).Batch
		cfg.Path = template(t, "/shops/{{ body.shop }}", expr.Path)
		cfg.Query = map[string]expr.Template{"kind": template(t, "{{ body.kind }}", expr.Query)}
		cfg.Headers = map[string]expr.Template{"X-To": template(t, "{{ body.to }}", expr.Header)}
	})
	group := func(shop, kind, to any) string {
		g, err := s.Group(&component.Event{Body: map[string]any{"shop": shop, "kind": kind, "to": to}})
		if err != nil {
			return "error"
		}
		return g
	}
	base := group("a", "b", "c")
	if group("a", "b", "c") != base {
		t.Error("equal ones are apart")
	}
	for _, other := range []string{group("x", "b", "c"), group("a", "x", "c"), group("a", "b", "x")} {
		if other == base {
			t.Errorf("%q is together with others", other)
		}
	}
	if got := group(nil, "b", "c"); got != "error" {
		t.Errorf("a path that cannot be filled: got %q", got)
	}
}

func TestBatchAsAWhole(t *testing.T) {
	status := 0
	url, got := server(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(status) })
	s := newSink(t, url, nil, func(cfg *Config) { cfg.Batch = batched(nil).Batch })
	for want, with := range map[verdict]int{delivered: 202, dead: 413, retried: 503, unwell: 401} {
		status = with
		if r := s.Deliver(t.Context(), batch(3)); verdictOf(r.Batch) != want || r.Errors != nil {
			t.Errorf("%d: got %+v, want %v", with, r, want)
		}
	}
	sent := len(got())
	ds := batch(2)
	ds[1].Event.Body = map[string]any{"id": math.NaN()}
	if r := s.Deliver(t.Context(), ds); !component.IsPermanent(r.Batch) || len(got()) != sent {
		t.Errorf("a body that cannot be sent: %+v, and %d requests", r, len(got())-sent)
	}
}

func TestResults(t *testing.T) {
	keyed := func() *Results {
		return &Results{
			Each: expression(t, "response.body.items"), Match: expression(t, "record.id == body.id"),
			OK: expression(t, "record.status < 300"), Retry: expression(t, "record.status == 429"),
		}
	}
	ordered := func() *Results { r := keyed(); r.Match = expr.Expr{}; return r }
	for name, c := range map[string]struct {
		results *Results
		answer  string
		want    []verdict // nil: of the batch
	}{
		"in order":      {ordered(), `{"items":[{"status":201},{"status":429},{"status":422}]}`, []verdict{delivered, retried, dead}},
		"by key":        {keyed(), `{"items":[{"id":3,"status":422},{"id":1,"status":200},{"id":2,"status":429}]}`, []verdict{delivered, retried, dead}},
		"one missing":   {keyed(), `{"items":[{"id":3,"status":200},{"id":1,"status":200}]}`, []verdict{delivered, retried, delivered}},
		"one too many":  {keyed(), `{"items":[{"id":9,"status":422},{"id":1,"status":200},{"id":2,"status":200},{"id":3,"status":200}]}`, []verdict{delivered, delivered, delivered}},
		"odd result":    {ordered(), `{"items":[{"status":"x"},{"status":200},{"status":200}]}`, []verdict{dead, delivered, delivered}},
		"another count": {ordered(), `{"items":[{"status":201}]}`, nil},
		"no list":       {keyed(), `{"error":"busy"}`, nil},
		"no JSON":       {keyed(), `<html>`, nil},
		"failures alone": {&Results{
			Each: expression(t, "response.body.failed ?? []"), Match: expression(t, "record.id == body.id"), OK: expression(t, "record == nil"),
		}, `{"failed":[{"id":2,"why":"no such customer"}]}`, []verdict{delivered, dead, delivered}},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := server(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, c.answer)
			})
			s := newSink(t, url, nil, func(cfg *Config) { cfg.Batch, cfg.Results = batched(nil).Batch, c.results })
			r := s.Deliver(t.Context(), batch(3))
			if c.want == nil {
				if verdictOf(r.Batch) != retried {
					t.Errorf("got %v of the batch", r.Batch)
				}
				return
			}
			var got []verdict
			for _, err := range r.Errors {
				got = append(got, verdictOf(err))
			}
			if d := cmp.Diff(c.want, got); d != "" || r.Batch != nil {
				t.Errorf("%s\n%v %v", d, r.Errors, r.Batch)
			}
		})
	}
}

// A dead letter has its own result, and not those of others.
func TestResultIsTold(t *testing.T) {
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		io.WriteString(w, `[{"ok":true,"note":"fine"},{"ok":false,"why":"no such customer"}]`)
	}))
	t.Cleanup(srv.Close)
	s := newSink(t, srv.URL, nil, func(cfg *Config) {
		cfg.Batch = batched(nil).Batch
		cfg.Results = &Results{Each: expression(t, "fromJSON(response.body)"), OK: expression(t, "record.ok")}
	})
	r := s.Deliver(t.Context(), batch(2))
	if len(r.Errors) != 2 || r.Errors[0] != nil {
		t.Fatalf("got %+v", r)
	}
	if text := r.Errors[1].Error(); !strings.Contains(text, "no such customer") || strings.Contains(text, "fine") {
		t.Error(text)
	}
}

func TestValidateBatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		attr   string
	}{
		{"form", func(c *Config) { c.Encode = "form" }, "encode"},
		{"GET", func(c *Config) { c.Method = "GET" }, "method"},
		{"success of one", func(c *Config) { c.Success = expression(t, "response.body.id == body.id") }, "success"},
		{"each of one", func(c *Config) { c.Results = &Results{Each: expression(t, "body.items")} }, "results.each"},
		{"no batch", func(c *Config) { c.Batch, c.Results = nil, &Results{} }, "results"},
	} {
		cfg := batched(nil)
		c.change(cfg)
		var p component.Problems
		cfg.Validate(&p)
		if len(p.List) != 1 || p.List[0].Attr != c.attr {
			t.Errorf("%s: got %+v, want one about %s", c.name, p.List, c.attr)
		}
	}
}
