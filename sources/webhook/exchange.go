package webhook

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/listen"
)

// Pauses for senders who are told to come again.
const (
	busyPause  = time.Second      // while too much is being received
	faultPause = 10 * time.Second // while the journal fails
)

// exchange is one request on its way to its answer. Exchanges are used again.
type exchange struct {
	*source
	w      http.ResponseWriter
	r      *http.Request
	client netip.Addr
	body   listen.Body
	whole  bool  // nothing of the body is left to be read
	held   int64 // bytes of the daemon's budget for bodies
	names  []string
	first  []byte // scratch
	all    []byte // scratch
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

func newExchange(s *source, w http.ResponseWriter, r *http.Request) *exchange {
	x := exchanges.Get().(*exchange)
	x.source, x.w, x.r, x.client = s, w, r, listen.ClientIP(r)
	x.whole = r.Body == nil || r.Body == http.NoBody
	return x
}

// close gives back what the request held. Scratch that one huge request needed is not kept.
func (x *exchange) close() {
	x.release(x.held)
	if cap(x.first)+cap(x.all) > 64<<10 {
		x.first, x.all = nil, nil
	}
	clear(x.names)
	*x = exchange{names: x.names[:0], first: x.first[:0], all: x.all[:0]}
	exchanges.Put(x)
}

// handle takes the request as far as it goes; the cheapest refusals come first,
// and before anything is decoded the sender is known.
func (x *exchange) handle() *listen.Problem {
	if p := x.admit(); p != nil {
		return p
	}
	known, p := x.glance()
	if p != nil {
		return p
	}
	form, p := x.form()
	if p != nil {
		return p
	}
	raw, p := x.receive()
	if p != nil {
		return p
	}
	if !known && !x.signed(raw) {
		return x.unknown()
	}
	if wait := x.wait(true); wait > 0 {
		return tooMany(wait)
	}
	draft, p := x.draft(form, raw)
	if p != nil {
		return p
	}
	return x.accept(draft)
}

// admit judges by address and rate.
func (x *exchange) admit() *listen.Problem {
	if !x.allowed(x.client) {
		return &listen.Problem{Status: http.StatusForbidden, Detail: "this address may not send here"}
	}
	if wait := x.wait(false); wait > 0 {
		return tooMany(wait)
	}
	return nil
}

// glance looks for a verifier that knows the sender by the header alone, or
// might know it by the body.
func (x *exchange) glance() (known bool, p *listen.Problem) {
	best := verified
	if len(x.verifiers) > 0 {
		best = refused
	}
	for _, v := range x.verifiers {
		best = max(best, v.glance(x.r))
	}
	if best == refused {
		return false, x.unknown()
	}
	return best == verified, nil
}

func (x *exchange) signed(raw []byte) bool {
	for _, v := range x.verifiers {
		if v.verify(x.r, raw) {
			return true
		}
	}
	return false
}

func (x *exchange) unknown() *listen.Problem {
	for _, t := range x.traces {
		if t.challenge != "" {
			x.w.Header().Add("WWW-Authenticate", t.challenge)
		}
	}
	return &listen.Problem{Status: http.StatusUnauthorized, Detail: x.wants()}
}

func tooMany(wait time.Duration) *listen.Problem {
	return &listen.Problem{Status: http.StatusTooManyRequests, Detail: "more requests than this webhook takes in the time", RetryAfter: wait}
}

// accept stores the event and answers.
func (x *exchange) accept(d component.Draft) *listen.Problem {
	accepted, err := x.intake.Accept(x.r.Context(), component.Batch{Drafts: []component.Draft{d}})
	if err != nil {
		return x.later(err)
	}
	h := x.w.Header()
	h["Content-Type"] = contentTypeJSON
	if accepted[0].Duplicate {
		h["Syncd-Duplicate"] = headerTrue
	}
	x.w.WriteHeader(http.StatusAccepted)
	x.first = append(x.first[:0], `{"id":"`...)
	x.first = append(x.first, accepted[0].ID...)
	x.first = append(x.first, "\"}\n"...)
	_, _ = x.w.Write(x.first) // the event is stored; a sender that has gone will send it again
	return nil
}

// Header values that every answer shares.
var (
	contentTypeJSON = []string{"application/json"}
	headerTrue      = []string{"true"}
)

// later turns an intake's error into 503: whatever it is, nothing was stored and
// the sender still has the event.
func (x *exchange) later(err error) *listen.Problem {
	p := &listen.Problem{Status: http.StatusServiceUnavailable, Detail: "the event could not be stored; nothing of it was kept", RetryAfter: faultPause}
	var later *component.LaterError
	switch {
	case errors.As(err, &later):
		p.Detail, p.RetryAfter = "not now: "+later.Reason, max(later.After, busyPause)
	case errors.Is(err, context.Canceled) && x.r.Context().Err() != nil: // the sender left
	default:
		x.complainOf(err)
	}
	return p
}

// complainOf logs a failing intake, but not once for each request.
func (x *exchange) complainOf(err error) {
	now := time.Now()
	next := x.complain.Load()
	if now.UnixNano() >= next && x.complain.CompareAndSwap(next, now.Add(faultPause).UnixNano()) {
		x.env.Log.Error("events cannot be stored; senders are told to come again", "err", err)
	}
}

// refuse answers with the problem and counts it.
func (x *exchange) refuse(p *listen.Problem) {
	x.intake.Refused(1)
	if !x.whole {
		listen.Hangup(x.w, x.r)
	}
	p.Write(x.w)
}
