package http

import (
	"context"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/url"
)

const maxRedirects = 10

// follow sends r, and goes where the answers lead, within reach.
func (c *Client) follow(ctx context.Context, r *Request) (*nethttp.Response, error) {
	for n := 0; ; n++ {
		if n > 0 {
			if err := c.another(ctx); err != nil {
				return nil, c.failed(r, err)
			}
		}
		resp, err := c.send(ctx, r)
		if err != nil {
			return nil, err
		}
		to := resp.Header.Get("Location")
		if to == "" || !redirects(resp.StatusCode) {
			return resp, nil
		}
		drain(resp)
		if n == maxRedirects {
			return nil, c.failed(r, fmt.Errorf("redirected more than %d times", maxRedirects))
		}
		if r, err = c.redirect(r, resp, to); err != nil {
			return nil, err
		}
	}
}

func redirects(status int) bool {
	switch status {
	case nethttp.StatusMovedPermanently, nethttp.StatusFound, nethttp.StatusSeeOther, nethttp.StatusTemporaryRedirect, nethttp.StatusPermanentRedirect:
		return true
	}
	return false
}

// redirect is the request that the answer asks for instead of r (RFC 9110, section 15.4).
func (c *Client) redirect(r *Request, resp *nethttp.Response, to string) (*Request, error) {
	u, err := resp.Request.URL.Parse(to)
	if err != nil {
		return nil, c.failed(r, errors.New("redirected to what is no URL"))
	}
	if wrong := c.reach.check(u); wrong != "" {
		return nil, c.failed(r, fmt.Errorf("redirected: %s", wrong))
	}
	next := &Request{Method: r.Method, URL: u.String(), Header: r.Header, Body: r.Body}
	switch resp.StatusCode {
	case nethttp.StatusTemporaryRedirect, nethttp.StatusPermanentRedirect:
		return next, nil
	}
	if r.Method != nethttp.MethodHead {
		next.Method = nethttp.MethodGet
	}
	next.Body = nil
	return next, nil
}

// Resolve makes a reference that an answer gave, a next link say, into a URL for a
// Request: relative to base, which is the answer's URL, or to base_url where base is
// "". A key that auth puts into the query is taken out of it, so that the URL may be
// stored. It fails where the connection may not go.
func (c *Client) Resolve(base, ref string) (string, error) {
	from := c.reach.home
	if base != "" {
		var err error
		if from, err = url.Parse(base); err != nil {
			return "", fmt.Errorf("parse the URL that a link is relative to: %w", errNoURL)
		}
	}
	u, err := from.Parse(ref)
	if err != nil {
		return "", fmt.Errorf("follow %q: %w", c.scrubber.Quote([]byte(ref), 200), errNoURL)
	}
	if wrong := c.reach.check(u); wrong != "" {
		return "", fmt.Errorf("follow a link: %s", c.scrubber.Scrub(wrong))
	}
	u.Fragment, u.RawFragment = "", ""
	return c.public(u), nil
}

// errNoURL stands for the error of package url, which repeats the whole text.
var errNoURL = errors.New("it does not parse as a URL")
