package listen

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/syncd/syncd/engine/component"
)

// change prepares and applies.
func change(t *testing.T, l *Listener, c Config) {
	t.Helper()
	c.Name = "listener.http.test"
	ready, err := l.Prepare(c, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ready.Apply()
}

// certificate writes a pair and gives a client that trusts it.
func certificate(t *testing.T, http2 bool) (TLS, *http.Client) {
	ca, f := newIssuer(t, "ca"), files(t)
	cert, key := ca.issue(t, "server")
	write(t, f.Cert, cert)
	write(t, f.Key, key)
	return f, tlsClient(t, &tls.Config{RootCAs: ca.pool()}, http2)
}

func TestTrustedProxiesChangeOnOpenConnections(t *testing.T) {
	l := start(t, Config{}, quiet, component.Route{Path: "/", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, ClientIP(r).String())
	})})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for i, trusted := range [][]netip.Prefix{nil, loopback, nil} {
		change(t, l, Config{TrustedProxies: trusted})
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n")
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if want := []string{"127.0.0.1", "203.0.113.7", "127.0.0.1"}[i]; string(body) != want {
			t.Errorf("request %d: client is %s, want %s", i, body, want)
		}
	}
}

func TestRefusedCounterChanges(t *testing.T) {
	var first, second atomic.Int64
	l := start(t, Config{Refused: func(n int) { first.Add(int64(n)) }}, quiet)
	c := client(t)
	get(t, c, "GET", "http://"+l.Addr().String(), "")
	change(t, l, Config{Refused: func(n int) { second.Add(int64(n)) }})
	get(t, c, "GET", "http://"+l.Addr().String(), "")
	if first.Load() != 1 || second.Load() != 1 {
		t.Errorf("counted %d and %d", first.Load(), second.Load())
	}
}

func TestPrepareTouchesNothing(t *testing.T) {
	f, secure := certificate(t, false)
	l := start(t, Config{TLS: &f}, quiet, component.Route{Path: "/", Handler: say("old")})
	url := "https://" + l.Addr().String()
	broken := TLS{Cert: f.Cert, Key: filepath.Join(filepath.Dir(f.Key), "missing.pem")}
	_, err := l.Prepare(Config{Name: "listener.http.test", TLS: &broken}, quiet)
	if want := "change listener.http.test: read certificate: stat " + broken.Key + ": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := l.Prepare(Config{Name: "listener.http.test"}, quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := l.PrepareRoutes([]component.Route{{Path: "/", Handler: say("new")}}); err != nil {
		t.Fatal(err)
	}
	twice := []component.Route{{Path: "/x", Handler: say("new")}, {Path: "/x", Handler: say("new")}}
	if _, err := l.PrepareRoutes(twice); err == nil || !strings.Contains(err.Error(), "match the same requests") {
		t.Errorf("got %v", err)
	}
	if _, body := get(t, secure, "GET", url, ""); body != "old" {
		t.Errorf("after changes that were not applied: %q", body)
	}
}

// From plain HTTP to TLS, to another certificate, and back, on one port.
func TestTLSOnAndOff(t *testing.T) {
	l := start(t, Config{}, quiet, component.Route{Path: "/", Handler: say("hello")})
	plain, host := client(t), l.Addr().String()
	var ask func(c *http.Client, scheme string) string
	ask = func(c *http.Client, scheme string) string {
		res, err := c.Get(scheme + "://" + host)
		if err != nil {
			return "refused"
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode == http.StatusMisdirectedRequest {
			return ask(c, scheme) // as clients do: over another connection
		}
		return fmt.Sprintf("%d %s", res.StatusCode, body)
	}
	expect := func(when, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	f, secure := certificate(t, true)
	other, otherClient := certificate(t, true)
	expect("plain", ask(plain, "http"), "200 hello")
	change(t, l, Config{TLS: &f})
	expect("plain after TLS came", ask(plain, "http"), "400 Client sent an HTTP request to an HTTPS server.\n")
	expect("TLS", ask(secure, "https"), "200 hello")
	change(t, l, Config{TLS: &other})
	expect("the old connection, with the old certificate", ask(secure, "https"), "200 hello")
	expect("the new certificate", ask(otherClient, "https"), "200 hello")
	change(t, l, Config{})
	expect("TLS after it went", ask(secure, "https"), "refused")
	expect("plain again", ask(plain, "http"), "200 hello")
}

// Requests that have begun are answered, and the connection ends with them; over
// HTTP/2 each in its own stream.
func TestBusyConnectionsFinish(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		f, c := certificate(t, http2)
		begun, finish := make(chan bool), make(chan bool)
		l := start(t, Config{TLS: &f}, quiet, component.Route{Path: "/", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begun <- true
			<-finish
			io.WriteString(w, "done")
		})})
		const requests = 3
		answers := make(chan string, requests)
		for range requests {
			go func() {
				res, err := c.Get("https://" + l.Addr().String())
				if err != nil {
					answers <- err.Error()
					return
				}
				defer res.Body.Close()
				body, _ := io.ReadAll(res.Body)
				answers <- string(body)
			}()
		}
		for range requests {
			<-begun
		}
		change(t, l, Config{})
		for range requests {
			finish <- true
		}
		for range requests {
			if got := <-answers; got != "done" {
				t.Errorf("HTTP/2 %v: a request that had begun got %q", http2, got)
			}
		}
		if res, err := c.Get("https://" + l.Addr().String()); err == nil {
			res.Body.Close()
			if res.StatusCode != http.StatusMisdirectedRequest {
				t.Errorf("HTTP/2 %v: after TLS was turned off a request got %s", http2, res.Status)
			}
		}
	}
}

// With another client_ca no connection of before brings another request in,
// whether the configuration names another file or the file holds something else.
func TestClientCAChanges(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, how := range []string{"another file", "the file", "the file, unnoticed by a reload"} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %v", how, http2), func(t *testing.T) {
				ca, before, after := newIssuer(t, "ca"), newIssuer(t, "before"), newIssuer(t, "after")
				f := files(t)
				cert, key := ca.issue(t, "server")
				write(t, f.Cert, cert)
				write(t, f.Key, key)
				f.ClientCA = filepath.Join(filepath.Dir(f.Cert), "ca.pem")
				write(t, f.ClientCA, before.pem())
				l := start(t, Config{TLS: &f}, quiet, component.Route{Path: "/", Handler: say("welcome")})
				url := "https://" + l.Addr().String()
				member := func(by *issuer) *http.Client {
					cert, key := by.issue(t, "partner")
					pair, err := tls.X509KeyPair(cert, key)
					if err != nil {
						t.Fatal(err)
					}
					c := tlsClient(t, &tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{pair}}, http2)
					c.Transport.(*http.Transport).DisableKeepAlives = false
					return c
				}
				old, fresh := member(before), member(after)
				if _, body := get(t, old, "GET", url, ""); body != "welcome" {
					t.Fatalf("got %q", body)
				}
				next := f
				switch how {
				case "another file":
					next.ClientCA += ".new"
					fallthrough
				case "the file":
					write(t, next.ClientCA, after.pem())
					change(t, l, Config{TLS: &next})
				default:
					write(t, next.ClientCA, after.pem())
					k := l.settings.Load().keys
					k.mu.Lock()
					k.checked = k.checked.Add(-recheck)
					k.mu.Unlock()
				}
				if _, body := get(t, fresh, "GET", url, ""); body != "welcome" {
					t.Errorf("a client of the new authority got %q", body)
				}
				res, err := old.Get(url)
				if err == nil {
					res.Body.Close()
					if res.StatusCode != http.StatusMisdirectedRequest {
						t.Errorf("a client of the old authority got %s over its old connection", res.Status)
					}
					if res, err = old.Get(url); err == nil {
						res.Body.Close()
						t.Errorf("a client of the old authority got %s", res.Status)
					}
				}
			})
		}
	}
}

// An idle connection is closed, so that its client notices in time.
func TestIdleConnectionsAreClosed(t *testing.T) {
	f, _ := certificate(t, false)
	l := start(t, Config{}, quiet, component.Route{Path: "/", Handler: say("hello")})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	change(t, l, Config{TLS: &f})
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

// Reloads that change everything but the terms, under load over connections that
// stay and others that do not: no request fails.
func TestChangesUnderLoad(t *testing.T) {
	f, _ := certificate(t, true)
	ca := newIssuer(t, "ca")
	cert, key := ca.issue(t, "server")
	write(t, f.Cert, cert)
	write(t, f.Key, key)
	l := start(t, Config{TLS: &f}, quiet, component.Route{Path: "/", Handler: say("0")})
	stop := make(chan bool)
	var clients sync.WaitGroup
	var answered atomic.Int64
	for i := range 4 {
		c := tlsClient(t, &tls.Config{RootCAs: ca.pool()}, i%2 == 0)
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, err := c.Post("https://"+l.Addr().String(), "", strings.NewReader("body"))
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				if res.Body.Close(); res.StatusCode != 200 {
					t.Error(res.Status)
				}
				answered.Add(1)
			}
		})
	}
	for n := range 200 {
		if n%3 == 0 {
			if _, err := l.Prepare(Config{TLS: &TLS{Cert: f.Cert, Key: f.Cert}}, quiet); err == nil {
				t.Error("a broken pair was taken")
			}
		}
		routes, err := l.PrepareRoutes([]component.Route{{Path: "/", Handler: say(fmt.Sprint(n))}})
		if err != nil {
			t.Fatal(err)
		}
		change(t, l, Config{TLS: &f, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		routes.Apply()
	}
	close(stop)
	clients.Wait()
	if answered.Load() == 0 {
		t.Error("no request was answered")
	}
}

// Clients that connect anew for each request notice nothing of a shutdown but a
// refused connection: one that was accepted is served.
func TestAcceptedConnectionsAreServed(t *testing.T) {
	for range 20 {
		l, err := Open(Config{Name: "listener.http.test", Address: "127.0.0.1:0"}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Swap([]component.Route{{Path: "/", Handler: say("hello")}}); err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		go func() { served <- l.Serve() }()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		for taken := false; !taken; { // until the connection is the server's
			l.mu.Lock()
			taken = l.era != nil && l.era.fresh.Load() == 1
			l.mu.Unlock()
		}
		down := make(chan error)
		go func() { down <- l.Shutdown(t.Context()) }()
		if err := <-served; err != nil {
			t.Error(err)
		}
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if status, body := answer(t, c); status != 200 || body != "hello" {
			t.Errorf("got %d %q", status, body)
		}
		c.Close()
		if err := <-down; err != nil {
			t.Error(err)
		}
	}
}

func TestKeeps(t *testing.T) {
	l, err := Open(Config{Name: "listener.http.test", Address: "127.0.0.1:0"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Shutdown(t.Context())
	l.address = "127.0.0.1:8080"
	for address, want := range map[string]bool{
		"127.0.0.1:8080": true, "localhost:8080": true, "[::ffff:127.0.0.1]:8080": true,
		"127.0.0.1:8081": false, "0.0.0.0:8080": false, ":8080": false, "[::1]:8080": false, "nonsense": false,
	} {
		if got := l.Keeps(Config{Name: "listener.http.other", Address: address}); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	for _, all := range []string{":80", "0.0.0.0:80", "[::]:80"} {
		if !sameAddress(all, ":80") {
			t.Errorf("%s is not :80", all)
		}
	}
	if sameAddress("here:80", "there:80") || sameAddress("127.0.0.1:0", "localhost:0") {
		t.Error("addresses that are not the same")
	}
}

// flaky fails to accept as a process with too many open files does.
type flaky struct {
	net.Listener
	failures atomic.Int64
}

type tooMany struct{ error }

func (tooMany) Temporary() bool { return true }

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures.Add(-1) >= 0 {
		return nil, tooMany{errors.New("too many open files")}
	}
	return f.Listener.Accept()
}

func TestAcceptingRecovers(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket := &flaky{Listener: tcp}
	socket.failures.Store(3)
	s, err := newSettings(Config{Name: "listener.http.test"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	l := newListener("", s, socket)
	if err := l.Swap([]component.Route{{Path: "/", Handler: say("hello")}}); err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- l.Serve() }()
	if _, body := get(t, client(t), "GET", "http://"+l.Addr().String(), ""); body != "hello" {
		t.Errorf("got %q", body)
	}
	tcp.Close() // not by Shutdown
	if err := <-served; err == nil || !strings.HasPrefix(err.Error(), "serve listener.http.test: ") {
		t.Errorf("got %v", err)
	}
	if err := l.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
