package poll

import (
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

const (
	quoted   = 1 << 10   // bytes of a refusal in an error
	readable = 256 << 10 // bytes of it that expressions see
)

// resetError says that the cursor is of no use any more.
type resetError struct{ error }

// lostError says that the server does not know a place of its own any more.
type lostError struct {
	error
	gone bool // for good
}

// refusal is the error of an answer that is no page.
func (r *run) refusal(stream *conn.Stream) error {
	raw, _ := io.ReadAll(io.LimitReader(stream.Body, readable)) // what there is of it helps
	err := r.described(stream, raw)
	if c := r.cfg.Cursor; c != nil && c.Reset.IsSet() {
		body, wrong := format.Decode(stream.Header.Get("Content-Type"), raw)
		if wrong != nil {
			body = strings.ToValidUTF8(string(raw), "\ufffd")
		}
		again, wrong := c.Reset.Bool(&expr.Input{Response: response(stream.Status, stream.Header, body)})
		if wrong != nil {
			return fmt.Errorf("%w; cursor.reset: %w", err, wrong)
		}
		if again {
			return resetError{err}
		}
	}
	switch stream.Status {
	case nethttp.StatusBadRequest, nethttp.StatusNotFound, nethttp.StatusGone, nethttp.StatusUnprocessableEntity:
		if r.progress.Page > 1 && r.cfg.Paginate.handed() {
			return lostError{err, stream.Status == nethttp.StatusGone}
		}
	}
	if wait := conn.Pause(stream.Header, r.now()); wait > 0 {
		return component.RetryAfter(err, wait)
	}
	return err
}

func (r *run) described(stream *conn.Stream, raw []byte) error {
	text := fmt.Sprintf("answered %d %s", stream.Status, nethttp.StatusText(stream.Status))
	if body := r.asker.scrub.Quote(raw, quoted); strings.TrimSpace(body) != "" {
		text += ": " + body
	}
	return r.answered(stream, errors.New(text))
}

// judged is what the connection makes of a page.
func (r *run) judged(a *answer) error {
	if !r.client.Judges() {
		return nil
	}
	verdict, err := r.client.Judge(&expr.Input{Response: a.response()})
	switch {
	case err != nil:
		return err
	case verdict == conn.NothingSaid:
		return nil
	}
	raw, err := format.AppendJSON(nil, a.body)
	if err != nil {
		return err
	}
	return fmt.Errorf("by the connection's outcome, this is an error: %s", r.asker.scrub.Quote(raw, quoted))
}

// answered adds to err which request and which page it is about.
func (r *run) answered(stream *conn.Stream, err error) error {
	if strings.Contains(err.Error(), r.cfg.Request.Method+" http") { // the connection has said it
		return r.at(err)
	}
	url, _, _ := strings.Cut(stream.URL, "?")
	what := fmt.Sprintf("%s %s: %s", r.cfg.Request.Method, url, err)
	return r.at(located{r.asker.scrub.Scrub(what), err})
}

// failed does what an error asks for before the next attempt. moved: that one has other
// prospects than this one had; what has to be read once more is not got on with.
func (r *run) failed(ctx context.Context, in component.Intake, err error) (moved bool, _ error) {
	var reset resetError
	var lost lostError
	switch {
	case errors.As(err, &reset) && (r.advanced || r.stored):
		r.log.Warn("the server does not know the cursor any more: all is read again from the beginning", "error", err)
		return r.advanced, r.forget(ctx, in, err, component.Put{Key: keyCursor})
	case errors.As(err, &lost):
		if r.refused++; !lost.gone && r.refused < 3 {
			return r.commit.moved, err // it may be a moment's trouble
		}
		r.refused = 0
		r.log.Warn("the server does not know this page any more: the run begins again at its first", "page", r.progress.Page, "error", err)
		return false, r.forget(ctx, in, err)
	}
	return r.commit.moved, err
}

// forget takes the place of the run, what pages were like, and what else is named, off
// the disk. A page that is as it was would lead on to the token that is of no use.
func (r *run) forget(ctx context.Context, in component.Intake, cause error, more ...component.Put) error {
	state := slices.Concat([]component.Put{{Key: keyRun}, {Key: keyEpoch, Value: r.now().UnixNano()}}, more)
	if _, err := in.Accept(ctx, component.Batch{State: state}); err != nil {
		return err
	}
	return cause
}
