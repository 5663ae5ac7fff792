package http

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t *testing.T, cfg *Config) *Client {
	t.Helper()
	c, err := Kind.Open(component.Env{Address: "connection.http.test"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.(*Client).Close() })
	return c.(*Client)
}

func get(c *Client, path string) *Request {
	return &Request{Method: "GET", Path: path, Header: c.Header()}
}

// seen is what a server got.
type seen struct{ Method, URI, Host, Authorization, Key, Agent, Body string }

func recorder(t *testing.T, to *seen) *httptest.Server {
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		*to = seen{r.Method, r.RequestURI, r.Host, r.Header.Get("Authorization"), r.Header.Get("X-Key"), r.UserAgent(), string(body)}
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestRequest(t *testing.T) {
	var got seen
	srv := recorder(t, &got)
	host := strings.TrimPrefix(srv.URL, "http://")
	tests := []struct {
		base string
		cfg  Config
		r    Request
		want seen
	}{
		{"", Config{}, Request{Method: "GET"}, seen{Method: "GET", URI: "/", Host: host, Agent: "syncd"}},
		{"/api/", Config{}, Request{Method: "POST", Path: "/a%2Fb/ü?x=1", Query: "y=2", Body: []byte("hi")}, seen{Method: "POST", URI: "/api/a%2Fb/%C3%BC?x=1&y=2", Host: host, Agent: "syncd", Body: "hi"}},
		{"/a%2Fb?v=1", Config{}, Request{Method: "PUT", Path: "c"}, seen{Method: "PUT", URI: "/a%2Fb/c?v=1", Host: host, Agent: "syncd"}},
		{"/x", Config{Auth: Auth{Basic: &Basic{User: "ana", Password: component.NewSecret("pw")}}}, Request{Method: "GET", Host: "other"}, seen{Method: "GET", URI: "/x", Host: "other", Authorization: "Basic YW5hOnB3", Agent: "syncd"}},
		{"/", Config{Auth: Auth{Bearer: &Bearer{Token: component.NewSecret("tok")}}}, Request{Method: "GET", Path: "/"}, seen{Method: "GET", URI: "/", Host: host, Authorization: "Bearer tok", Agent: "syncd"}},
		{"", Config{Auth: Auth{APIKey: &APIKey{Header: "x-key", Value: component.NewSecret("k")}}, Headers: map[string]component.Secret{"user-agent": component.NewSecret("mine")}}, Request{Method: "GET"}, seen{Method: "GET", URI: "/", Host: host, Key: "k", Agent: "mine"}},
		{"?a=1", Config{Auth: Auth{APIKey: &APIKey{Query: "key", Value: component.NewSecret("k&")}}}, Request{Method: "GET"}, seen{Method: "GET", URI: "/?a=1&key=k%26", Host: host, Agent: "syncd"}},
	}
	for _, tt := range tests {
		tt.cfg.BaseURL = srv.URL + tt.base
		c := client(t, &tt.cfg)
		tt.r.Header = c.Header()
		if _, err := c.Do(context.Background(), &tt.r, 0); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s + %s: %s", tt.base, tt.r.Path, diff)
		}
	}
}

func TestResponse(t *testing.T) {
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		switch r.URL.Path {
		case "/moved":
			nethttp.Redirect(w, r, "/", nethttp.StatusFound)
		case "/chunked":
			nethttp.NewResponseController(w).Flush()
			io.WriteString(w, strings.Repeat("x", 200_000))
		case "/empty":
		default:
			io.WriteString(w, "0123456789")
		}
	}))
	defer srv.Close()
	c := client(t, &Config{BaseURL: srv.URL})
	for _, tt := range []struct {
		path   string
		limit  int
		status int
		body   string
		cut    bool
	}{
		{"/", 10, 200, "0123456789", false}, {"/", 4, 200, "0123", true}, {"/", 0, 200, "", true}, {"/empty", 10, 200, "", false},
		{"/chunked", 5, 200, "xxxxx", true}, {"/moved", 0, 302, "", true},
	} {
		resp, err := c.Do(context.Background(), get(c, tt.path), tt.limit)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Status != tt.status || string(resp.Body) != tt.body || resp.Truncated != tt.cut {
			t.Errorf("%s: %d %q %v", tt.path, resp.Status, resp.Body, resp.Truncated)
		}
	}
}

func TestConnectionsAreReused(t *testing.T) {
	var opened, most, current atomic.Int32
	srv := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		most.Store(max(most.Load(), current.Add(1)))
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, strings.Repeat("answer", 1000))
		current.Add(-1)
	}))
	srv.Config.ConnState = func(_ net.Conn, s nethttp.ConnState) {
		if s == nethttp.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c := client(t, &Config{BaseURL: srv.URL, Concurrency: 2})
	done := make(chan error)
	for range 8 {
		go func() {
			var err error
			for range 20 {
				_, e := c.Do(context.Background(), get(c, "/"), 100)
				err = errors.Join(err, e)
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if opened.Load() > 2 || most.Load() > 2 {
		t.Errorf("%d connections, %d requests at a time; want 2 and 2", opened.Load(), most.Load())
	}
}

func TestFailures(t *testing.T) {
	refused := httptest.NewServer(nil)
	refused.Close()
	secure := httptest.NewUnstartedServer(nethttp.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(nethttp.NotFoundHandler())
	defer plain.Close()
	hangs := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	proxy := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.WriteHeader(nethttp.StatusProxyAuthRequired)
	}))
	defer proxy.Close()
	dies := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "half")
	}))
	defer dies.Close()
	tests := []struct {
		name   string
		cfg    Config
		unwell bool
		want   string
	}{
		{"refused", Config{BaseURL: refused.URL}, false, "connection refused"},
		{"unknown name", Config{BaseURL: "http://nowhere.invalid"}, true, "nowhere.invalid"},
		{"certificate", Config{BaseURL: secure.URL}, true, "certificate"},
		{"TLS to a plain server", Config{BaseURL: strings.Replace(plain.URL, "http", "https", 1)}, true, "does not speak TLS"},
		{"timeout", Config{BaseURL: hangs.URL, Timeout: 20 * time.Millisecond}, false, "no answer in time"},
		{"proxy's credentials", Config{BaseURL: "https://example.invalid", Proxy: component.NewSecret(strings.Replace(proxy.URL, "http://", "http://user:proxypassword@", 1))}, true, "the proxy does not accept"},
		{"half an answer", Config{BaseURL: dies.URL}, false, "read the answer"},
	}
	for _, tt := range tests {
		c := client(t, &tt.cfg)
		_, err := c.Do(context.Background(), get(c, "/p?secret=1"), 100)
		if err == nil || component.IsUnwell(err) != tt.unwell || component.IsPermanent(err) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: unwell %v: %v", tt.name, component.IsUnwell(err), err)
		}
		if !strings.HasPrefix(err.Error(), "GET http") || !strings.Contains(err.Error(), "/p: ") || strings.Contains(err.Error(), "secret=1") {
			t.Errorf("%s: does not name the request as it should: %v", tt.name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := client(t, &Config{BaseURL: hangs.URL})
	if _, err := c.Do(ctx, get(c, "/"), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if _, err := c.Do(context.Background(), get(c, "/%zz"), 0); !component.IsPermanent(err) {
		t.Errorf("a path that is none: %v", err)
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	srv := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		io.WriteString(w, r.Proto+" "+r.TLS.PeerCertificates[0].Subject.Organization[0])
	}))
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := file("ca.pem", "CERTIFICATE", srv.Certificate().Raw)
	cert, key := keyPair(t)
	files := &TLS{CA: ca, Cert: file("me.pem", "CERTIFICATE", cert), Key: file("me.key", "PRIVATE KEY", key)}
	c := client(t, &Config{BaseURL: srv.URL, TLS: files})
	resp, err := c.Do(context.Background(), get(c, "/"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(resp.Body); got != "HTTP/1.1 syncd test" {
		t.Errorf("got %q", got)
	}
	none := client(t, &Config{BaseURL: srv.URL, TLS: &TLS{CA: ca}})
	if _, err := none.Do(context.Background(), get(none, "/"), 100); !component.IsUnwell(err) {
		t.Errorf("without our certificate: %v", err)
	}
	for _, wrong := range []*TLS{{CA: dir + "/missing"}, {CA: files.Key}, {Cert: ca, Key: ca}} {
		if _, err := Kind.Open(component.Env{}, &Config{BaseURL: srv.URL, TLS: wrong}); err == nil {
			t.Errorf("%+v: no error", wrong)
		}
	}
}

func TestScrub(t *testing.T) {
	c := client(t, &Config{
		BaseURL: "http://h", Proxy: component.NewSecret("http://u:proxypass@p:1"),
		Headers: map[string]component.Secret{"X-Token": component.NewSecret("header\"secret"), "Accept": component.NewSecret("application/json")},
		Auth:    Auth{Basic: &Basic{User: "ana", Password: component.NewSecret("pass word+1")}},
	})
	s := c.Scrubber([]string{"mine-own", "abc"})
	text := `proxypass header"secret header\"secret pass word+1 pass+word%2B1 YW5hOnBhc3Mgd29yZCsx mine-own abc application/json`
	want := `(sensitive) (sensitive) (sensitive) (sensitive) (sensitive) (sensitive) (sensitive) abc application/json`
	if diff := cmp.Diff(want, s.Scrub(text)); diff != "" {
		t.Error(diff)
	}
	long := strings.Repeat("x", 95) + "mine-own" + strings.Repeat("y", 100)
	if got := s.Quote([]byte(long), 100); got != strings.Repeat("x", 95)+"(sens" {
		t.Errorf("cut: %q", got)
	}
	if got := s.Quote([]byte("a\xffé"), 4); got != "a\ufffd" {
		t.Errorf("not UTF-8: %q", got)
	}
}

func TestValidate(t *testing.T) {
	secret := component.NewSecret
	tests := []struct {
		cfg  Config
		want []string
	}{
		{Config{BaseURL: "https://h/api"}, nil},
		{Config{BaseURL: "h/api"}, []string{"base_url"}},
		{Config{BaseURL: "ftp://h"}, []string{"base_url"}},
		{Config{BaseURL: "http://u:p@h"}, []string{"base_url"}},
		{Config{BaseURL: "http://h/#x"}, []string{"base_url"}},
		{Config{BaseURL: "http://\x00"}, []string{"base_url"}},
		{Config{BaseURL: "http://h", Auth: Auth{Bearer: &Bearer{secret("t")}}}, []string{"base_url (warning)"}},
		{Config{BaseURL: "http://127.0.0.1:1", Auth: Auth{Bearer: &Bearer{secret("t")}}}, nil},
		{Config{BaseURL: "https://h", Auth: Auth{APIKey: &APIKey{Value: secret("k")}}}, []string{"auth.api_key"}},
		{Config{BaseURL: "https://h", Auth: Auth{APIKey: &APIKey{Header: "a", Query: "b", Value: secret("k")}}}, []string{"auth.api_key"}},
		{Config{BaseURL: "https://h", TLS: &TLS{Cert: "x"}}, []string{"tls"}},
		{Config{BaseURL: "https://h", Proxy: secret("proxy:3128")}, []string{"proxy"}},
		{Config{BaseURL: "https://h", Headers: map[string]component.Secret{"Content-Length": secret("1")}}, []string{"headers"}},
		{Config{BaseURL: "https://h", Headers: map[string]component.Secret{"a b": secret("1")}}, []string{"headers"}},
		{Config{BaseURL: "https://h", Headers: map[string]component.Secret{"A": secret("1\r\nB: 2")}}, []string{"headers"}},
	}
	for _, tt := range tests {
		var p component.Problems
		tt.cfg.Validate(&p)
		var got []string
		for _, problem := range p.List {
			if problem.Warning {
				problem.Attr += " (warning)"
			}
			got = append(got, problem.Attr)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: %s", tt.cfg, diff)
		}
	}
}

func TestProxyIsUsed(t *testing.T) {
	var got string
	proxy := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) { got = r.RequestURI }))
	defer proxy.Close()
	c := client(t, &Config{BaseURL: "http://inside.invalid/a", Proxy: component.NewSecret(proxy.URL)})
	if _, err := c.Do(context.Background(), get(c, "b"), 0); err != nil || got != "http://inside.invalid/a/b" {
		t.Errorf("got %q, %v", got, err)
	}
	u, err := url.Parse(got)
	if err != nil || u.Host != "inside.invalid" {
		t.Errorf("%v %v", u, err)
	}
}
