// Package listen holds the HTTP listeners. They live outside the graph of
// components: a listener keeps its port while its settings and the routes behind
// it are swapped, so that a reload refuses no request.
package listen

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Limits against clients that take their time. What one request may send in
// all is its source's business (max_body).
const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
)

// http2Window is what one HTTP/2 connection may send before a source reads it:
// memory that max_in_flight does not see.
const http2Window = 256 << 10

// Config is a listener as it is declared.
type Config struct {
	Name           string // for messages: "listener.http.public"
	Address        string // host:port
	TrustedProxies []netip.Prefix
	TLS            *TLS
	// Refused counts requests that no route took; nil: nobody wants to know.
	Refused func(n int)
	// Sockets are those that systemd has handed over; nil: none. One that is the
	// listener's is taken instead of the address.
	Sockets *Sockets
}

// Listener is a port, and serves the settings and routes that it was given last.
// All methods are safe for concurrent use.
type Listener struct {
	address  string // as it was asked for
	sockets  []net.Listener
	settings atomic.Pointer[settings]
	table    atomic.Pointer[table]
	tls      *tls.Config // asks the settings at each handshake

	mu     sync.Mutex
	era    *era           // that takes new connections; nil: Serve has not begun
	closed bool           // Shutdown has begun
	loops  sync.WaitGroup // that accept
	past   sync.WaitGroup // eras that end
	abort  context.Context
	giveUp context.CancelFunc
	cut    atomic.Bool // whether requests were
}

// settings are what may change while the port stays.
type settings struct {
	name    string
	log     *slog.Logger
	trusted []netip.Prefix
	keys    *keyring // nil: no TLS
	refused func(n int)
}

func newSettings(c Config, log *slog.Logger) (*settings, error) {
	s := &settings{name: c.Name, log: log, trusted: c.TrustedProxies, refused: c.Refused}
	if s.refused == nil {
		s.refused = func(int) {}
	}
	if c.TLS != nil {
		var err error
		if s.keys, err = openKeyring(*c.TLS, log); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// terms are those on which a connection is welcome now.
func (s *settings) terms() string {
	if s.keys == nil {
		return ""
	}
	return s.keys.latest.Load().terms
}

// Open takes the address, or the socket that systemd has handed over for it;
// Serve answers on it. Errors say what stands in the way: a port that is taken, a
// certificate that cannot be read.
func Open(c Config, log *slog.Logger) (*Listener, error) {
	s, err := newSettings(c, log)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", c.Name, err)
	}
	sockets := c.Sockets.take(c, log)
	if len(sockets) == 0 {
		tcp, err := net.Listen("tcp", c.Address)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", c.Name, Explain(c.Address, err))
		}
		sockets = []net.Listener{tcp}
	}
	return newListener(c.Address, s, sockets...), nil
}

func newListener(address string, s *settings, sockets ...net.Listener) *Listener {
	l := &Listener{address: address, sockets: sockets}
	l.abort, l.giveUp = context.WithCancel(context.Background())
	l.tls = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, GetConfigForClient: l.forClient}
	l.settings.Store(s)
	l.table.Store(&table{mux: http.NewServeMux()})
	return l
}

// Addr is the address that is really listened on, also where port 0 was asked
// for; the first, if systemd has handed over several sockets.
func (l *Listener) Addr() net.Addr { return l.sockets[0].Addr() }

// Serve answers until Shutdown; it then returns nil, at once.
func (l *Listener) Serve() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.era = newEra(l)
	ended := make(chan error, len(l.sockets))
	for _, s := range l.sockets {
		l.loops.Go(func() { ended <- l.accept(s) })
	}
	l.mu.Unlock()
	err := <-ended // the first to fail, or any of them when all are closed
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		return fmt.Errorf("serve %s: %w", l.settings.Load().name, err)
	}
	return nil
}

// Free gives the port up, so that another listener can take it at once. Shutdown
// must follow.
func (l *Listener) Free() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	for _, s := range l.sockets {
		s.Close()
	}
}

// Shutdown frees the port, lets requests that have begun finish, and returns
// when all have. When ctx ends before, their connections are cut and its error
// is returned. A socket that systemd has handed over stays open: who connects
// waits for the next that takes it.
func (l *Listener) Shutdown(ctx context.Context) error {
	defer l.giveUp()
	defer context.AfterFunc(ctx, l.giveUp)()
	l.Free()
	l.loops.Wait() // what was accepted has its era now
	l.mu.Lock()
	if l.era != nil {
		l.retire(l.era)
		l.era = nil
	}
	l.mu.Unlock()
	l.past.Wait()
	if l.cut.Swap(false) {
		return fmt.Errorf("shut down %s: %w", l.settings.Load().name, ctx.Err())
	}
	return nil
}
