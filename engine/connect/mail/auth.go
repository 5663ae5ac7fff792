package mail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// login chooses, once the server has said what it takes, the best way to log in.
type login struct {
	user, secret string
	token        bool // secret is an access token
	host         string
	began        bool // the server was asked to let us in
	chosen       smtp.Auth
}

var _ smtp.Auth = (*login)(nil)

// Start implements smtp.Auth.
func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	l.began = true
	open := !server.TLS
	can := func(name string) bool {
		return slices.ContainsFunc(server.Auth, func(s string) bool { return strings.EqualFold(s, name) })
	}
	switch {
	case l.token && can("XOAUTH2"):
		l.chosen = smtp.XOAuth2Auth(l.user, l.secret)
	case l.token:
		return "", nil, fmt.Errorf("the server does not take tokens (XOAUTH2), only %s", offered(server))
	case can("SCRAM-SHA-256"):
		l.chosen = smtp.ScramSHA256Auth(l.user, l.secret)
	case can("SCRAM-SHA-1"):
		l.chosen = smtp.ScramSHA1Auth(l.user, l.secret)
	case can("PLAIN"):
		l.chosen = smtp.PlainAuth("", l.user, l.secret, l.host, open)
	case can("LOGIN"):
		l.chosen = smtp.LoginAuth(l.user, l.secret, l.host, open)
	case can("CRAM-MD5"):
		l.chosen = smtp.CRAMMD5Auth(l.user, l.secret)
	default:
		return "", nil, fmt.Errorf("the server takes none of SCRAM, PLAIN, LOGIN and CRAM-MD5, only %s", offered(server))
	}
	return l.chosen.Start(server)
}

func offered(server *smtp.ServerInfo) string {
	if len(server.Auth) == 0 {
		return "mail without a login"
	}
	return strings.Join(server.Auth, ", ")
}

// Next implements smtp.Auth.
func (l *login) Next(fromServer []byte, more bool) ([]byte, error) {
	return l.chosen.Next(fromServer, more)
}
