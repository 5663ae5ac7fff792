package webhook

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/syncd/syncd/engine/listen"
)

// firstRoom is what a body of unknown length gets to begin with.
const firstRoom = 4 << 10

var (
	errTooLarge = errors.New("body too large")
	errBusy     = errors.New("too much is being received")
)

// hold takes n bytes of the daemon's budget for bodies, if there are so many left.
func (x *exchange) hold(n int64) bool {
	if x.env.InFlight != nil && !x.env.InFlight.TryAcquire(n) {
		return false
	}
	x.held += n
	return true
}

func (x *exchange) release(n int64) {
	if x.env.InFlight != nil && n > 0 {
		x.env.InFlight.Release(n)
	}
	x.held -= n
}

// receive reads the body as it was sent. A declared length is judged and
// reserved before anything is read.
func (x *exchange) receive() ([]byte, *listen.Problem) {
	if x.whole {
		return nil, nil
	}
	if x.r.ContentLength > int64(x.config.MaxBody) {
		return nil, x.fault(errTooLarge)
	}
	x.body = listen.NewBody(x.w, x.r)
	defer x.body.Done()
	raw, err := x.read()
	if err != nil {
		return nil, x.fault(err)
	}
	x.whole = true
	return raw, nil
}

func (x *exchange) read() ([]byte, error) {
	if x.r.ContentLength < 0 {
		return x.readAll(&x.body)
	}
	if !x.hold(x.r.ContentLength) {
		return nil, errBusy
	}
	raw := make([]byte, x.r.ContentLength)
	_, err := io.ReadFull(&x.body, raw)
	return raw, err
}

// readAll reads up to the end, at most max_body. Room is reserved before it is
// taken; while it grows, old and new count.
func (x *exchange) readAll(src io.Reader) ([]byte, error) {
	limit := int64(x.config.MaxBody)
	var buf []byte
	for {
		if len(buf) == cap(buf) {
			grown, err := x.grow(buf, limit+1)
			if err != nil {
				return nil, err
			}
			buf = grown
		}
		n, err := src.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, errTooLarge
		case err == io.EOF:
			if cap(buf)-len(buf) > len(buf)/4 { // the event may be kept in memory for long
				buf = bytes.Clone(buf)
			}
			return buf, nil
		case err != nil:
			return nil, err
		}
	}
}

func (x *exchange) grow(buf []byte, limit int64) ([]byte, error) {
	old := int64(cap(buf))
	room := min(max(2*old, firstRoom), limit)
	if !x.hold(room) {
		return nil, errBusy
	}
	grown := make([]byte, len(buf), room)
	copy(grown, buf)
	x.release(old)
	return grown, nil
}

// fault says to the sender why its body was not taken.
func (x *exchange) fault(err error) *listen.Problem {
	switch {
	case errors.Is(err, errTooLarge):
		return &listen.Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("a body may have %d bytes here", x.config.MaxBody)}
	case errors.Is(err, errBusy):
		return &listen.Problem{Status: http.StatusServiceUnavailable, Detail: "too much is being received at the moment", RetryAfter: busyPause}
	case listen.TooSlow(err):
		return &listen.Problem{Status: http.StatusRequestTimeout, Detail: "the body came too slowly"}
	}
	return &listen.Problem{Status: http.StatusBadRequest, Detail: "the body could not be read to its end"}
}

var gunzippers sync.Pool // of *gzip.Reader

// gunzip decompresses a body, at most to max_body.
func (x *exchange) gunzip(src io.Reader) ([]byte, *listen.Problem) {
	z, ok := gunzippers.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	defer gunzippers.Put(z)
	err := z.Reset(src)
	if err == nil {
		var raw []byte
		if raw, err = x.readAll(z); err == nil {
			return raw, nil
		}
	}
	if errors.Is(err, errTooLarge) || errors.Is(err, errBusy) {
		return nil, x.fault(err)
	}
	return nil, &listen.Problem{Status: http.StatusBadRequest, Detail: "the body is not whole gzip: " + err.Error()}
}
