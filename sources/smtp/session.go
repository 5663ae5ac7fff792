package smtp

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// What one connection may get wrong before it is cut off: whoever goes on guesses.
const (
	maxStrangers = 10
	maxLogins    = 3
)

// session is a connection's conversation. A message in chunks is read beside it, hence
// the lock.
type session struct {
	*source
	smtp      *smtp.Conn
	conn      *conn
	secure    bool
	strangers int // recipients that are none of ours
	logins    int // that failed

	mu   sync.Mutex
	user string
	env  envelope
}

// envelope is what a mail is sent with.
type envelope struct {
	from string
	to   []recipient
}

// recipient is one of the source's recipients as it was written to.
type recipient struct {
	address string
	params  map[string]any
}

var (
	_ smtp.Session     = (*session)(nil)
	_ smtp.AuthSession = (*session)(nil)
)

func (s *source) session(c *smtp.Conn) (smtp.Session, error) {
	raw, secure := c.Conn(), false
	if t, ok := raw.(*tls.Conn); ok {
		raw, secure = t.NetConn(), true
	}
	return &session{source: s, smtp: c, conn: raw.(*conn), secure: secure}, nil
}

// refuse answers with err, and counts it.
func (s *session) refuse(err *smtp.SMTPError) *smtp.SMTPError {
	s.refused(s.conn.peer, statusLine(err))
	return err
}

// hangUp gives the connection's last answer and ends it.
func (s *session) hangUp(err *smtp.SMTPError, why string) *smtp.SMTPError {
	s.cutOff(s.conn.peer, why)
	_, _ = io.WriteString(s.smtp.Conn(), statusLine(err)+"\r\n") // whoever has gone needs none
	_ = s.conn.Close()
	return err
}

// Mail begins a mail.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	switch {
	case !s.secure && s.config.TLS != nil && s.config.TLS.Mode == "required":
		return s.refuse(answer(530, 5, 7, 0, "mail is taken over TLS only: STARTTLS first"))
	case len(s.source.logins) > 0 && s.user == "":
		return s.refuse(answer(530, 5, 7, 0, "log in first"))
	case s.limiter != nil && s.limiter.Tokens() < 1:
		return s.refuse(tooMany())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.env = envelope{from: from}
	return nil
}

func tooMany() *smtp.SMTPError {
	return answer(451, 4, 7, 1, "more mails than are taken in the time, come again later")
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	for _, p := range s.patterns {
		if params, ok := p.params(to); ok {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, known := range s.env.to {
				if known.address == to {
					return nil
				}
			}
			s.env.to = append(s.env.to, recipient{to, params})
			return nil
		}
	}
	err := answer(550, 5, 1, 1, "no such recipient here")
	if s.strangers++; s.strangers >= maxStrangers {
		return s.hangUp(answer(421, 4, 7, 0, "too many recipients that are not here"), "it tried recipients")
	}
	return s.refuse(err)
}

// Reset forgets the mail that was begun.
func (s *session) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.env = envelope{}
}

// Logout ends the session.
func (s *session) Logout() error { return nil }

// AuthMechanisms are those that are offered.
func (s *session) AuthMechanisms() []string {
	if !s.mayLogIn() {
		return nil
	}
	return []string{sasl.Plain, sasl.Login}
}

// mayLogIn tells whether a password would travel unseen.
func (s *session) mayLogIn() bool {
	return len(s.source.logins) > 0 && (s.secure || s.conn.peer.IsLoopback())
}

// Auth begins a login.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	switch {
	case len(s.source.logins) == 0:
		return nil, s.refuse(answer(502, 5, 5, 1, "nobody logs in here"))
	case !s.mayLogIn():
		return nil, s.refuse(answer(538, 5, 7, 11, "passwords are taken over TLS only: STARTTLS first"))
	case mechanism == sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return s.logIn(user, password) }), nil
	case mechanism == sasl.Login:
		return &loginServer{check: s.logIn}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *session) logIn(user, password string) error {
	if s.known(user, password) {
		s.user = user
		return nil
	}
	if s.logins++; s.logins >= maxLogins {
		return s.hangUp(answer(421, 4, 7, 0, "too many logins that failed"), "it tried passwords")
	}
	time.Sleep(time.Second) // guessing takes time
	return s.refuse(smtp.ErrAuthFailed)
}

// Data takes the mail.
func (s *session) Data(r io.Reader) error {
	if !s.begin() {
		return answer(421, 4, 3, 2, "stopping, come again later")
	}
	defer s.mails.Done()
	s.conn.receiving()
	s.mu.Lock()
	env := s.env
	s.mu.Unlock()
	m := &incoming{session: s, envelope: env}
	defer m.close()
	return m.take(r)
}

// ip is the peer's address as package net writes it.
func (s *session) ip() net.IP { return s.conn.peer.AsSlice() }
