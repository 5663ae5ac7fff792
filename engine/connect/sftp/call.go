package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"

	"github.com/pkg/sftp"
)

// lostError is a call's when its connection ended.
type lostError struct {
	server string
	cause  error
}

func (e *lostError) Error() string {
	return fmt.Sprintf("connection to %s lost: %v", e.server, e.cause)
}
func (e *lostError) Unwrap() error { return e.cause }

// call asks the server for something, in a goroutine of its own: when ctx ends first
// the answer is not waited for, and what it brings is given to drop.
func call[T any](ctx context.Context, s *session, c *Client, do func(*session) (T, error), drop func(T)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	s.begin()
	c.calls.Go(func() {
		v, err := do(s)
		s.end()
		answers <- answer{v, err}
	})
	select {
	case a := <-answers:
		return a.value, c.answered(s, a.err)
	case <-ctx.Done():
		if drop != nil {
			c.calls.Go(func() {
				if a := <-answers; a.err == nil {
					drop(a.value)
				}
			})
		}
		var none T
		return none, ctx.Err()
	}
}

// answered tells a server's refusal from a connection that has ended.
func (c *Client) answered(s *session, err error) error {
	var status *sftp.StatusError
	if err == nil || errors.As(err, &status) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	var network *net.OpError
	if errors.As(err, &network) || errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		s.fail(err) // if it does not know yet
	}
	if over := s.err(); over != nil {
		return &lostError{c.address, over}
	}
	return err
}

// ask is a call on the connection. If that turns out to be lost, a question, which
// changes nothing, is put once more on a new one.
func ask[T any](ctx context.Context, c *Client, op, path string, do func(*session) (T, error), drop func(T)) (T, error) {
	var lost *lostError
	v, err := once(ctx, c, do, drop)
	if errors.As(err, &lost) {
		v, err = once(ctx, c, do, drop)
	}
	return v, named(op, path, err)
}

func once[T any](ctx context.Context, c *Client, do func(*session) (T, error), drop func(T)) (T, error) {
	s, err := c.session(ctx, true)
	if err != nil {
		var none T
		if ctx.Err() == nil {
			err = &unreachedError{err}
		}
		return none, err
	}
	return call(ctx, s, c, do, drop)
}

// change is a call that must not happen twice: if the connection is lost, nobody
// knows whether it did.
func change(ctx context.Context, c *Client, op, path string, do func(*session) error) error {
	_, err := once(ctx, c, func(s *session) (struct{}, error) { return struct{}{}, do(s) }, nil)
	return named(op, path, err)
}

// unreachedError is that there is no connection: the path has nothing to do with it.
type unreachedError struct{ error }

func (e *unreachedError) Unwrap() error { return e.error }

// named gives an error its path, once.
func named(op, path string, err error) error {
	var (
		unreached *unreachedError
		at        *fs.PathError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unreached):
		return unreached.error
	case errors.As(err, &at):
		err = at.Err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// isRefusal tells whether the server said no without saying why: version 3 of the
// protocol has no code for "it exists", for one.
func isRefusal(err error) bool {
	var status *sftp.StatusError
	return errors.As(err, &status)
}
