package http

import (
	"fmt"
	nethttp "net/http"
	"strings"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
)

const (
	quoted   = 4 << 10 // bytes of an answer in an error
	readable = 1 << 20 // bytes of an answer that expressions see
	listed   = 8 << 20 // bytes of one that has a result for each delivery
)

// judge says what an answer means for the delivery; nil: delivered. The connection's
// outcome block comes first: with it an answer is to be tried again whatever its
// status, or is a failure although the sink sees a success in it.
func (s *sink) judge(resp *conn.Response, in *expr.Input) error {
	seen := *in
	if s.decodes {
		seen.Response = resp.Seen()
	}
	verdict, notes := s.client.Judge(&seen)
	if verdict == conn.TryAgain {
		return s.later(resp, s.failure(resp, nil))
	}
	if ok, wrong := s.succeeded(resp.Status, &seen); ok && verdict == conn.NothingSaid {
		return nil
	} else if wrong != nil {
		notes = fmt.Errorf("success: %w", wrong)
	}
	err := s.failure(resp, notes)
	switch again, err2 := s.retries(resp.Status, &seen); {
	case err2 != nil:
		return component.Permanent(fmt.Errorf("%w; retry_on: %w", err, err2))
	case again:
		return s.later(resp, err)
	}
	switch resp.Status {
	case nethttp.StatusUnauthorized, nethttp.StatusForbidden, nethttp.StatusProxyAuthRequired:
		return component.Unwell(err)
	}
	return component.Permanent(err)
}

// later is err, not to be tried again before the server wants to hear from us.
func (s *sink) later(resp *conn.Response, err error) error {
	if wait := conn.Pause(resp.Header, s.now()); wait > 0 {
		return component.RetryAfter(err, wait)
	}
	return err
}

// succeeded also gives what went wrong with asking: an expression that fails on an
// answer, the HTML of a gateway, say, has not found a success in it.
func (s *sink) succeeded(status int, in *expr.Input) (ok bool, failed error) {
	if !s.cfg.Success.IsSet() {
		return status < 300, nil
	}
	ok, err := s.cfg.Success.Bool(in)
	return ok && err == nil, err
}

func (s *sink) retries(status int, in *expr.Input) (bool, error) {
	if s.cfg.RetryOn.IsSet() {
		return s.cfg.RetryOn.Bool(in)
	}
	switch status {
	case nethttp.StatusRequestTimeout, nethttp.StatusTooEarly, nethttp.StatusTooManyRequests:
		return true, nil
	}
	return status >= 500, nil
}

// failure tells what the server said.
func (s *sink) failure(resp *conn.Response, notes error) error {
	text := fmt.Sprintf("answered %d %s", resp.Status, nethttp.StatusText(resp.Status))
	if to := resp.Header.Get("Location"); to != "" && resp.Status/100 == 3 {
		text += fmt.Sprintf(" to %s, and redirects are not followed", s.scrub.Quote([]byte(to), quoted))
	}
	if notes != nil {
		text += fmt.Sprintf(" (%s)", notes)
	}
	if body := s.scrub.Quote(resp.Body, quoted); strings.TrimSpace(body) != "" {
		text += ": " + body
	}
	return fmt.Errorf("%s %s", s.cfg.Method, text)
}
