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

// What a body gets to begin with: one of unknown length, and one of any length
// that is declared. Beyond it room is taken as the body comes, since a length is
// declared for nothing: a few senders of headers could keep all others out.
const (
	firstRoom    = 4 << 10
	declaredRoom = 64 << 10
)

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

// receive reads the body as it was sent. A declared length is judged before
// anything is read.
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
	n := x.r.ContentLength
	switch {
	case n < 0:
		return x.readAll(&x.body, firstRoom, int64(x.config.MaxBody))
	case n > declaredRoom:
		return x.readAll(&x.body, declaredRoom, n)
	case !x.hold(n):
		return nil, errBusy
	}
	raw := make([]byte, n)
	_, err := io.ReadFull(&x.body, raw)
	return raw, err
}

// readAll reads up to the end, at most limit bytes. Room is reserved before it is
// taken; while it grows, old and new count.
func (x *exchange) readAll(src io.Reader, first, limit int64) ([]byte, error) {
	var buf []byte
	for {
		if len(buf) == cap(buf) {
			grown, err := x.grow(buf, first, limit+1)
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

func (x *exchange) grow(buf []byte, first, limit int64) ([]byte, error) {
	old := int64(cap(buf))
	room := min(max(2*old, first), limit)
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
		if raw, err = x.readAll(z, firstRoom, int64(x.config.MaxBody)); err == nil {
			return raw, nil
		}
	}
	if errors.Is(err, errTooLarge) || errors.Is(err, errBusy) {
		return nil, x.fault(err)
	}
	return nil, &listen.Problem{Status: http.StatusBadRequest, Detail: "the body is not whole gzip: " + err.Error()}
}
