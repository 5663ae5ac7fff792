package http

import (
	"context"
	"fmt"
	"net"
	nethttp "net/http"
	"net/http/httptrace"
	"sync"

	"github.com/syncd/syncd/engine/component"
)

var (
	_ component.Checker   = (*Client)(nil)
	_ component.Certified = (*Config)(nil)
)

// Certificates are the files of the tls block.
func (c *Config) Certificates() []component.CertificateFiles {
	if c.TLS == nil {
		return nil
	}
	return []component.CertificateFiles{{Cert: c.TLS.Cert, Key: c.TLS.Key, CA: c.TLS.CA}}
}

// Check connects as a request would, by way of the proxy if there is one, and hangs
// up once the TLS handshake is over: the peer gets no request. By an HTTP proxy to an
// http:// peer only the proxy is reached.
func (c *Client) Check(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := probe{dial: c.transport.DialContext}
	transport := c.transport.Clone()
	transport.DialContext = p.connect
	defer transport.CloseIdleConnections()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { p.hangUp() }})
	req, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodHead, c.reach.home.Scheme+"://"+c.reach.home.Host, nil)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	resp, err := transport.RoundTrip(req)
	if err == nil {
		return resp.Body.Close()
	}
	if p.reached() {
		return nil
	}
	return c.failed(&Request{Method: "connect to"}, err)
}

// probe keeps the connection that the transport makes, to cut it.
type probe struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu   sync.Mutex
	conn net.Conn
	got  bool
}

func (p *probe) connect(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := p.dial(ctx, network, address)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn = conn
	return conn, err
}

// hangUp is called before the request is written, which then fails.
func (p *probe) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = true
	p.conn.Close()
}

func (p *probe) reached() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got
}
