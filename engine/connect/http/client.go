// Package http is the connection to an HTTP server: where it is, how we
// authenticate, which certificates count, and a pool of connections that its
// users share.
package http

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	nethttp "net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/http/oauth2"
	"github.com/syncd/syncd/engine/connect/scrub"
)

//go:embed page.md
var page string

// Kind declares connection "http".
var Kind = component.ConnectionKind("http", "An HTTP server: its address, credentials and certificates, and a pool of connections.", newConfig, open).WithPage(page)

// Client is what users of the connection get.
type Client struct {
	reach     reach
	header    nethttp.Header // of every request
	query     string         // of every request
	queryKey  string         // the key of auth that is in query, "" if none is
	timeout   time.Duration
	slots     chan struct{}  // nil: no limit
	limiter   *rate.Limiter  // nil: no limit
	tokens    *oauth2.Source // nil: auth is none of that
	outcome   Outcome
	transport *nethttp.Transport
	secrets   []string
	learned   *scrub.Learned // secrets that came later; nil: none will
	scrubber  scrub.Scrubber
}

// Request is one request. It is sent once, or again on a fresh connection when
// an idle one turns out to be dead before an answer began.
type Request struct {
	Method string
	Path   string // escaped; appended to the base's path; a query may follow a '?'
	Query  string // encoded
	// URL is absolute, and taken instead of Path: a link that an answer gave; see
	// Client.Resolve. It must lead to base_url's server or to one of allow_hosts; what
	// could be a credential goes to the former only.
	URL string
	// Header is complete: see Client.Header. It must not change until Do returns,
	// nor after Do returned an error.
	Header nethttp.Header
	Host   string // instead of the base's, in the Host header; not with URL
	Body   []byte // must not change any more
}

// Response is the answer.
type Response struct {
	Status int
	Header nethttp.Header
	// Body holds at most the bytes asked for, with secrets still in it; see Client.Scrubber.
	Body      []byte
	Truncated bool // there was more
}

func open(env component.Env, cfg *Config) (*Client, error) {
	base, wrong := parseBase(cfg.BaseURL)
	if wrong != "" {
		return nil, fmt.Errorf("parse base_url: %s", wrong)
	}
	transport, err := newTransport(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{reach: reach{base, allowHosts(cfg.AllowHosts, base.Scheme)}, timeout: cfg.Timeout, transport: transport, query: base.RawQuery, header: nethttp.Header{"User-Agent": {"syncd"}}}
	if cfg.Concurrency > 0 {
		c.slots = make(chan struct{}, cfg.Concurrency)
	}
	for name, value := range cfg.Headers {
		c.header.Set(name, value.Reveal())
		c.secrets = append(c.secrets, HeaderSecrets(name, value.Reveal())...)
	}
	if r := cfg.RateLimit; r.IsSet() {
		c.limiter = newLimiter(r)
	}
	if cfg.Outcome != nil {
		c.outcome = *cfg.Outcome
	}
	c.authenticate(env, cfg.Auth)
	if u, _ := parseProxy(cfg.Proxy.Reveal()); u != nil && u.User != nil {
		password, _ := u.User.Password()
		c.secrets = append(c.secrets, password)
	}
	c.scrubber = c.Scrubber(nil)
	return c, nil
}

// Scrubber removes the connection's secrets, those that it learns later as well, and
// more of its user's own.
func (c *Client) Scrubber(more []string) scrub.Scrubber {
	return scrub.New(slices.Concat(c.secrets, more), c.learned)
}

// Header is a copy of what every request sends, for a Request to add to.
func (c *Client) Header() nethttp.Header { return c.header.Clone() }

// Do waits for a turn, sends r and reads up to limit bytes of the answer's body.
// Whatever status comes is no error, redirects are not followed. Errors say by their
// type whether they will pass: see component.Unwell.
func (c *Client) Do(ctx context.Context, r *Request, limit int) (*Response, error) {
	if err := c.Await(ctx); err != nil {
		return nil, c.failed(r, err)
	}
	defer c.Done()
	return c.DoNow(ctx, r, limit)
}

// DoNow is Do for who has had a turn by Await.
func (c *Client) DoNow(ctx context.Context, r *Request, limit int) (*Response, error) {
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	answer, err := read(resp, limit)
	if err != nil {
		return nil, c.failed(r, fmt.Errorf("read the answer: %w", err))
	}
	return answer, nil
}

// once sends r, with a token if there is one.
func (c *Client) once(ctx context.Context, r *Request, to target, t *oauth2.Token) (*nethttp.Response, error) {
	resp, err := c.transport.RoundTrip(c.request(ctx, r, to, t))
	if err != nil {
		return nil, c.failed(r, err)
	}
	return resp, nil
}

// request makes the request of net/http by hand: parsing a URL that we have in
// parts, for every event, would cost more than the rest of this function.
func (c *Client) request(ctx context.Context, r *Request, to target, t *oauth2.Token) *nethttp.Request {
	req := (&nethttp.Request{
		Method: r.Method, URL: to.url, Host: to.url.Host, Header: r.Header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	switch {
	case !to.home:
		req.Header = forStrangers(r.Header)
	case r.Host != "":
		req.Host = r.Host
	}
	if t != nil {
		req.Header = req.Header.Clone()
		req.Header.Set("Authorization", t.Header)
	}
	if len(r.Body) > 0 {
		req.ContentLength = int64(len(r.Body))
		req.Body = newBody(r.Body)
		req.GetBody = func() (io.ReadCloser, error) { return newBody(r.Body), nil }
	}
	return req
}

// failed names the request, without its query, which may hold what must not show.
func (c *Client) failed(r *Request, err error) error {
	what := fmt.Sprintf("%s %s: %s", r.Method, c.place(r), describe(err))
	return classify(scrubbed{c.scrubber.Scrub(what), err})
}

// place is where r goes, as messages name it.
func (c *Client) place(r *Request) string {
	if r.URL != "" {
		shown, _, _ := strings.Cut(r.URL, "?")
		return shown
	}
	path, _, _ := strings.Cut(r.Path, "?")
	return strings.TrimSuffix(place(c.reach.home), "/") + "/" + strings.TrimPrefix(path, "/")
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
	if c.tokens != nil {
		c.tokens.Close()
	}
	c.transport.CloseIdleConnections()
	return nil
}
