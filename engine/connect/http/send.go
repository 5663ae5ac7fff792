package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/url"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/http/oauth2"
)

// target is where a request goes; home: it gets our credentials there.
type target struct {
	url  *url.URL
	home bool
}

// send sends r; if our token is refused, once more with a new one.
func (c *Client) send(ctx context.Context, r *Request) (*nethttp.Response, error) {
	to, err := c.target(r)
	if err != nil {
		return nil, component.Permanent(scrubbed{c.scrubber.Scrub(err.Error()), err})
	}
	if c.tokens == nil || !to.home {
		return c.once(ctx, r, to, nil)
	}
	t, err := c.token(ctx, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.once(ctx, r, to, t)
	if err != nil || resp.StatusCode != nethttp.StatusUnauthorized {
		if err == nil {
			t.Taken()
		}
		return resp, err
	}
	setAside(resp)
	renewed, err := c.token(ctx, t)
	if err != nil {
		return nil, err
	}
	if renewed == t {
		return resp, nil
	}
	if err := c.another(ctx); err != nil {
		return nil, c.failed(r, err)
	}
	resp, err = c.once(ctx, r, to, renewed)
	if err == nil && resp.StatusCode != nethttp.StatusUnauthorized {
		renewed.Taken()
	}
	return resp, err
}

// setAside takes an answer off its connection, which the request for a token may need.
func setAside(resp *nethttp.Response) {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, drained))
	_ = resp.Body.Close()
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), -1
}

// prepare has a token at hand, if one is needed, so that waiting for it counts for no
// timeout of the connection.
func (c *Client) prepare(ctx context.Context) error {
	if c.tokens == nil {
		return nil
	}
	_, err := c.token(ctx, nil)
	return err
}

// token gives the token to use instead of refused. That there is none is no fault of a
// request: it makes all of them wait.
func (c *Client) token(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
	t, err := c.tokens.Token(ctx, refused)
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return nil, err
	case errors.Is(err, ctx.Err()):
		err = fmt.Errorf("wait for a token: %w", err)
	}
	return nil, component.Unwell(scrubbed{c.scrubber.Scrub(err.Error()), err})
}
