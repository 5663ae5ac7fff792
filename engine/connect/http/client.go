// Package http is the connection to an HTTP server: where it is, how we
// authenticate, which certificates count, and a pool of connections that its
// users share.
package http

import (
	"context"
	"fmt"
	"io"
	nethttp "net/http"
	"net/url"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// Kind declares connection "http".
var Kind = component.ConnectionKind("http", "An HTTP server: its address, credentials and certificates, and a pool of connections.", newConfig, open)

// Client is what users of the connection get.
type Client struct {
	base      *url.URL
	header    nethttp.Header // of every request
	query     string         // of every request
	timeout   time.Duration
	slots     chan struct{} // nil: no limit
	transport *nethttp.Transport
	secrets   []string
	scrubber  Scrubber
}

// Request is one request. It is sent once, or again on a fresh connection when
// an idle one turns out to be dead before an answer began.
type Request struct {
	Method string
	Path   string // escaped; appended to the base's path; a query may follow a '?'
	Query  string // encoded
	// Header is complete: see Client.Header. It must not change until Do returns,
	// nor after Do returned an error.
	Header nethttp.Header
	Host   string // instead of the base's, in the Host header
	Body   []byte // must not change any more
}

// Response is the answer.
type Response struct {
	Status int
	Header nethttp.Header
	// Body holds at most the bytes asked for, with secrets still in it; see Scrubber.
	Body      []byte
	Truncated bool // there was more
}

func open(_ component.Env, cfg *Config) (*Client, error) {
	base, wrong := parseBase(cfg.BaseURL)
	if wrong != "" {
		return nil, fmt.Errorf("parse base_url: %s", wrong)
	}
	transport, err := newTransport(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, timeout: cfg.Timeout, transport: transport, query: base.RawQuery, header: nethttp.Header{"User-Agent": {"syncd"}}}
	if cfg.Concurrency > 0 {
		c.slots = make(chan struct{}, cfg.Concurrency)
	}
	for name, value := range cfg.Headers {
		c.header.Set(name, value.Reveal())
		c.secrets = append(c.secrets, HeaderSecrets(name, value.Reveal())...)
	}
	c.authenticate(cfg.Auth)
	if u, _ := parseProxy(cfg.Proxy.Reveal()); u != nil && u.User != nil {
		password, _ := u.User.Password()
		c.secrets = append(c.secrets, password)
	}
	c.scrubber = c.Scrubber(nil)
	return c, nil
}

// Header is a copy of what every request sends, for a Request to add to.
func (c *Client) Header() nethttp.Header { return c.header.Clone() }

// Do sends r and reads up to limit bytes of the answer's body. Whatever status
// comes is no error, redirects are not followed. Errors say by their type whether
// they will pass: see component.Unwell.
func (c *Client) Do(ctx context.Context, r *Request, limit int) (*Response, error) {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	if c.slots != nil {
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
		case <-ctx.Done():
			return nil, c.failed(r, ctx.Err())
		}
	}
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, c.failed(r, err)
	}
	answer, err := read(resp, limit)
	if err != nil {
		return nil, c.failed(r, fmt.Errorf("read the answer: %w", err))
	}
	return answer, nil
}

// request makes the request of net/http by hand: parsing a URL that we have in
// parts, for every event, would cost more than the rest of this function.
func (c *Client) request(ctx context.Context, r *Request) (*nethttp.Request, error) {
	u, err := c.url(r)
	if err != nil {
		return nil, component.Permanent(err)
	}
	host := r.Host
	if host == "" {
		host = c.base.Host
	}
	req := (&nethttp.Request{
		Method: r.Method, URL: u, Host: host, Header: r.Header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if len(r.Body) > 0 {
		req.ContentLength = int64(len(r.Body))
		req.Body = newBody(r.Body)
		req.GetBody = func() (io.ReadCloser, error) { return newBody(r.Body), nil }
	}
	return req, nil
}

// failed names the request, without its query, which may hold what must not show.
func (c *Client) failed(r *Request, err error) error {
	path, _, _ := strings.Cut(r.Path, "?")
	what := fmt.Sprintf("%s %s://%s%s/%s", r.Method, c.base.Scheme, c.base.Host,
		strings.TrimSuffix(c.base.EscapedPath(), "/"), strings.TrimPrefix(path, "/"))
	return classify(scrubbed{c.scrubber.Scrub(fmt.Sprintf("%s: %s", what, describe(err))), err})
}

// scrubbed is an error whose text has been cleaned.
type scrubbed struct {
	text  string
	cause error
}

func (e scrubbed) Error() string { return e.text }
func (e scrubbed) Unwrap() error { return e.cause }

// Close closes the idle connections.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}
