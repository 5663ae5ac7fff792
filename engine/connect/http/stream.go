package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"sync"
	"time"
)

// Stream is an answer whose body is read as it comes. Close ends it, read or not, and
// gives its slot of the connection's concurrency back.
type Stream struct {
	Status int
	Header nethttp.Header
	// URL is where the answer came from, after redirects, without a key that auth puts
	// into the query; see Client.Resolve.
	URL string
	// Body is decoded from gzip and zstd. Its errors name the request; it ends with a
	// *LimitError where it is longer than allowed, and fails when its server brings
	// less than 1 KiB within the connection's timeout. Time between reads does not count.
	Body io.ReadCloser
}

// LimitError says that an answer's body is longer than its reader allows.
type LimitError struct{ Limit int64 }

func (e *LimitError) Error() string {
	return fmt.Sprintf("the answer is longer than %d bytes", e.Limit)
}

// streamTimeout holds for streams where the connection has no timeout: nobody else's
// does.
const streamTimeout = 30 * time.Second

// Stream sends r and gives the answer once its head is there. Redirects are followed
// within the connection's reach; whatever status comes in the end is no error. The body
// fails beyond limit bytes, counted after decoding. ctx holds until Close.
func (c *Client) Stream(ctx context.Context, r *Request, limit int64) (*Stream, error) {
	if err := c.Await(ctx); err != nil {
		return nil, c.failed(r, err)
	}
	if err := c.prepare(ctx); err != nil {
		c.Done()
		return nil, err
	}
	timeout := c.timeout
	if timeout == 0 {
		timeout = streamTimeout
	}
	ctx, cancel := context.WithCancelCause(ctx)
	b := &body{client: c, request: r, patience: newPatience(timeout, cancel), limit: limit, left: limit}
	b.end = sync.OnceFunc(func() { cancel(nil); c.Done() })
	s, err := b.open(ctx)
	if err != nil {
		b.end()
		return nil, err
	}
	return s, nil
}

// body is that of a Stream.
type body struct {
	client   *Client
	request  *Request
	patience *patience
	raw      io.Closer
	rest     io.Reader // raw, with patience
	decoded  io.ReadCloser
	limit    int64
	left     int64
	end      func()
}

func (b *body) open(ctx context.Context) (*Stream, error) {
	asking := *b.request
	asking.Header = b.request.Header.Clone()
	if asking.Header == nil {
		asking.Header = nethttp.Header{}
	}
	if asking.Header["Accept-Encoding"] == nil {
		asking.Header["Accept-Encoding"] = []string{acceptEncoding}
	}
	b.patience.begin()
	resp, err := b.client.follow(ctx, &asking) //nolint:bodyclose // the stream closes it
	b.patience.pause()
	if err != nil {
		if late := b.patience.lost(); late != nil {
			return nil, b.client.failed(b.request, late)
		}
		return nil, err
	}
	b.raw, b.rest = resp.Body, &watched{resp.Body, b.patience}
	b.decoded = decode(resp.Header.Values("Content-Encoding"), b.rest)
	return &Stream{Status: resp.StatusCode, Header: resp.Header, URL: b.client.public(resp.Request.URL), Body: b}, nil
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more tells whether that was all
	}
	n, err := b.decoded.Read(p)
	if int64(n) > b.left {
		n, b.left = int(b.left), 0
		return n, b.client.failed(b.request, &LimitError{b.limit})
	}
	b.left -= int64(n)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case b.patience.lost() != nil:
		err = b.patience.lost()
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the answer broke off: %w", err)
	}
	return n, b.client.failed(b.request, fmt.Errorf("read the answer: %w", err))
}

// Close implements io.Closer. A reader that has all it wants has often left a few
// bytes: they are read, if they are there, so that the connection can be used again.
func (b *body) Close() error {
	defer b.end()
	b.patience.hurry()
	_, _ = io.CopyN(io.Discard, b.rest, drained)
	return errors.Join(b.decoded.Close(), b.raw.Close())
}
