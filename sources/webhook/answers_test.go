package webhook

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/listen"
)

func TestAccepted(t *testing.T) {
	h := newHook(t, nil)
	h.known = map[string]string{}
	for i, want := range []string{"", "true"} {
		w := h.post(`{"n":1}`, "Content-Type", "application/json")
		if w.Code != 202 || w.Body.String() != "{\"id\":\"1\"}\n" || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Syncd-Duplicate") != want {
			t.Errorf("answer %d: %d %q %v", i, w.Code, w.Body, w.Header())
		}
	}
	if stored, refused := h.counts(); stored != 1 || refused != 0 {
		t.Errorf("%d stored, %d refused", stored, refused)
	}
}

// Each refusal has its status and its problem, stores nothing and is counted.
func TestRefused(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	tests := []struct {
		name, contentType, body string
		status                  int
		detail                  string
		at                      []float64 // offset, line, column
	}{
		{"malformed JSON", "application/json", "{\"a\": 1,\n \"b\": x}", 400, "line 2, column 7", []float64{15, 2, 7}},
		{"cut JSON", "application/json", `{"a": [1, 2`, 400, "line 1, column 12", []float64{11, 1, 12}},
		{"no JSON at all", "application/json", "", 400, "line 1, column 1", []float64{0, 1, 1}},
		{"two values", "application/json", "{} {}", 400, "line 1, column 4", []float64{3, 1, 4}},
		{"invalid UTF-8", "application/json", "{\"a\": \"\xff\"}", 400, "not valid UTF-8", []float64{7, 1, 8}},
		{"too deep", "application/json", deep, 400, "nested deeper than 200", []float64{200, 1, 201}},
		{"wrong charset", "application/json; charset=iso-8859-1", `{}`, 415, "JSON must be UTF-8, not iso-8859-1", nil},
		{"second line of NDJSON", "application/x-ndjson", "{}\n{\"é\":}\n", 400, "line 2, column 6", []float64{9, 2, 6}},
		{"CSV with a short row", "text/csv", "a,b\n1\n", 400, "line 2", []float64{4, 2, 1}},
		{"form with a broken escape", "application/x-www-form-urlencoded", "a=%zz", 400, "line 1", []float64{2, 1, 3}},
		{"cut XML", "application/xml", "<a><b></b>", 400, "line 1", []float64{10, 1, 11}},
		{"text that is none", "text/plain", "\xff", 400, "not valid UTF-8", []float64{0, 1, 1}},
		{"text in no charset", "text/plain; charset=klingon", "x", 415, "klingon", nil},
		{"untyped and no text", "", "\xff", 400, "not valid UTF-8", []float64{0, 1, 1}},
		{"type that is not taken", "image/png", "x", 415, "image/png is not taken here", nil},
		{"multipart without a boundary", "multipart/form-data", "--x--", 400, "without a boundary", nil},
		{"multipart with a broken field", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: application/json\r\n\r\n{\r\n--x--\r\n", 400, `part 1 of the multipart body: field "a": line 1, column 2`, nil},
		{"cut multipart", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1", 400, "the body ends before its last boundary", nil},
		{"multipart of another kind", "multipart/mixed; boundary=x", "--x--", 415, "multipart/mixed is not taken here", nil},
		{"broken type", "no type; ;", "{}", 415, "cannot be read", nil},
		{"endless type", "text/plain; x=" + strings.Repeat("y", 300), "{}", 415, "cannot be read", nil},
		{"too large", "application/json", `"` + strings.Repeat("x", 10<<20) + `"`, 413, "5242880 bytes", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHook(t, nil)
			var headers []string
			if test.contentType != "" {
				headers = []string{"Content-Type", test.contentType}
			}
			res := h.post(test.body, headers...).Result()
			p := problem(t, res)
			detail, _ := p["detail"].(string)
			if res.StatusCode != test.status || !strings.Contains(detail, test.detail) {
				t.Errorf("got %d %v", res.StatusCode, p)
			}
			var at []float64
			if p["offset"] != nil {
				at = []float64{p["offset"].(float64), p["line"].(float64), p["column"].(float64)}
			}
			if diff := cmp.Diff(test.at, at); diff != "" {
				t.Error(diff)
			}
			if stored, refused := h.counts(); stored != 0 || refused != 1 {
				t.Errorf("%d stored, %d refused", stored, refused)
			}
		})
	}
}

func TestUnknownPathAndMethod(t *testing.T) {
	h := newHook(t, func(c *Config) { c.Methods = []string{"POST", "PUT"} })
	url, c := serve(t, listen.Config{}, h), newClient(t)
	tests := []struct {
		method, path, allow string
		status              int
	}{
		{"PUT", "/hook", "", 202},
		{"GET", "/hook", "POST, PUT", 405},
		{"POST", "/hooks", "", 404},
	}
	for _, test := range tests {
		req, _ := http.NewRequest(test.method, url+test.path, strings.NewReader("{}"))
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != test.status || res.Header.Get("Allow") != test.allow {
			t.Errorf("%s %s: %d, Allow %q", test.method, test.path, res.StatusCode, res.Header.Get("Allow"))
		}
		if test.status >= 400 {
			problem(t, res)
		}
		res.Body.Close()
	}
}

func TestAddresses(t *testing.T) {
	allow := func(c *Config) { c.AllowIPs = []netip.Prefix{netip.MustParsePrefix("203.0.113.9/24")} }
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	tests := []struct {
		trusted   []netip.Prefix
		forwarded string
		status    int
	}{
		{nil, "", 403},
		{nil, "203.0.113.7", 403},
		{proxies, "203.0.113.7", 202},
		{proxies, "203.0.113.7, 198.51.100.1", 403},
	}
	for _, test := range tests {
		h := newHook(t, allow)
		req, _ := http.NewRequest("POST", serve(t, listen.Config{TrustedProxies: test.trusted}, h)+"/hook", strings.NewReader("{}"))
		req.Header.Set("X-Forwarded-For", test.forwarded)
		res, err := newClient(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != test.status {
			t.Errorf("%v, %q: %d", test.trusted, test.forwarded, res.StatusCode)
		}
		if stored, refused := h.counts(); stored+refused != 1 || (stored == 1) != (test.status == 202) {
			t.Errorf("%d stored, %d refused", stored, refused)
		}
		res.Body.Close()
	}
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook(t, func(c *Config) {
			c.RateLimit = component.Rate{N: 2, Per: 10 * time.Second}
			c.Verify = []Verify{{Bearer: &Bearer{Token: component.NewSecret("token-1")}}}
		})
		good := []string{"Authorization", "Bearer token-1"}
		for range 20 { // strangers do not use up what is the senders'
			if w := h.post("{}"); w.Code != 401 {
				t.Fatalf("a stranger got %d", w.Code)
			}
		}
		codes := func() (codes []int) {
			for range 3 {
				codes = append(codes, h.post("{}", good...).Code)
			}
			return codes
		}
		if diff := cmp.Diff([]int{202, 202, 429}, codes()); diff != "" {
			t.Error(diff)
		}
		w := h.post("{}", good...)
		problem(t, w.Result())
		if w.Header().Get("Retry-After") != "5" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
		time.Sleep(5 * time.Second)
		if diff := cmp.Diff([]int{202, 429, 429}, codes()); diff != "" {
			t.Error(diff)
		}
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]int{202, 202, 429}, codes()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLater(t *testing.T) {
	tests := []struct {
		err           error
		detail, retry string
		logged        int
	}{
		{&component.LaterError{Reason: "disk full", After: 90 * time.Second}, "not now: disk full", "90", 0},
		{fmt.Errorf("accept: %w", &component.LaterError{Reason: "flow.a is behind"}), "not now: flow.a is behind", "1", 0},
		{errors.New("i/o error on /secret/path"), "the event could not be stored; nothing of it was kept", "10", 1},
	}
	for _, test := range tests {
		h := newHook(t, nil)
		h.err = test.err
		for range 3 {
			w := h.post("{}")
			p := problem(t, w.Result())
			if w.Code != 503 || p["detail"] != test.detail || w.Header().Get("Retry-After") != test.retry {
				t.Errorf("%v: %d %v, Retry-After %q", test.err, w.Code, p, w.Header().Get("Retry-After"))
			}
		}
		if got := strings.Count(h.log.String(), "\n"); got != test.logged {
			t.Errorf("%v: %d log lines, want %d", test.err, got, test.logged)
		}
		if stored, refused := h.counts(); stored != 0 || refused != 3 {
			t.Errorf("%d stored, %d refused", stored, refused)
		}
	}
}

// chunked hides the length of a body.
func chunked(body string) *http.Request {
	r := httptest.NewRequest("POST", "/hook", io.MultiReader(strings.NewReader(body)))
	r.ContentLength = -1
	return r
}

func TestBodyOfUnknownLength(t *testing.T) {
	for _, n := range []int{0, 1, firstRoom - 1, firstRoom, firstRoom + 1, 99_998, 99_999} {
		h := newHook(t, func(c *Config) { c.MaxBody = 100_000 })
		body := strings.Repeat("x", n)
		r := chunked(body)
		r.Body = io.NopCloser(iotest.HalfReader(r.Body))
		if w := h.send(r, "Content-Type", "text/plain"); w.Code != 202 {
			t.Fatalf("%d bytes: %d %s", n, w.Code, w.Body)
		}
		if d := h.last(t); string(d.Raw) != body || cap(d.Raw) > len(body)+len(body)/4+8 {
			t.Errorf("%d bytes: stored %d of room for %d", n, len(d.Raw), cap(d.Raw))
		}
	}
	h := newHook(t, func(c *Config) { c.MaxBody = 100_000 })
	if w := h.send(chunked(strings.Repeat("x", 100_000)), "Content-Type", "text/plain"); w.Code != 202 {
		t.Errorf("max_body itself: %d", w.Code)
	}
	if w := h.send(chunked(strings.Repeat("x", 100_001)), "Content-Type", "text/plain"); w.Code != 413 {
		t.Errorf("one more: %d", w.Code)
	}
}

func TestSenderThatLeaves(t *testing.T) {
	h := newHook(t, nil)
	for _, length := range []int64{10, -1} {
		r := httptest.NewRequest("POST", "/hook", io.MultiReader(strings.NewReader("{}"), iotest.ErrReader(io.ErrUnexpectedEOF)))
		r.ContentLength = length
		if w := h.send(r); w.Code != 400 {
			t.Errorf("length %d: %d", length, w.Code)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h.err = context.Canceled
	h.send(httptest.NewRequestWithContext(ctx, "POST", "/hook", strings.NewReader("{}")))
	if stored, refused := h.counts(); stored != 0 || refused != 3 || h.log.Len() > 0 {
		t.Errorf("%d stored, %d refused, log %q", stored, refused, h.log)
	}
}

func zip(t testing.TB, text string) string {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestContentEncoding(t *testing.T) {
	whole := zip(t, `{"a":1}`)
	bomb := zip(t, strings.Repeat(" ", 20<<20))
	tests := []struct {
		name, encoding, body, detail string
		status                       int
	}{
		{"gzip", "gzip", whole, "", 202},
		{"x-gzip", "X-GZIP", whole, "", 202},
		{"identity", "identity", `{"a":1}`, "", 202},
		{"bomb", "gzip", bomb, "1048576 bytes", 413},
		{"cut", "gzip", whole[:len(whole)-5], "not whole gzip", 400},
		{"none", "gzip", `{"a":1}`, "not whole gzip", 400},
		{"brotli", "br", whole, "gzip is understood", 415},
		{"both", "gzip, br", whole, "gzip is understood", 415},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHook(t, func(c *Config) { c.MaxBody = 1 << 20 })
			w := h.post(test.body, "Content-Type", "application/json", "Content-Encoding", test.encoding)
			if w.Code != test.status {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if test.status == 202 {
				if got := string(h.last(t).Raw); got != `{"a":1}` {
					t.Errorf("stored %s", got)
				}
				return
			}
			if p := problem(t, w.Result()); !strings.Contains(p["detail"].(string), test.detail) {
				t.Errorf("%v", p)
			}
			if (w.Header().Get("Accept-Encoding") == "gzip") != (test.status == 415) {
				t.Errorf("%v", w.Header())
			}
		})
	}
}

// pair is a network of one connection, for virtual time.
type pair struct{ conns chan net.Conn }

func (p *pair) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p *pair) Addr() net.Addr { return &net.TCPAddr{} }
func (p *pair) Close() error   { return nil }

func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook(t, nil)
		network := &pair{make(chan net.Conn)}
		server := &http.Server{Handler: h}
		served := make(chan error)
		go func() { served <- server.Serve(network) }()
		c, there := net.Pipe()
		network.conns <- there
		start := time.Now()
		io.WriteString(c, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
		answer, err := io.ReadAll(c)
		if err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 10*time.Second || took > 15*time.Second {
			t.Errorf("answered after %s", took)
		}
		if !bytes.HasPrefix(answer, []byte("HTTP/1.1 408 Request Timeout\r\n")) || !bytes.Contains(answer, []byte("Connection: close")) {
			t.Errorf("got %s", answer)
		}
		if stored, refused := h.counts(); stored != 0 || refused != 1 {
			t.Errorf("%d stored, %d refused", stored, refused)
		}
		c.Close()
		close(network.conns)
		server.Close()
		<-served
	})
}

// The answer to a request that was refused unread reaches a sender that is still
// sending, and the connection ends.
func TestRefusalOfALargeBodyIsSeen(t *testing.T) {
	h := newHook(t, nil)
	url := serve(t, listen.Config{}, h)
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", 10<<20)
	go c.Write(make([]byte, 10<<20))
	head := make([]byte, len("HTTP/1.1 413"))
	if _, err := io.ReadFull(c, head); err != nil || string(head) != "HTTP/1.1 413" {
		t.Errorf("got %q, %v", head, err)
	}
	rest, _ := io.ReadAll(c) // it may end in a reset: the answer was there before
	if !bytes.Contains(rest, []byte("Connection: close")) {
		t.Errorf("got %s", rest)
	}
}
