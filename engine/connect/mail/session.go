package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Session is one connection to an IMAP server, logged in. Its commands are sent and
// waited for within Do, and one at a time.
type Session struct {
	*imapclient.Client
	box  *Box
	conn *heard
}

// heard is a connection that knows when something came last. The client's own read
// deadlines are not kept: whoever waits for an answer sees to it that one comes.
type heard struct {
	net.Conn
	last atomic.Int64 // Unix nanoseconds
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if n > 0 {
		h.last.Store(time.Now().UnixNano())
	}
	return n, err
}

func (h *heard) SetReadDeadline(time.Time) error { return nil }
func (h *heard) SetDeadline(t time.Time) error   { return h.SetWriteDeadline(t) }

// Do does something that the server answers to. A server from which nothing comes for
// longer than the connection's timeout is hung up on, as it is when ctx ends. Errors
// name the server; that of a server that said no is an *imap.Error, after which the
// session goes on. After any other it is over.
func (s *Session) Do(ctx context.Context, what string, do func() error) error {
	err := s.within(ctx, do)
	answer := (*imap.Error)(nil)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &answer):
		return scrubbed{s.box.scrub.Scrub(fmt.Sprintf("%s: %s", what, answered(answer))), err}
	case isHangUp(err):
		err = fmt.Errorf("the server has hung up: %w", err)
	}
	return s.box.told(what+" on", err)
}

var errSilent = errors.New("no answer")

func (s *Session) within(ctx context.Context, do func() error) error {
	began := time.Now()
	over, guarded := make(chan struct{}), make(chan error, 1)
	go func() { guarded <- s.guard(ctx, began, over) }()
	err := do()
	close(over)
	if silent := <-guarded; silent != nil && err != nil {
		return silent
	}
	return err
}

// guard cuts the connection when nothing comes, or nobody waits any more.
func (s *Session) guard(ctx context.Context, began time.Time, over chan struct{}) error {
	timeout := s.box.cfg.Timeout
	for wait := timeout; ; {
		select {
		case <-over:
			return nil
		case <-ctx.Done():
			_ = s.conn.Close()
			return ctx.Err()
		case <-time.After(wait):
		}
		last := time.Unix(0, s.conn.last.Load())
		if last.Before(began) {
			last = began
		}
		if wait = timeout - time.Since(last); wait <= 0 {
			_ = s.conn.Close()
			return fmt.Errorf("%w for %s", errSilent, timeout)
		}
	}
}

// goodbyes is how long a server may take to answer one.
const goodbyes = time.Second

// Close says goodbye and hangs up.
func (s *Session) Close() {
	timer := time.AfterFunc(goodbyes, func() { _ = s.conn.Close() })
	_ = s.Logout().Wait()
	timer.Stop()
	s.HangUp()
}

// HangUp ends the session at once.
func (s *Session) HangUp() {
	s.hangUp()
	<-s.box.slots
}

func (s *Session) hangUp() {
	_ = s.conn.Close()
	if s.Client != nil {
		_ = s.Client.Close()
	}
}
