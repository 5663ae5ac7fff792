// Package mail is the connection to mail servers: SMTP, by which mail is sent, and IMAP,
// by which it is read.
package mail

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/http/oauth2"
)

// Server is what connections to mail servers have in common.
type Server struct {
	Host     string           `hcl:"host,required" doc:"The server's name, which its certificate must hold." example:"\"mail.example.com\""`
	Port     int              `hcl:"port" doc:"Its port; default: the usual one for tls." min:"1" max:"65535" example:"587"`
	TLS      string           `hcl:"tls" enum:"tls|starttls|none" doc:"tls from the first byte on; starttls: in the clear until the server has agreed to it, which it must; none: in the clear."`
	CA       string           `hcl:"ca" path:"file" doc:"Certificates (PEM) of the authorities to trust instead of the system's." example:"\"/etc/ssl/mail-ca.pem\""`
	User     string           `hcl:"user" doc:"The name to log in with; without it, nobody logs in." example:"\"syncd\""`
	Password component.Secret `hcl:"password" doc:"Its password." example:"credential(\"mail\")"`
	Auth     Auth             `hcl:"auth,oneof" doc:"A token instead of the password."`
	Timeout  time.Duration    `hcl:"timeout" doc:"How long connecting may take, and each answer." min:"1s"`
}

// Auth is a way to log in that is no password.
type Auth struct {
	OAuth2 *oauth2.Config `hcl:"oauth2" doc:"A token that is asked for and renewed (RFC 6749), shown by XOAUTH2."`
}

// The values of tls.
const (
	implicit = "tls"
	starttls = "starttls"
	plain    = "none"
)

// Validate checks what the tags cannot say.
func (s *Server) Validate(p *component.Problems) {
	switch {
	case s.Host == "" || strings.ContainsAny(s.Host, ":/@ ") && net.ParseIP(s.Host) == nil:
		p.Error("host", "not the name of a host", `Write the name alone, "mail.example.com"; the port has an attribute of its own.`)
	case s.TLS == plain && s.logsIn() && !isLoopback(s.Host):
		p.Warn("tls", "credentials in the clear", `With tls = "none" anybody on the way can read the password. Use "starttls" or "tls" if the server can.`)
	}
	switch {
	case s.User == "" && s.logsIn():
		p.Error("user", "who logs in?", "A password or token belongs to a user: give its name.")
	case s.User != "" && !s.logsIn():
		p.Error("password", "no way to log in", `Give the user's password, say by credential("mail"), or an auth "oauth2" block.`)
	case s.Password.IsSet() && s.Auth.OAuth2 != nil:
		p.Error("auth", "a password and a token", "Give one of password and auth.")
	}
}

func (s *Server) logsIn() bool { return s.Password.IsSet() || s.Auth.OAuth2 != nil }

// Certificates implements component.Certified.
func (s *Server) Certificates() []component.CertificateFiles {
	if s.CA == "" {
		return nil
	}
	return []component.CertificateFiles{{CA: s.CA}}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// tlsConfig is what TLS needs, whenever it begins.
func (s *Server) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.CA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		return nil, fmt.Errorf("read ca: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read ca: %s holds no PEM certificate", s.CA)
	}
	return c, nil
}
