// Package listen holds the HTTP listeners. They live outside the graph of
// components: a listener keeps its port while the routes behind it are swapped
// as one, so that a reload refuses no request.
package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
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
}

// Listener serves the routes it was given last. All methods are safe for
// concurrent use.
type Listener struct {
	name    string
	log     *slog.Logger
	trusted []netip.Prefix
	keys    *keyring
	tcp     net.Listener
	server  *http.Server
	table   atomic.Pointer[table]
	refused func(n int)
}

// Open takes the address; Serve answers on it. Errors say what stands in the
// way: a port that is taken, a certificate that cannot be read.
func Open(c Config, log *slog.Logger) (*Listener, error) {
	var keys *keyring
	if c.TLS != nil {
		var err error
		if keys, err = openKeyring(*c.TLS, log); err != nil {
			return nil, fmt.Errorf("open %s: %w", c.Name, err)
		}
	}
	tcp, err := net.Listen("tcp", c.Address)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", c.Name, explain(c.Address, err))
	}
	return newListener(c, tcp, keys, log), nil
}

func newListener(c Config, tcp net.Listener, keys *keyring, log *slog.Logger) *Listener {
	l := &Listener{name: c.Name, log: log, trusted: c.TrustedProxies, keys: keys, tcp: patient{tcp}, refused: c.Refused}
	if l.refused == nil {
		l.refused = func(int) {}
	}
	l.table.Store(&table{mux: http.NewServeMux()})
	l.server = &http.Server{
		Handler:           l,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       l.connContext,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerConnection: http2Window,
			MaxReceiveBufferPerStream:     http2Window,
		},
	}
	if keys != nil {
		l.server.TLSConfig = keys.server()
	}
	return l
}

// Addr is the address that is really listened on, also where port 0 was asked for.
func (l *Listener) Addr() net.Addr { return l.tcp.Addr() }

// Serve answers until Shutdown; it then returns nil, at once.
func (l *Listener) Serve() error {
	serve := func() error { return l.server.Serve(l.tcp) }
	if l.keys != nil {
		serve = func() error { return l.server.ServeTLS(l.tcp, "", "") }
	}
	if err := serve(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.name, err)
	}
	return nil
}

// Shutdown frees the port, lets requests that have begun finish, and returns
// when all have. When ctx ends before, their connections are cut and its error
// is returned.
func (l *Listener) Shutdown(ctx context.Context) error {
	err := l.server.Shutdown(ctx)
	l.tcp.Close() // if Serve never ran, the server does not know it
	if err != nil {
		l.server.Close()
		return fmt.Errorf("shut down %s: %w", l.name, err)
	}
	return nil
}
