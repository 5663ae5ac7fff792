package webhook

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/listen"
)

// order is a body of about 1 KiB.
var order = []byte(`{"id":"o-1042","email":"Ana@Example.com","address":{"city":"Santiago","cc":"cl"},"note":"` +
	strings.Repeat("please ring twice; ", 20) + `","lines":[` +
	strings.Repeat(`{"sku":"A-100","qty":2,"price":19.5},`, 12) + `{"sku":"B-7","qty":1,"price":5}]}`)

// free is an intake that costs nothing.
type free struct{ n atomic.Int64 }

func (f *free) Accept(context.Context, component.Batch) ([]component.Accepted, error) {
	f.n.Add(1)
	return accepted, nil
}
func (*free) Get(context.Context, string, any) (bool, error) { return false, nil }
func (*free) Refused(int)                                    {}

var accepted = []component.Accepted{{ID: "0193a1b2c3d4e5f60718293a4b5c6d7e"}}

// BenchmarkAccept is a webhook behind its listener, to be compared with
// BenchmarkReference: what is between the two is this package's own cost.
func BenchmarkAccept(b *testing.B) {
	blocks := map[string][]Verify{"none": {{None: &None{}}}, "bearer": {{Bearer: &Bearer{Token: component.NewSecret("token")}}}}
	for _, name := range []string{"none", "bearer"} {
		b.Run(name, func(b *testing.B) {
			h := newHook(b, func(c *Config) { c.Verify = blocks[name] })
			h.Handler.(*source).intake = &free{}
			l, err := listen.Open(listen.Config{Name: "listener.http.bench", Address: "127.0.0.1:0"}, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			if err := l.Swap([]component.Route{h.route}); err != nil {
				b.Fatal(err)
			}
			served := make(chan error)
			go func() { served <- l.Serve() }()
			load(b, l.Addr().String())
			if err := l.Shutdown(context.Background()); err != nil {
				b.Error(err)
			}
			<-served
		})
	}
}

// BenchmarkReference is plain net/http with json.Valid.
func BenchmarkReference(b *testing.B) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !json.Valid(body) {
			http.Error(w, "bad", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, `{"id":"0193a1b2c3d4e5f60718293a4b5c6d7e"}`)
	})}
	served := make(chan error)
	go func() { served <- server.Serve(tcp) }()
	load(b, tcp.Addr().String())
	server.Close()
	<-served
}

// load posts b.N orders over 64 kept connections, with a client that costs little.
func load(b *testing.B, address string) {
	const conns = 64
	request := fmt.Appendf(nil, "POST /hook HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench/1\r\nAuthorization: Bearer token\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", address, len(order), order)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var group sync.WaitGroup
	for range conns {
		group.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			for left.Add(-1) >= 0 {
				if _, err := c.Write(request); err != nil {
					b.Error(err)
					return
				}
				if err := skipAnswer(r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// skipAnswer reads an answer of 202 with a Content-Length.
func skipAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil || !bytes.Contains(line, []byte(" 202 ")) {
		return fmt.Errorf("answer %q: %w", line, err)
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if rest, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if _, err := fmt.Sscan(string(rest), &length); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			_, err := r.Discard(length)
			return err
		}
	}
}

// BenchmarkHandler is the webhook without a network, for its allocations.
func BenchmarkHandler(b *testing.B) {
	h := newHook(b, nil)
	h.Handler.(*source).intake = &free{}
	header := http.Header{
		"User-Agent": {"bench/1"}, "Content-Type": {"application/json"}, "Content-Length": {"1000"}, "Accept-Encoding": {"gzip"}, "X-Request-Id": {"1"},
	}
	body := bytes.NewReader(order)
	r, err := http.NewRequest("POST", "/hook", io.NopCloser(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header, r.Host, r.RemoteAddr, r.ContentLength = header, "127.0.0.1:8080", "127.0.0.1:4711", int64(len(order))
	w := &nowhere{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(order)
		h.ServeHTTP(w, r)
	}
}

type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}
