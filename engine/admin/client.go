package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
)

// Client talks to a running daemon. Errors of its methods are a *Problem when the
// daemon answered one, and an *UnreachableError when there was no answer.
type Client struct {
	place Place
	http  *http.Client
}

// Dial finds the first of the places where a daemon answers. Errors: *UnreachableError.
func Dial(ctx context.Context, places []Place) (*Client, error) {
	e := &UnreachableError{Places: places}
	for _, p := range places {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", p.Path)
		if err == nil {
			conn.Close()
			return newClient(p), nil
		}
		e.Causes = append(e.Causes, err)
	}
	return nil, e
}

func newClient(p Place) *Client {
	return &Client{place: p, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", p.Path)
		},
	}}}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status tells how everything stands.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, "GET", "/v1/status", nil)
}

// DeadLetter gives one dead letter with its payload and history.
func (c *Client) DeadLetter(ctx context.Context, id int64) (DeadLetter, error) {
	return call[DeadLetter](ctx, c, "GET", "/v1/dead/"+strconv.FormatInt(id, 10), nil)
}

// Retry gives dead letters another attempt.
func (c *Client) Retry(ctx context.Context, s Selection) (Outcome, error) {
	return call[Outcome](ctx, c, "POST", "/v1/dead/retry", s)
}

// Drop gives dead letters up, on record.
func (c *Client) Drop(ctx context.Context, s Selection) (Outcome, error) {
	return call[Outcome](ctx, c, "POST", "/v1/dead/drop", s)
}

// DropLane gives up what waits on a lane that the configuration does not have any more.
func (c *Client) DropLane(ctx context.Context, flow, sink string) error {
	return c.tell(ctx, "/v1/lanes/drop", map[string]string{"flow": flow, "sink": sink})
}

// Reload has the daemon read its configuration again.
func (c *Client) Reload(ctx context.Context, o ReloadOptions) (Reload, error) {
	return call[Reload](ctx, c, "POST", "/v1/reload", o)
}

// Keep confirms a reload.
func (c *Client) Keep(ctx context.Context) error {
	return c.tell(ctx, "/v1/keep", nil)
}

// Plan tells what a reload of the configuration at path ("": the daemon's own) would do.
func (c *Client) Plan(ctx context.Context, path string) (Plan, error) {
	return call[Plan](ctx, c, "GET", "/v1/plan?"+url.Values{"path": {path}}.Encode(), nil)
}

// Generations lists the configurations that ran, the newest first.
func (c *Client) Generations(ctx context.Context) ([]Generation, error) {
	return call[[]Generation](ctx, c, "GET", "/v1/configs", nil)
}

// Generation gives one with its files; 0 is the one that runs, -1 the one before it.
func (c *Client) Generation(ctx context.Context, number int64) (Generation, error) {
	return call[Generation](ctx, c, "GET", "/v1/configs/"+strconv.FormatInt(number, 10), nil)
}

// Rollback makes an earlier one run again; 0: the one before the one that runs.
func (c *Client) Rollback(ctx context.Context, number int64) (Reload, error) {
	return call[Reload](ctx, c, "POST", "/v1/rollback", map[string]int64{"generation": number})
}

// Dead streams the dead letters that f selects, in the order of their ids. After an
// error there is nothing more.
func (c *Client) Dead(ctx context.Context, f Filter) iter.Seq2[DeadLetter, error] {
	return stream[DeadLetter](ctx, c, "/v1/dead?"+url.Values{"source": {f.Source}, "flow": {f.Flow}, "sink": {f.Sink}}.Encode())
}

// stream gives the elements of an answer that is a list, as they come.
func stream[T any](ctx context.Context, c *Client, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		resp, err := c.send(ctx, "GET", path, nil)
		if err != nil {
			yield(none, err)
			return
		}
		defer resp.Body.Close()
		dec := json.NewDecoder(resp.Body)
		for _, err = dec.Token(); err == nil && dec.More(); {
			var v T
			if err = dec.Decode(&v); err == nil && !yield(v, nil) {
				return
			}
		}
		if err == nil {
			_, err = dec.Token()
		}
		if err != nil {
			yield(none, fmt.Errorf("read list: %w", err))
		}
	}
}

func call[T any](ctx context.Context, c *Client, method, path string, body any) (v T, err error) {
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return v, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		return v, fmt.Errorf("read answer of the daemon: %w", err)
	}
	return v, nil
}

// send makes a request; an answer that is no success becomes its Problem.
func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://syncd"+path, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, &UnreachableError{Places: []Place{c.place}, Causes: []error{err}}
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	p := newProblem(resp.StatusCode, resp.Status)
	_ = json.NewDecoder(resp.Body).Decode(p) // without one, the status says it
	return nil, p
}

// cause is why there was no answer, in few words.
func cause(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "not there"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody answers (a daemon that was killed leaves its socket)"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	return err.Error()
}
