package http

import (
	"fmt"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

const (
	quoted   = 4 << 10 // bytes of an answer in an error
	readable = 1 << 20 // bytes of an answer that expressions see
	// longest wait that a server may ask for; more is a mistake of its clock.
	longest = 24 * time.Hour
)

// judge says what an answer means for the delivery; nil: delivered.
func (s *sink) judge(resp *conn.Response, in *expr.Input) error {
	seen := *in
	if s.cfg.Success.IsSet() || s.cfg.RetryOn.IsSet() {
		seen.Response = response(resp)
	}
	ok, notes := s.succeeded(resp.Status, &seen)
	if ok {
		return nil
	}
	err := s.failure(resp, notes)
	switch again, err2 := s.retries(resp.Status, &seen); {
	case err2 != nil:
		return component.Permanent(fmt.Errorf("%w; retry_on: %w", err, err2))
	case again:
		if wait := s.wait(resp.Header.Get("Retry-After")); wait > 0 {
			return component.RetryAfter(err, wait)
		}
		return err
	}
	switch resp.Status {
	case nethttp.StatusUnauthorized, nethttp.StatusForbidden, nethttp.StatusProxyAuthRequired:
		return component.Unwell(err)
	}
	return component.Permanent(err)
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
func (s *sink) failure(resp *conn.Response, success error) error {
	text := fmt.Sprintf("answered %d %s", resp.Status, nethttp.StatusText(resp.Status))
	if to := resp.Header.Get("Location"); to != "" && resp.Status/100 == 3 {
		text += fmt.Sprintf(" to %s, and redirects are not followed", s.scrub.Quote([]byte(to), quoted))
	}
	if success != nil {
		text += fmt.Sprintf(" (success: %s)", success)
	}
	if body := s.scrub.Quote(resp.Body, quoted); strings.TrimSpace(body) != "" {
		text += ": " + body
	}
	return fmt.Errorf("%s %s", s.cfg.Method, text)
}

// wait reads Retry-After (RFC 9110, section 10.2.3): seconds or a date.
func (s *sink) wait(value string) time.Duration {
	if value == "" {
		return 0
	}
	if n, err := strconv.Atoi(value); err == nil {
		return min(max(time.Duration(n), 0), longest/time.Second) * time.Second
	}
	if at, err := nethttp.ParseTime(value); err == nil {
		return min(max(at.Sub(s.now()), 0), longest)
	}
	return 0
}

// response is what expressions see of an answer: a body that does not parse as
// what it says it is, or is cut at 1 MiB, is seen as text.
func response(resp *conn.Response) map[string]any {
	headers := make(map[string]any, len(resp.Header))
	for name, values := range resp.Header {
		headers[strings.ToLower(name)] = values[0]
	}
	var body any
	if len(resp.Body) > 0 {
		var err error
		if body, err = format.Decode(resp.Header.Get("Content-Type"), resp.Body); err != nil || resp.Truncated {
			body = strings.ToValidUTF8(string(resp.Body), "\ufffd")
		}
	}
	return map[string]any{"status": int64(resp.Status), "headers": headers, "body": body}
}
