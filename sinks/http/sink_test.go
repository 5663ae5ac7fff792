package http

import (
	"context"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var scope = &expr.Scope{Names: []string{"body", "meta", "event", "vars", "parent", "record", "response"}}

func template(t testing.TB, text string, place expr.Escape) expr.Template {
	t.Helper()
	tpl, err := expr.CompileTemplate(expr.Source{Text: text}, place, scope)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func expression(t testing.TB, text string) expr.Expr {
	t.Helper()
	e, err := expr.Compile(expr.Source{Text: text}, scope)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var clock = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// newSink opens a sink on a server; change may alter the defaults.
func newSink(t testing.TB, url string, connection *conn.Config, change func(*Config)) *sink {
	t.Helper()
	if connection == nil {
		connection = &conn.Config{}
	}
	connection.BaseURL = url
	client, err := conn.Kind.Open(component.Env{}, connection)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.(*conn.Client).Close() })
	cfg := Kind.NewConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	made, err := Kind.Open(component.Env{
		Address: "sink.http.test", Now: func() time.Time { return clock },
		Connection: func(component.Ref) (any, error) { return client, nil },
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return made.(*sink)
}

func delivery(id string, body any) component.Delivery {
	return component.Delivery{ID: id, Attempt: 1, Event: &component.Event{ID: "e-" + id, Body: body}}
}

func deliverOne(s *sink, d component.Delivery) error {
	r := s.Deliver(context.Background(), []component.Delivery{d})
	if r.Errors == nil {
		return nil
	}
	return r.Errors[0]
}

// request is what a server got.
type request struct{ Method, URI, Host, Key, Type, Order, Auth, Body string }

func server(t testing.TB, answer nethttp.HandlerFunc) (url string, got func() []request) {
	var mu sync.Mutex
	var all []request
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		h := r.Header
		mu.Lock()
		all = append(all, request{r.Method, r.RequestURI, r.Host, h.Get("Idempotency-Key"), h.Get("Content-Type"), h.Get("X-Order"), h.Get("Authorization"), string(body)})
		mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() []request {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func TestRequests(t *testing.T) {
	body := map[string]any{"id": int64(1042), "name": "A/B <é>", "tags": []any{"x", "y"}}
	tests := []struct {
		name   string
		change func(*Config)
		want   request
	}{
		{"defaults", nil, request{Method: "POST", URI: "/api", Type: "application/json", Body: `{"id":1042,"name":"A/B <é>","tags":["x","y"]}`}},
		{"path, query, headers", func(c *Config) {
			c.Method = "PUT"
			c.Path = template(t, "/orders/{{ body.id }}?v=1", expr.Path)
			c.Query = map[string]expr.Template{"name": template(t, "{{ body.name }}", expr.Text), "a b": template(t, "c&d", expr.Text)}
			c.Headers = map[string]expr.Template{"x-order": template(t, "{{ body.id }}", expr.Header), "Host": template(t, "h{{ body.id }}", expr.Header), "Content-Type": template(t, "text/x", expr.Header)}
		}, request{Method: "PUT", URI: "/api/orders/1042?v=1&a+b=c%26d&name=A%2FB+%3C%C3%A9%3E", Host: "h1042", Type: "text/x", Order: "1042", Body: `{"id":1042,"name":"A/B <é>","tags":["x","y"]}`}},
		{"form", func(c *Config) { c.Encode = "form" }, request{Method: "POST", URI: "/api", Type: "application/x-www-form-urlencoded", Body: "id=1042&name=A%2FB+%3C%C3%A9%3E&tags=x&tags=y"}},
		{"xml", func(c *Config) { c.Encode = "xml"; c.Body = expression(t, "{order: body}") }, request{Method: "POST", URI: "/api", Type: "application/xml; charset=utf-8",
			Body: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<order><id>1042</id><name>A/B &lt;é&gt;</name><tags>x</tags><tags>y</tags></order>\n"}},
		{"ndjson", func(c *Config) { c.Encode = "ndjson"; c.Body = expression(t, "body.tags") }, request{Method: "POST", URI: "/api", Type: "application/x-ndjson", Body: "\"x\"\n\"y\"\n"}},
		{"text", func(c *Config) { c.Encode = "text"; c.Body = expression(t, "body.name") }, request{Method: "POST", URI: "/api", Type: "text/plain; charset=utf-8", Body: "A/B <é>"}},
		{"get", func(c *Config) { c.Method = "GET" }, request{Method: "GET", URI: "/api"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, got := server(t, nil)
			s := newSink(t, url+"/api", nil, tt.change)
			for attempt := range 2 { // the second uses what the first left
				if err := deliverOne(s, delivery("k"+fmt.Sprint(attempt), body)); err != nil {
					t.Fatal(err)
				}
				tt.want.Key = "k" + fmt.Sprint(attempt)
				if tt.want.Host == "" {
					tt.want.Host = strings.TrimPrefix(url, "http://")
				}
				if diff := cmp.Diff(tt.want, got()[attempt]); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestEveryAttemptIsTheSame: key and body do not change, and differ for another delivery.
func TestEveryAttemptIsTheSame(t *testing.T) {
	url, got := server(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(503) })
	s := newSink(t, url, nil, func(c *Config) { c.Body = expression(t, "{id: body.id, all: body}") })
	for attempt := range 3 {
		for _, id := range []string{"a", "b"} {
			d := delivery(id, map[string]any{"id": id, "z": int64(1), "y": 0.5, "x": nil})
			d.Attempt = attempt + 1
			if err := deliverOne(s, d); err == nil || component.IsPermanent(err) || component.IsUnwell(err) {
				t.Fatalf("got %v", err)
			}
		}
	}
	all := got()
	for i, r := range all {
		if diff := cmp.Diff(all[i%2], r); diff != "" {
			t.Errorf("request %d: %s", i, diff)
		}
	}
	if len(all) != 6 || all[0].Key != "a" || all[1].Key != "b" || all[0].Body == all[1].Body {
		t.Errorf("%d requests: %+v", len(all), all)
	}
}

func TestBadEvents(t *testing.T) {
	url, got := server(t, nil)
	s := newSink(t, url, nil, func(c *Config) {
		c.Path = template(t, "/o/{{ body.id }}", expr.Path)
		c.Headers = map[string]expr.Template{"X-Order": template(t, "{{ body.h }}", expr.Header)}
		c.Query = map[string]expr.Template{"q": template(t, "{{ body.q }}", expr.Text)}
		c.Body = expression(t, "body.n + 1")
	})
	good := func(change string, v any) map[string]any {
		m := map[string]any{"id": "1", "h": "x", "q": "y", "n": int64(1)}
		m[change] = v
		return m
	}
	for _, tt := range []struct {
		body any
		want string
	}{
		{good("id", "../admin"), "fill path"}, {good("id", nil), "fill path"}, {good("h", "a\r\nX-Evil: 1"), "fill header X-Order"},
		{good("q", nil), "fill query parameter q"}, {good("n", nil), "compute body"}, {good("n", "x"), "compute body"},
	} {
		err := deliverOne(s, delivery("x", tt.body))
		if !component.IsPermanent(err) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v", tt.body, err)
		}
	}
	if err := deliverOne(s, delivery("x", good("n", int64(2)))); err != nil {
		t.Error(err)
	}
	if n := len(got()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	for encode, body := range map[string]any{"form": "no object", "xml": map[string]any{"a": int64(1), "b": int64(2)}} {
		s := newSink(t, url, nil, func(c *Config) { c.Encode = encode })
		if err := deliverOne(s, delivery("x", body)); !component.IsPermanent(err) {
			t.Errorf("%s: %v", encode, err)
		}
	}
}
