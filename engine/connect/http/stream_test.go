package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/syncd/syncd/engine/component"
)

func gzipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

func zstandard(text string) []byte {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

// encoded answers by path, as encoded as the path says.
func encoded(w nethttp.ResponseWriter, r *nethttp.Request) {
	text := strings.Repeat("a line of text\n", 10_000)
	switch r.URL.Path {
	case "/gzip":
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(gzipped(text))
	case "/zstd":
		w.Header().Set("Content-Encoding", "ZSTD")
		w.Write(zstandard(text))
	case "/br":
		w.Header().Set("Content-Encoding", "br")
		w.Write([]byte("?"))
	case "/none":
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(nethttp.StatusNotModified)
	case "/broken":
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(gzipped(text)[:100])
	case "/nogzip":
		w.Header().Set("Content-Encoding", "gzip")
		w.Write([]byte(text))
	default:
		io.WriteString(w, text)
	}
}

func readAll(c *Client, path string, limit int64) (string, error) {
	s, err := c.Stream(context.Background(), get(c, path), limit)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(s.Body)
	return string(b), errors.Join(err, s.Body.Close())
}

func TestStreamDecodes(t *testing.T) {
	srv := httptest.NewServer(nethttp.HandlerFunc(encoded))
	defer srv.Close()
	c := client(t, &Config{BaseURL: srv.URL})
	text := strings.Repeat("a line of text\n", 10_000)
	for _, tt := range []struct {
		path  string
		limit int64
		want  string
		err   string
	}{
		{"/plain", 150_000, text, ""},
		{"/gzip", 150_000, text, ""},
		{"/zstd", 150_000, text, ""},
		{"/none", 10, "", ""},
		{"/plain", 149_999, text[:149_999], "/plain: the answer is longer than 149999 bytes"},
		{"/gzip", 1000, text[:1000], "longer than 1000 bytes"},
		{"/zstd", 0, "", "longer than 0 bytes"},
		{"/br", 10, "", `/br: read the answer: the answer is encoded as "br"`},
		{"/nogzip", 10, "", "decode gzip"},
	} {
		got, err := readAll(c, tt.path, tt.limit)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s, %d: %d bytes, %v", tt.path, tt.limit, len(got), err)
		}
		var limit *LimitError
		if errors.As(err, &limit) != strings.Contains(tt.err, "longer") {
			t.Errorf("%s, %d: not a limit's error: %v", tt.path, tt.limit, err)
		}
	}
	if _, err := readAll(c, "/broken", 150_000); err == nil || !strings.Contains(err.Error(), "the answer broke off") {
		t.Errorf("half a gzip stream: %v", err)
	}
}

// A bomb costs what the limit allows, not what it would unpack to.
func TestStreamGzipBomb(t *testing.T) {
	bomb := gzipped(strings.Repeat("\x00", 16<<20))
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb)
	}))
	defer srv.Close()
	c := client(t, &Config{BaseURL: srv.URL})
	got, err := readAll(c, "/", 1<<20)
	var limit *LimitError
	if !errors.As(err, &limit) || len(got) != 1<<20 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// The slot of a stream is taken until Close, whatever was read.
func TestStreamHoldsItsSlot(t *testing.T) {
	srv := httptest.NewServer(nethttp.HandlerFunc(encoded))
	defer srv.Close()
	c := client(t, &Config{BaseURL: srv.URL, Concurrency: 1})
	s, err := c.Stream(context.Background(), get(c, "/"), 10)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Do(ctx, get(c, "/"), 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside a stream: %v", err)
	}
	s.Body.Close()
	s.Body.Close()
	for range 2 {
		if _, err := c.Do(context.Background(), get(c, "/"), 0); err != nil {
			t.Error(err)
		}
	}
}

func TestStreamStalls(t *testing.T) {
	stop := make(chan struct{})
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.URL.Path == "/head" {
			<-stop
			return
		}
		io.WriteString(w, "some")
		nethttp.NewResponseController(w).Flush()
		for r.URL.Path == "/drips" && r.Context().Err() == nil {
			io.WriteString(w, ".")
			nethttp.NewResponseController(w).Flush()
			select {
			case <-stop:
			case <-time.After(5 * time.Millisecond):
			}
		}
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(stop)
	c := client(t, &Config{BaseURL: srv.URL, Timeout: 50 * time.Millisecond, Concurrency: 1})
	for _, path := range []string{"/head", "/freezes", "/drips"} {
		_, err := readAll(c, path, 1<<20)
		if err == nil || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), "the server kept us waiting for 50ms") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Who leaves the last bytes of an answer unread costs no connection; who leaves an
// answer that goes on is not held up by it.
func TestStreamLeavesItsConnection(t *testing.T) {
	var opened atomic.Int32
	srv := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		io.WriteString(w, "[1, 2]\n\n")
		if r.URL.Path == "/on" {
			nethttp.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	}))
	srv.Config.ConnState = func(_ net.Conn, s nethttp.ConnState) {
		if s == nethttp.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c := client(t, &Config{BaseURL: srv.URL})
	leave := func(path string) {
		s, err := c.Stream(context.Background(), get(c, path), 100)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(s.Body, make([]byte, 6))
		if err := s.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 5 {
		leave("/")
	}
	if opened.Load() != 1 {
		t.Errorf("%d connections", opened.Load())
	}
	began := time.Now()
	leave("/on")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("closing took %s", took)
	}
}

// Who reads slowly is not told that the server is slow.
func TestPatienceCountsWaitingOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		p := newPatience(time.Second, cancel)
		w := &watched{readerFunc(func(b []byte) (int, error) { time.Sleep(400 * time.Millisecond); return 600, nil }), p}
		for range 10 {
			time.Sleep(time.Minute)
			w.Read(make([]byte, 1024))
		}
		if p.lost() != nil || ctx.Err() != nil {
			t.Error("lost patience with a server that brings enough")
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestRedirects(t *testing.T) {
	var stranger seen
	other := recorder(t, &stranger)
	unlisted := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { t.Error("a server that is not listed was asked") }))
	defer unlisted.Close()
	var got []string
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprintf("%s %s %s %s", r.Method, r.URL.Path, r.Header.Get("Authorization"), body))
		status := nethttp.StatusFound
		to := map[string]string{"/a": "b?x=1", "/other": other.URL + "/there?y=2", "/unlisted": unlisted.URL, "/loop": "/loop", "/keep": "/b", "/file": "file:///etc/passwd", "/user": "http://u:pw@" + r.Host + "/", "/bad": "http://%zz"}[r.URL.Path]
		if r.URL.Path == "/keep" {
			status = nethttp.StatusTemporaryRedirect
		}
		if to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(status)
		}
	}))
	defer srv.Close()
	c := client(t, &Config{
		BaseURL: srv.URL, AllowHosts: []string{strings.TrimPrefix(other.URL, "http://")},
		Headers: map[string]component.Secret{"X-Key": component.NewSecret("header-key")},
		Auth:    Auth{Bearer: &Bearer{Token: component.NewSecret("token")}},
	})
	ask := func(method, path string) (*Stream, error) {
		got = nil
		s, err := c.Stream(context.Background(), &Request{Method: method, Path: path, Header: c.Header(), Body: []byte("hi")}, 100)
		if err == nil {
			s.Body.Close()
		}
		return s, err
	}
	s, err := ask("POST", "/a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"POST /a Bearer token hi", "GET /b Bearer token "}, got); diff != "" || s.URL != srv.URL+"/b?x=1" {
		t.Errorf("%s: %s", s.URL, diff)
	}
	if _, err := ask("POST", "/keep"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"POST /keep Bearer token hi", "POST /b Bearer token hi"}, got); diff != "" {
		t.Error(diff)
	}
	if s, err = ask("GET", "/other"); err != nil || s.URL != other.URL+"/there?y=2" {
		t.Fatal(s, err)
	}
	if diff := cmp.Diff(seen{Method: "GET", URI: "/there?y=2", Host: strings.TrimPrefix(other.URL, "http://"), Agent: "syncd"}, stranger); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]string{
		"/unlisted": fmt.Sprintf("add %q to allow_hosts", strings.TrimPrefix(unlisted.URL, "http://")),
		"/loop":     "redirected more than 10 times",
		"/file":     "no http:// or https:// URL",
		"/user":     "brings a user or password of its own",
		"/bad":      "no URL",
	} {
		if _, err := ask("GET", path); err == nil || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestRequestByURL(t *testing.T) {
	var got, stranger seen
	srv, other := recorder(t, &got), recorder(t, &stranger)
	host := strings.TrimPrefix(other.URL, "http://")
	c := client(t, &Config{BaseURL: srv.URL + "/api?v=1", AllowHosts: []string{host}, Auth: Auth{APIKey: &APIKey{Query: "key", Value: component.NewSecret("k&y")}}})
	ask := func(to string) error {
		_, err := c.Do(context.Background(), &Request{Method: "GET", URL: to, Header: c.Header()}, 0)
		return err
	}
	for to, want := range map[string]string{
		"/next?page=2":       "/next?page=2&v=1&key=k%26y",
		"/next?v=2&key=mine": "/next?v=2&key=mine",
		"":                   "/?v=1&key=k%26y",
		"/a#fragment":        "/a?v=1&key=k%26y",
	} {
		if err := ask(srv.URL + to); err != nil || got.URI != want {
			t.Errorf("%s: %s, %v", to, got.URI, err)
		}
	}
	if err := ask(other.URL + "/x?page=2"); err != nil || stranger.URI != "/x?page=2" || stranger.Host != host {
		t.Errorf("%+v, %v", stranger, err)
	}
	for _, to := range []string{"http://elsewhere.example/?secret=1", "/relative", "http://%zz", "ftp://" + host} {
		if err := ask(to); !component.IsPermanent(err) || strings.Contains(err.Error(), "secret=1") {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestResolve(t *testing.T) {
	c := client(t, &Config{BaseURL: "https://api.example.com/v2", AllowHosts: []string{"files.example.com", "10.0.0.7:8443"}, Auth: Auth{APIKey: &APIKey{Query: "key", Value: component.NewSecret("k&y")}}})
	for _, tt := range []struct{ base, ref, want, err string }{
		{"", "/v2/orders?page=2", "https://api.example.com/v2/orders?page=2", ""},
		{"https://api.example.com/v2/orders?page=1", "?page=2", "https://api.example.com/v2/orders?page=2", ""},
		{"https://api.example.com/v2/orders", "items/7", "https://api.example.com/v2/items/7", ""},
		{"", "https://API.example.com:443/x", "https://API.example.com:443/x", ""},
		{"", "//files.example.com/f?key=other", "https://files.example.com/f?key=other", ""},
		{"", "https://10.0.0.7:8443/", "https://10.0.0.7:8443/", ""},
		{"", "/x?a=1&key=k%26y&b=2", "https://api.example.com/x?a=1&b=2", ""},
		{"", "http://api.example.com/", "", "is not https://"},
		{"", "http://files.example.com/", "", "is not https://"},
		{"", "https://files.example.com:444/", "", `add "files.example.com:444" to allow_hosts`},
		{"", "https://api.example.com.evil.example/", "", "another server"},
		{"", "https://api.example.com@evil.example/", "", "of its own"},
		{"", "/x?a=1#part", "https://api.example.com/x?a=1", ""},
		{"", "https://evil.example/" + strings.Repeat("x", 5000), "", "xxx… is another server"},
		{"", "javascript:alert(1)", "", "no http:// or https:// URL"},
		{"", "%zz", "", "does not parse"},
		{"%zz", "x", "", "does not parse"},
	} {
		got, err := c.Resolve(tt.base, tt.ref)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s + %s: %q, %v", tt.base, tt.ref, got, err)
		}
	}
	plain := client(t, &Config{BaseURL: "http://api.example.com", AllowHosts: []string{"files.example.com"}})
	for _, ok := range []string{"https://api.example.com/", "https://files.example.com/", "http://files.example.com/"} {
		if _, err := plain.Resolve("", ok); err != nil {
			t.Error(err)
		}
	}
}
