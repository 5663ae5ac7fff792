package listen

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
)

func TestMain(m *testing.M) {
	if os.Getenv(serveInherited) != "" {
		os.Exit(daemon())
	}
	goleak.VerifyTestMain(m)
}

var quiet = slog.New(slog.DiscardHandler)

// start serves a listener on a free port of the loopback until the test ends.
func start(t *testing.T, c Config, log *slog.Logger, routes ...component.Route) *Listener {
	t.Helper()
	c.Name, c.Address = "listener.http.test", "127.0.0.1:0"
	l, err := Open(c, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Swap(routes); err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- l.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := l.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l
}

func say(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) })
}

// client is one without connections left over.
func client(t *testing.T) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func get(t *testing.T, c *http.Client, method, url, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

func TestRouting(t *testing.T) {
	var refused atomic.Int64
	l := start(t, Config{Refused: func(n int) { refused.Add(int64(n)) }}, quiet,
		component.Route{Methods: []string{"POST", "PUT"}, Path: "/orders", Handler: say("orders")},
		component.Route{Methods: []string{"GET"}, Path: "/shops/{id}", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "shop "+r.PathValue("id"))
		})},
	)
	c, base := client(t), "http://"+l.Addr().String()
	tests := []struct {
		method, path, body string
		status             int
		want, allow        string
	}{
		{"POST", "/orders", "x", 200, "orders", ""},
		{"PUT", "/orders", "", 200, "orders", ""},
		{"GET", "/shops/7", "", 200, "shop 7", ""},
		{"GET", "/orders", "", 405, `{"type":"about:blank","title":"Method Not Allowed","status":405,"detail":"this path takes POST, PUT"}` + "\n", "POST, PUT"},
		{"DELETE", "/orders", "body", 405, `{"type":"about:blank","title":"Method Not Allowed","status":405,"detail":"this path takes POST, PUT"}` + "\n", "POST, PUT"},
		{"HEAD", "/shops/7", "", 405, "", "GET"},
		{"POST", "/nowhere", "body", 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"no source listens at this path"}` + "\n", ""},
		{"GET", "/", "", 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"no source listens at this path"}` + "\n", ""},
		{"POST", "//orders", "body", 307, "", ""},
	}
	for _, test := range tests {
		t.Run(test.method+test.path, func(t *testing.T) {
			res, body := get(t, c, test.method, base+test.path, test.body)
			if res.StatusCode != test.status || body != test.want || res.Header.Get("Allow") != test.allow {
				t.Errorf("got %d %q, Allow %q", res.StatusCode, body, res.Header.Get("Allow"))
			}
			if test.status >= 400 && res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("Content-Type %q", res.Header.Get("Content-Type"))
			}
			if res.Close != (test.status >= 300 && test.body != "") {
				t.Errorf("connection closed: %v", res.Close)
			}
		})
	}
	if refused.Load() != 6 {
		t.Errorf("%d refused requests counted, want 6", refused.Load())
	}
}

func TestSwapIsWhole(t *testing.T) {
	l := start(t, Config{}, quiet, component.Route{Methods: []string{"GET"}, Path: "/a", Handler: say("old")})
	c, url := client(t), "http://"+l.Addr().String()
	bad := [][]component.Route{
		{{Methods: []string{"GET"}, Path: "/b", Handler: say("new")}, {Methods: []string{"GET"}, Path: "/b", Handler: say("new")}},
		{{Methods: []string{"GET"}, Path: "/{x}/b", Handler: say("new")}, {Methods: []string{"GET"}, Path: "/a/{y}", Handler: say("new")}},
		{{Methods: []string{"GET"}, Path: "/{x", Handler: say("new")}},
	}
	want := []string{
		`set routes of listener.http.test: "GET /b" and "GET /b" match the same requests: change one of the paths`,
		`set routes of listener.http.test: "GET /{x}/b" and "GET /a/{y}" match the same requests: change one of the paths`,
		"set routes of listener.http.test: parsing \"GET /{x\": at offset 5: bad wildcard segment (must end with '}')",
	}
	var got []string
	for _, routes := range bad {
		err := l.Swap(routes)
		if err == nil {
			t.Fatalf("%v was accepted", routes)
		}
		got = append(got, err.Error())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, body := get(t, c, "GET", url+"/a", ""); body != "old" {
		t.Errorf("after failed swaps: %q", body)
	}
	if err := l.Swap([]component.Route{{Path: "/b", Handler: say("new")}}); err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, c, "PATCH", url+"/b", ""); body != "new" {
		t.Errorf("after the swap: %q", body)
	}
	if res, _ := get(t, c, "GET", url+"/a", ""); res.StatusCode != 404 {
		t.Errorf("the old route still answers: %d", res.StatusCode)
	}
}

func TestPanicBecomesAProblem(t *testing.T) {
	var log strings.Builder
	l := start(t, Config{}, slog.New(slog.NewTextHandler(&log, nil)),
		component.Route{Path: "/panic", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })},
		component.Route{Path: "/fine", Handler: say("fine")},
	)
	c, url := client(t), "http://"+l.Addr().String()
	res, body := get(t, c, "POST", url+"/panic", "x")
	if res.StatusCode != 500 || !strings.Contains(body, `"status":500`) {
		t.Errorf("got %d %s", res.StatusCode, body)
	}
	if _, body := get(t, c, "GET", url+"/fine", ""); body != "fine" {
		t.Errorf("after the panic: %q", body)
	}
	if !strings.Contains(log.String(), "panic=boom") || !strings.Contains(log.String(), "listen_test.go") {
		t.Errorf("log: %s", log.String())
	}
}

func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	_, err = Open(Config{Name: "listener.http.public", Address: address}, quiet)
	want := fmt.Sprintf("open listener.http.public: %s is taken by another program (`ss -ltnp sport = :%s` tells which): stop that one, or give this listener another address", address, port)
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err = Open(Config{Name: "listener.http.public", Address: "192.0.2.1:80"}, quiet); err == nil || !strings.Contains(err.Error(), "this machine has no such address") {
		t.Errorf("got %v", err)
	}
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	begun, finish := make(chan bool), make(chan bool)
	l, err := Open(Config{Name: "listener.http.test", Address: "127.0.0.1:0"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-finish
		io.WriteString(w, "done")
	})
	if err := l.Swap([]component.Route{{Path: "/", Handler: slow}}); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- l.Serve() }()
	answer := make(chan string, 1)
	go func() {
		_, body := get(t, client(t), "GET", "http://"+l.Addr().String(), "")
		answer <- body
	}()
	<-begun
	down := make(chan error, 1)
	go func() { down <- l.Shutdown(context.Background()) }()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the port is still open")
	}
	finish <- true
	if body := <-answer; body != "done" {
		t.Errorf("the request in flight got %q", body)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsWhatHangs(t *testing.T) {
	l, err := Open(Config{Name: "listener.http.test", Address: "127.0.0.1:0"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan bool)
	hang := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-r.Context().Done()
	})
	if err := l.Swap([]component.Route{{Path: "/", Handler: hang}}); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- l.Serve() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-begun
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF && !errors.Is(err, net.ErrClosed) && !strings.Contains(fmt.Sprint(err), "reset") {
		t.Errorf("the connection is still there: %v", err)
	}
	<-served
}

func TestShutdownWithoutServe(t *testing.T) {
	l, err := Open(Config{Name: "listener.http.test", Address: "127.0.0.1:0"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
}

func TestHugeHeader(t *testing.T) {
	l := start(t, Config{}, quiet, component.Route{Path: "/", Handler: say("fine")})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n")
		for range 1 << 10 {
			if _, err := fmt.Fprintf(c, "X-Filler: %s\r\n", strings.Repeat("x", 1000)); err != nil {
				return
			}
		}
	}()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestProblem(t *testing.T) {
	l := start(t, Config{}, quiet, component.Route{Path: "/", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Problem{Status: 400, Detail: "<broken>", At: &Position{0, 1, 1}, RetryAfter: 1500 * time.Millisecond}.Write(w)
	})})
	res, body := get(t, client(t), "GET", "http://"+l.Addr().String(), "")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": "about:blank", "title": "Bad Request", "status": 400.0, "detail": "<broken>",
		"offset": 0.0, "line": 1.0, "column": 1.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if res.Header.Get("Retry-After") != "2" || strings.Contains(body, `\u003c`) {
		t.Errorf("Retry-After %q, body %s", res.Header.Get("Retry-After"), body)
	}
}

func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name, peer string
		trusted    []netip.Prefix
		forwarded  []string
		want       string
	}{
		{"direct", "192.0.2.9", trusted, nil, "192.0.2.9"},
		{"header of a stranger", "192.0.2.9", trusted, []string{"203.0.113.7"}, "192.0.2.9"},
		{"nobody trusted", "10.0.0.1", nil, []string{"203.0.113.7"}, "10.0.0.1"},
		{"one proxy", "10.0.0.1", trusted, []string{"203.0.113.7"}, "203.0.113.7"},
		{"a forged entry before", "10.0.0.1", trusted, []string{"1.1.1.1, 203.0.113.7"}, "203.0.113.7"},
		{"two proxies", "10.0.0.1", trusted, []string{"1.1.1.1, 203.0.113.7, 10.2.2.2"}, "203.0.113.7"},
		{"two lines", "10.0.0.1", trusted, []string{"1.1.1.1, 203.0.113.7", "10.2.2.2"}, "203.0.113.7"},
		{"only proxies", "10.0.0.1", trusted, []string{"10.3.3.3,10.2.2.2"}, "10.3.3.3"},
		{"no address", "10.0.0.1", trusted, []string{"203.0.113.7, unknown, 10.2.2.2"}, "10.2.2.2"},
		{"empty", "10.0.0.1", trusted, []string{"", " , "}, "10.0.0.1"},
		{"with ports", "10.0.0.1", trusted, []string{"203.0.113.7:4711"}, "203.0.113.7"},
		{"IPv6", "fd00::1", trusted, []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		{"IPv6 in brackets", "fd00::1", trusted, []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv4 within IPv6", "::ffff:10.0.0.1", trusted, []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := &conn{addr: address(test.peer), listener: newListener("", &settings{trusted: test.trusted})}
			r, _ := http.NewRequestWithContext(context.WithValue(context.Background(), peerKey{}, c), "GET", "/", nil)
			r.Header["X-Forwarded-For"] = test.forwarded
			if got := ClientIP(r).String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestClientIPOverTCP(t *testing.T) {
	l := start(t, Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, quiet,
		component.Route{Path: "/", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, ClientIP(r).String())
		})})
	req, _ := http.NewRequest("GET", "http://"+l.Addr().String(), nil)
	req.Header.Set("X-Forwarded-For", "203.0.113.7")
	res, err := client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "203.0.113.7" {
		t.Errorf("got %s", body)
	}
}

func FuzzForwarded(f *testing.F) {
	f.Add("1.1.1.1, 10.0.0.1", "[::1]:5, fe80::1%eth0")
	f.Fuzz(func(t *testing.T, a, b string) {
		trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		if got := forwarded([]string{a, b}, netip.MustParseAddr("10.0.0.1"), trusted); !got.IsValid() || got.Is4In6() || got.Zone() != "" {
			t.Errorf("%q, %q: %v", a, b, got)
		}
	})
}
