package mail

import (
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/syncd/syncd/engine/component"
)

//go:embed smtp.md
var smtpPage string

// SMTP declares connection "smtp".
var SMTP = component.ConnectionKind("smtp", "A mail server that takes mail from us: its address, credentials, and a few connections that are used again.", newRelayConfig, openRelay).WithPage(smtpPage)

// RelayConfig is a connection "smtp" block.
type RelayConfig struct {
	Server
	Concurrency int    `hcl:"concurrency" doc:"Connections at a time, of all sinks together." min:"1" max:"100"`
	Helo        string `hcl:"helo" doc:"The name by which syncd greets the server; default: that of this machine." example:"\"syncd.example.com\""`
}

func newRelayConfig() *RelayConfig {
	return &RelayConfig{Server: Server{TLS: starttls, Timeout: 30 * time.Second}, Concurrency: 4}
}

// Relay sends mail; its connections are kept for the next.
type Relay struct {
	access
	cfg   *RelayConfig
	slots chan struct{}
	idle  idle
}

var _ component.Checker = (*Relay)(nil)

func openRelay(env component.Env, cfg *RelayConfig) (*Relay, error) {
	a, err := cfg.access(env)
	if err != nil {
		return nil, err
	}
	return &Relay{access: a, cfg: cfg, slots: make(chan struct{}, cfg.Concurrency)}, nil
}

// port is the configured one, or the usual one: RFC 6409, RFC 8314, RFC 5321.
func (c *RelayConfig) port() int {
	switch {
	case c.Port != 0:
		return c.Port
	case c.TLS == implicit:
		return 465
	case c.TLS == starttls:
		return 587
	}
	return 25
}

// Await waits for one of the connections that may be used at a time; Done gives it
// back. It tries before it looks at ctx; its error is that of ctx.
func (r *Relay) Await(ctx context.Context) error {
	select {
	case r.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case r.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Done ends what Await began.
func (r *Relay) Done() { <-r.slots }

// Send hands m to the server, whole or not at all, between Await and Done. Errors name
// the server and say by their type whether they will pass: a refusal with 5xx is
// component.Permanent (but see IsSenderRefused), one of the login, the certificate or the name component.Unwell.
func (r *Relay) Send(ctx context.Context, m *mail.Msg) error {
	err := r.send(ctx, m)
	if err == nil || m.IsDelivered() {
		return nil // what fails behind the server's 250 is the connection's business
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("no answer in time: %w", ctx.Err())
	}
	return r.told("send mail", err)
}

func (r *Relay) send(ctx context.Context, m *mail.Msg) error {
	for {
		l := r.idle.take()
		fresh := l == nil
		if fresh {
			var err error
			if l, err = r.dial(ctx); err != nil {
				return err
			}
		}
		err := l.send(ctx, m)
		if err == nil {
			r.idle.keep(l)
			return nil
		}
		var s *mail.SendError
		gone := errors.As(err, &s) && s.Reason == mail.ErrConnCheck
		if !fresh && gone && ctx.Err() == nil {
			l.close()
			continue // the server has hung up meanwhile
		}
		if s != nil && (s.Reason == mail.ErrSMTPMailFrom || s.Reason == mail.ErrSMTPRcptTo) && s.ErrorCode() != 0 {
			r.idle.keep(l) // refused, and reset
		} else {
			l.close()
		}
		return err
	}
}

// dial connects and logs in.
func (r *Relay) dial(ctx context.Context) (l *line, err error) {
	err = r.letIn(ctx, r.cfg.Password, func(secret string) (refused bool, err error) {
		l, refused, err = r.connect(ctx, secret)
		return refused, err
	})
	return l, err
}

func (r *Relay) connect(ctx context.Context, secret string) (l *line, refused bool, err error) {
	l = &line{}
	auth := &login{user: r.cfg.User, secret: secret, token: r.tokens != nil, host: r.cfg.Host}
	if l.client, err = mail.NewClient(r.cfg.Host, r.options(l, auth)...); err != nil {
		return nil, false, fmt.Errorf("set up: %w", err)
	}
	stop := context.AfterFunc(ctx, l.cut)
	defer stop()
	if l.smtp, err = l.client.DialToSMTPClientWithContext(ctx); err != nil {
		l.cut()
		if auth.began {
			return nil, true, &loginError{err}
		}
		return nil, false, err
	}
	return l, false, nil
}

func (r *Relay) options(l *line, auth *login) []mail.Option {
	options := []mail.Option{
		mail.WithPort(r.cfg.port()), mail.WithTimeout(r.cfg.Timeout), mail.WithTLSConfig(r.tls),
		mail.WithTLSPolicy(mail.NoTLS), mail.WithDialContextFunc(r.dialer(l)),
	}
	if r.cfg.TLS == starttls {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if r.cfg.Helo != "" {
		options = append(options, mail.WithHELO(r.cfg.Helo))
	} else if name, err := os.Hostname(); err != nil || name == "" {
		options = append(options, mail.WithHELO("localhost"))
	}
	if r.cfg.User != "" {
		options = append(options, mail.WithSMTPAuthCustom(auth))
	}
	return options
}

// dialer keeps what it dials in l, for whoever must cut it.
func (r *Relay) dialer(l *line) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		l.set(raw)
		if r.cfg.TLS != implicit {
			return raw, nil
		}
		c := tls.Client(raw, r.tls)
		return c, c.HandshakeContext(ctx)
	}
}

// Check connects, greets and logs in, and hangs up.
func (r *Relay) Check(ctx context.Context) error {
	l, err := r.dial(ctx)
	if err != nil {
		return r.told("reach", err)
	}
	l.close()
	return nil
}

// Close hangs up.
func (r *Relay) Close() error {
	r.idle.closeAll()
	r.access.close()
	return nil
}

func (r *Relay) address() string { return net.JoinHostPort(r.cfg.Host, strconv.Itoa(r.cfg.port())) }
