package bench

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// checkEvery is how many deliveries share one look at the body.
const checkEvery = 64

// sink takes deliveries and counts them by order.
type sink struct {
	listener net.Listener
	refusing atomic.Bool     // answer refusal, count nothing
	refusal  []byte          // 503 unless it is another
	times    []atomic.Uint32 // by order number
	look     func([]byte)    // sees each body first; nil: nobody does

	orders   atomic.Int64 // delivered at least once
	repeats  atomic.Int64
	wrong    atomic.Int64 // bodies that are not what they should be, of those looked at
	first    atomic.Int64 // time of the first delivery, Unix nanoseconds
	last     atomic.Int64 // of the latest order's first delivery
	wanted   atomic.Int64
	complete chan struct{} // holds a token when orders has come to wanted

	mu    sync.Mutex
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

// newSink serves orders numbered below room until it is closed.
func newSink(tb testing.TB, room int) *sink {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &sink{listener: l, refusal: busy, times: make([]atomic.Uint32, room), complete: make(chan struct{}, 1), conns: map[net.Conn]bool{}}
	s.wg.Go(s.serve)
	return s
}

func (s *sink) addr() string { return s.listener.Addr().String() }

func (s *sink) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.converse(conn)
			conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		})
	}
}

func (s *sink) close() {
	s.listener.Close()
	s.mu.Lock()
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

var (
	thanks = []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	busy   = []byte("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
	unfit  = []byte("HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: 0\r\n\r\n")
)

func (s *sink) converse(conn net.Conn) {
	in := bufio.NewReader(conn)
	var request message
	for request.read(in) == nil && !request.last {
		answer := s.refusal
		if !s.refusing.Load() {
			s.count(request.body)
			answer = thanks
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func (s *sink) count(body []byte) {
	if s.look != nil {
		s.look(body)
	}
	n, ok := orderNumber(body)
	if !ok || n >= len(s.times) {
		s.wrong.Add(1)
		return
	}
	if s.times[n].Add(1) > 1 {
		s.repeats.Add(1)
		return
	}
	now := time.Now().UnixNano()
	s.first.CompareAndSwap(0, now)
	s.last.Store(now)
	have := s.orders.Add(1)
	if have%checkEvery == 0 && !right(body, n) {
		s.wrong.Add(1)
	}
	if have >= s.wanted.Load() {
		select {
		case s.complete <- struct{}{}:
		default:
		}
	}
}

func orderNumber(body []byte) (int, bool) {
	_, rest, ok := bytes.Cut(body, []byte(idMark))
	if !ok || len(rest) < idDigits {
		return 0, false
	}
	n, err := strconv.Atoi(string(rest[:idDigits]))
	return n, err == nil && n >= 0
}

// await returns when n orders have come, and fails the benchmark when they do not.
func (s *sink) await(tb testing.TB, n int, within time.Duration) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), within)
	defer cancel()
	for s.wanted.Store(int64(n)); s.orders.Load() < int64(n); {
		select {
		case <-s.complete:
		case <-ctx.Done():
			tb.Fatalf("the sink has %d of %d orders after %s, and %d repeats", s.orders.Load(), n, within, s.repeats.Load())
		}
	}
	if w := s.wrong.Load(); w > 0 {
		tb.Fatalf("the sink was sent %d wrong bodies", w)
	}
}

// lastAt is when the latest order came.
func (s *sink) lastAt() time.Time { return time.Unix(0, s.last.Load()) }

// firstAt is when the first order came.
func (s *sink) firstAt() time.Time { return time.Unix(0, s.first.Load()) }
