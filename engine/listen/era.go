package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// era is the time in which connections are welcome on the same terms: with or
// without TLS, which clients. Each has a server of its own, since ending one is
// what net/http does well: idle connections are closed, busy ones when they have
// answered.
type era struct {
	terms  string
	addr   net.Addr
	server *http.Server
	conns  chan net.Conn
	over   chan struct{}
	fresh  atomic.Int64 // connections whose first request has not come yet
}

var _ net.Listener = (*era)(nil)

// newEra makes an era that begins now; it must be called with l.mu held.
func newEra(l *Listener) *era {
	s := l.settings.Load()
	e := &era{terms: s.terms(), addr: l.Addr(), conns: make(chan net.Conn), over: make(chan struct{})}
	e.server = &http.Server{
		Handler:           l,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       connContext,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerConnection: http2Window,
			MaxReceiveBufferPerStream:     http2Window,
		},
	}
	// Its error says that the era is over.
	l.past.Go(func() { _ = e.server.Serve(e) })
	return e
}

// Accept gives the connections that belong to the era.
func (e *era) Accept() (net.Conn, error) {
	select {
	case c := <-e.conns:
		return c, nil
	case <-e.over:
		return nil, net.ErrClosed
	}
}

// Close does nothing: an era is over when the listener says so.
func (e *era) Close() error { return nil }

// Addr is the listener's.
func (e *era) Addr() net.Addr { return e.addr }

// accept hands connections to the era, until the socket is closed.
func (l *Listener) accept(socket net.Listener) error {
	for wait := time.Duration(0); ; {
		c, err := socket.Accept()
		if err == nil {
			wait = 0
			l.admit(c)
			continue
		}
		if !passing(err) {
			return err
		}
		wait = min(max(2*wait, 5*time.Millisecond), time.Second)
		l.settings.Load().log.Error("cannot accept a connection; trying again", "err", err, "wait", wait)
		select {
		case <-time.After(wait):
		case <-l.abort.Done():
		}
	}
}

// passing tells whether accepting may work again: with too many open files, or
// after a client that has gone while it waited.
func passing(err error) bool {
	var e interface{ Temporary() bool }
	return errors.As(err, &e) && e.Temporary()
}

// admit gives a new connection to the era that has begun last.
func (l *Listener) admit(tcp net.Conn) {
	for {
		l.mu.Lock()
		e := l.era
		l.mu.Unlock()
		c := &conn{Conn: tcp, listener: l, era: e, addr: address(tcp.RemoteAddr().String())}
		var served net.Conn = c
		if e.terms != "" {
			served = tls.Server(c, l.tls)
		}
		e.fresh.Add(1)
		select {
		case e.conns <- served:
			return
		case <-e.over: // the next one takes it
			e.fresh.Add(-1)
		}
	}
}

// forClient gives a client that begins a handshake what is asked of it now.
func (l *Listener) forClient(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	s := l.settings.Load()
	if s.keys == nil {
		return nil, errors.New("TLS has just been turned off")
	}
	now := s.keys.current()
	c := hello.Conn.(*conn)
	if c.terms = now.terms; now.terms != c.era.terms {
		l.renew()
	}
	return now.config, nil
}

// renew begins another era if the terms have changed.
func (l *Listener) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.era == nil || l.era.terms == l.settings.Load().terms() {
		return
	}
	before := l.era
	l.era = newEra(l)
	l.retire(before)
}

// firstRequest is how long a connection that has been taken may take to send its
// first request when its era is over: clients do not expect to be refused there.
const firstRequest = time.Second

// retire ends an era: what is idle now, the rest in the background, within l.past.
func (l *Listener) retire(e *era) {
	close(e.over)
	e.server.SetKeepAlivesEnabled(false) // closes idle connections, too
	l.past.Go(func() {
		e.awaitFresh(l.abort)
		if e.server.Shutdown(l.abort) != nil {
			_ = e.server.Close() // its error would be of a socket, and it has none
			l.cut.Store(true)
		}
	})
}

// awaitFresh waits for first requests, since a server that shuts down drops those
// that it has not read.
func (e *era) awaitFresh(ctx context.Context) {
	end := time.NewTimer(firstRequest)
	defer end.Stop()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for e.fresh.Load() > 0 {
		select {
		case <-again.C:
		case <-end.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// turnAway answers over a connection that was let in on other terms than those of
// now. RFC 9110, 15.5.20: the client may repeat the request over another one.
func (l *Listener) turnAway(w http.ResponseWriter, r *http.Request) {
	l.settings.Load().refused(1)
	Hangup(w, r)
	w.Header().Set("Connection", "close") // HTTP/2: GOAWAY
	Problem{Status: http.StatusMisdirectedRequest, Detail: "what this listener asks of its clients has changed: connect again"}.Write(w)
}
