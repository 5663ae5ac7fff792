package mail

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/textproto"

	"github.com/wneessen/go-mail"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/peer"
)

// loginError is a login that failed.
type loginError struct{ error }

func (e *loginError) Unwrap() error { return e.error }

// scrubbed is an error whose text has been cleaned.
type scrubbed struct {
	text  string
	cause error
}

func (e scrubbed) Error() string { return e.text }
func (e scrubbed) Unwrap() error { return e.cause }

// told names the server, takes secrets out and says what kind of failure it is.
func (r *Relay) told(what string, err error) error {
	text := fmt.Sprintf("%s by %s: %s", what, r.address(), describe(err))
	told := scrubbed{r.scrub.Scrub(text), err}
	var s *mail.SendError
	code := codeOf(err)
	switch {
	case code/100 == 4:
		return told
	case isLogin(err), code == loginFirst, peer.IsDNS(err), peer.IsTLS(err):
		return component.Unwell(told)
	case code/100 != 5, IsSenderRefused(err):
		return told
	case errors.As(err, &s):
		return component.Permanent(told)
	}
	return component.Unwell(told) // the server wants nothing of us at all
}

// loginFirst is the answer of a server that wants a login (RFC 4954, section 6).
const loginFirst = 530

// IsSenderRefused tells whether the server refused the mail for its sender, for good.
// Whether that says something of this mail or of all, its user knows.
func IsSenderRefused(err error) bool {
	var s *mail.SendError
	return errors.As(err, &s) && s.Reason == mail.ErrSMTPMailFrom && s.ErrorCode()/100 == 5 && s.ErrorCode() != tooLarge
}

// tooLarge is the answer to a mail whose announced size is too large (RFC 1870).
const tooLarge = 552

func isLogin(err error) bool {
	var l *loginError
	return errors.As(err, &l)
}

// codeOf is the server's reply code, 0 where it said nothing.
func codeOf(err error) int {
	var s *mail.SendError
	var t *textproto.Error
	switch {
	case errors.As(err, &s):
		return s.ErrorCode()
	case errors.As(err, &t):
		return t.Code
	}
	return 0
}

func describe(err error) string {
	var l *loginError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &l):
		return "log in: " + l.error.Error()
	case errors.As(err, &record):
		return `the server does not begin with TLS; is it tls = "starttls"?`
	}
	return err.Error()
}
