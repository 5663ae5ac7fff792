package mail

import (
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/syncd/syncd/engine/component"
)

//go:embed imap.md
var imapPage string

// IMAP declares connection "imap".
var IMAP = component.ConnectionKind("imap", "A mail server whose mailboxes are read: its address, credentials, and how many connections it may be asked for.", newBoxConfig, openBox).WithPage(imapPage)

// BoxConfig is a connection "imap" block.
type BoxConfig struct {
	Server
	Concurrency int `hcl:"concurrency" doc:"Connections at a time, of all sources together; each mailbox that is read takes one. Many servers allow a user ten." min:"1" max:"1000"`
}

func newBoxConfig() *BoxConfig {
	return &BoxConfig{Server: Server{TLS: implicit, Timeout: 30 * time.Second}, Concurrency: 10}
}

// Box is a mail server that lets us read.
type Box struct {
	access
	cfg   *BoxConfig
	slots chan struct{}
}

var _ component.Checker = (*Box)(nil)

func openBox(env component.Env, cfg *BoxConfig) (*Box, error) {
	a, err := cfg.access(env)
	if err != nil {
		return nil, err
	}
	return &Box{access: a, cfg: cfg, slots: make(chan struct{}, cfg.Concurrency)}, nil
}

// port is the configured one, or the usual one: RFC 8314, RFC 9051.
func (c *BoxConfig) port() int {
	switch {
	case c.Port != 0:
		return c.Port
	case c.TLS == implicit:
		return 993
	}
	return 143
}

// Address is the server's host and port.
func (b *Box) Address() string { return net.JoinHostPort(b.cfg.Host, strconv.Itoa(b.cfg.port())) }

// Close gives up what belongs to the connection; sessions belong to those who opened them.
func (b *Box) Close() error {
	b.access.close()
	return nil
}

// Check connects and logs in, and hangs up.
func (b *Box) Check(ctx context.Context) error {
	s, err := b.Open(ctx, nil)
	if err != nil {
		return err
	}
	s.Close()
	return nil
}

// Open connects and logs in. pushed is called, and must return at once, whenever the
// server says that a mailbox has other mails than before; it may be nil. Errors name the
// server; one whose IsLogin is true will be the same at the next attempt.
func (b *Box) Open(ctx context.Context, pushed func()) (*Session, error) {
	if err := b.await(ctx); err != nil {
		return nil, err
	}
	var s *Session
	err := b.letIn(ctx, b.cfg.Password, func(secret string) (refused bool, err error) {
		s, refused, err = b.connect(ctx, secret, pushed)
		return refused, err
	})
	if err != nil {
		<-b.slots
		return nil, b.told("reach", err)
	}
	return s, nil
}

// await waits for one of the connections that may be open at a time.
func (b *Box) await(ctx context.Context) error {
	timer := time.NewTimer(b.cfg.Timeout)
	defer timer.Stop()
	select {
	case b.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("all %d connections to %s are in use, one for each mailbox that is read: raise concurrency if the server allows more", b.cfg.Concurrency, b.Address())
	}
}

// IsLogin tells whether an error of Open is a login that was refused.
func IsLogin(err error) bool { return isLogin(err) }

func (b *Box) told(what string, err error) error {
	return scrubbed{b.scrub.Scrub(fmt.Sprintf("%s %s: %s", what, b.Address(), describe(err))), err}
}

// connect opens a session; refused: the server does not take the secret.
func (b *Box) connect(ctx context.Context, secret string, pushed func()) (s *Session, refused bool, err error) {
	dialing, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	raw, err := (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(dialing, "tcp", b.Address())
	if err != nil {
		return nil, false, err
	}
	s = &Session{box: b, conn: &heard{Conn: raw}}
	err = s.within(ctx, func() error {
		if err := s.begin(dialing, pushed); err != nil {
			return err
		}
		if b.cfg.User == "" {
			return nil
		}
		refused, err = s.login(secret)
		return err
	})
	if err != nil {
		s.hangUp()
		return nil, refused, err
	}
	return s, false, nil
}

// begin makes the connection speak IMAP, over TLS if that is wanted.
func (s *Session) begin(ctx context.Context, pushed func()) error {
	options := &imapclient.Options{TLSConfig: s.box.tls, UnilateralDataHandler: &imapclient.UnilateralDataHandler{}}
	if pushed != nil {
		options.UnilateralDataHandler.Mailbox = func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				pushed()
			}
		}
	}
	switch s.box.cfg.TLS {
	case implicit:
		c := tls.Client(s.conn, s.box.tls)
		if err := c.HandshakeContext(ctx); err != nil {
			return err
		}
		s.Client = imapclient.New(c, options)
	case starttls:
		var err error
		if s.Client, err = imapclient.NewStartTLS(s.conn, options); err != nil {
			if answer := (*imap.Error)(nil); errors.As(err, &answer) {
				return fmt.Errorf(`it does not begin TLS when asked to by STARTTLS: %w; is it tls = "tls"?`, err)
			}
			return err
		}
	default:
		s.Client = imapclient.New(s.conn, options)
	}
	return s.WaitGreeting()
}

// login logs in in the best way that the server offers.
func (s *Session) login(secret string) (refused bool, err error) {
	if s.State() == imap.ConnStateAuthenticated {
		return false, nil // the server knows us already
	}
	caps := s.Caps()
	user := s.box.cfg.User
	token := &xoauth2{user: user, token: secret}
	switch {
	case s.box.tokens != nil && caps.Has(imap.AuthCap("XOAUTH2")):
		err = s.Authenticate(token)
	case s.box.tokens != nil:
		return false, &loginError{errors.New("the server does not take tokens (XOAUTH2)")}
	case caps.Has(imap.CapLoginDisabled) && !caps.Has(imap.AuthCap("PLAIN")):
		return false, &loginError{errors.New(`the server takes no password on this connection; it may want tls = "starttls"`)}
	case caps.Has(imap.AuthCap("PLAIN")) && !strings.ContainsRune(user+secret, 0):
		err = s.Authenticate(&plainLogin{user, secret})
	default:
		err = s.Login(user, secret).Wait()
	}
	answer := (*imap.Error)(nil)
	if !errors.As(err, &answer) {
		return false, err
	}
	advice := "check user and password"
	if s.box.tokens != nil {
		advice = "check user, and what the token allows"
	}
	return true, &loginError{fmt.Errorf("the server refuses %q: %s%s (%s)", user, answered(answer), token.said(), advice)}
}

// answered is a server's answer as people read it.
func answered(e *imap.Error) string {
	if e.Code != "" {
		return fmt.Sprintf("[%s] %s", e.Code, e.Text)
	}
	return e.Text
}

// plainLogin shows a password by PLAIN (RFC 4616).
type plainLogin struct{ user, password string }

// Start implements sasl.Client.
func (p *plainLogin) Start() (string, []byte, error) {
	return "PLAIN", []byte("\x00" + p.user + "\x00" + p.password), nil
}

// Next implements sasl.Client.
func (p *plainLogin) Next([]byte) ([]byte, error) {
	return nil, errors.New("the server asks for more than PLAIN has")
}

// xoauth2 shows a token as Google and Microsoft want it: https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
type xoauth2 struct {
	user, token string
	fault       string // what the server had to say of it
}

// Start implements sasl.Client.
func (x *xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next implements sasl.Client: an answer before the end is a fault, which is
// acknowledged so that the server ends the exchange.
func (x *xoauth2) Next(challenge []byte) ([]byte, error) {
	x.fault = string(challenge)
	return []byte{}, nil
}

func (x *xoauth2) said() string {
	if x.fault == "" {
		return ""
	}
	return " " + x.fault
}

// isHangUp tells whether the other side has ended the connection.
func isHangUp(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}
