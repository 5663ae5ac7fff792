// Package smtp is the source that partners mail to: it listens, and answers 250 to a
// mail once its events are on disk.
package smtp

import (
	_ "embed"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
)

//go:embed page.md
var page string

// Kind declares source "smtp". What it makes share the ports that they listen on: one
// that takes another's place takes over its port.
func Kind() component.Kind {
	ports := newPorts()
	return component.SourceKind("smtp", "Takes mails over SMTP: each is one event for each of its recipients.", newConfig,
		func(env component.Env, c *Config) (component.Source, error) { return open(env, c, ports) }).WithPage(page)
}

// Config is the block of a source.
type Config struct {
	Address        string         `hcl:"address" doc:"Where it listens, host:port." example:"\"0.0.0.0:25\""`
	Hostname       string         `hcl:"hostname" doc:"The name by which it greets; left out: the machine's." example:"\"in.example.com\""`
	Recipients     []string       `hcl:"recipients,required" doc:"The addresses that it takes mail for, in any case; {token} stands for one or more characters, which are then meta.params.token. Others get 550." example:"[\"orders+{token}@in.example.com\"]"`
	AllowFrom      []string       `hcl:"allow_from" doc:"Who may write, by the mail's From; * stands for anything. Others get 550." example:"[\"*@partner.example\"]"`
	AllowIPs       []netip.Prefix `hcl:"allow_ips" doc:"Addresses and networks that may connect; others get 554." example:"[\"10.0.0.0/8\"]"`
	Authenticate   bool           `hcl:"authenticate" doc:"Ask the DNS what SPF, DKIM and DMARC say of a mail; meta.mail.auth has the answer. Mail from this machine itself is asked about only where require is set."`
	Require        []string       `hcl:"require" doc:"What a mail must show, or it gets 550: that SPF or DKIM speaks for the domain of its From; dmarc: what that domain itself asks for." enum:"spf|dkim|dmarc" example:"[\"dkim\"]"`
	MaxMessage     component.Size `hcl:"max_message" min:"1KiB" max:"1GiB" doc:"The largest mail; a larger one gets 552."`
	RateLimit      component.Rate `hcl:"rate_limit" doc:"More mails than this, of all senders together, get 451." example:"\"10/s\""`
	MaxConnections int            `hcl:"max_connections" min:"2" max:"10000" doc:"Connections at a time; one address gets half of them. Others get 421."`
	TLS            *TLS           `hcl:"tls,block" doc:"The certificate for STARTTLS, or for TLS from the first byte."`
	Auth           []Auth         `hcl:"auth,block" doc:"Who may log in; with such a block, everybody must. Passwords are taken over TLS only, or from this machine itself."`
}

// TLS names the certificate.
type TLS struct {
	Cert string `hcl:"cert,required" path:"file" doc:"PEM file with the certificate and those between it and its authority. It is read again when it changes." example:"\"/etc/ssl/mx.pem\""`
	Key  string `hcl:"key,required" path:"file" doc:"PEM file with the certificate's key." example:"\"/etc/ssl/mx.key\""`
	Mode string `hcl:"mode" enum:"offered|required|implicit" doc:"offered: STARTTLS for who wants it; required: no mail without it; implicit: TLS from the first byte, as on port 465."`
}

// SetDefaults fills in what is not given.
func (t *TLS) SetDefaults() { t.Mode = "offered" }

// Auth is one who may log in.
type Auth struct {
	User     string           `hcl:"user,required" doc:"The user's name." example:"\"shop\""`
	Password component.Secret `hcl:"password,required" doc:"The password." example:"credential(\"shop\")"`
}

func newConfig() *Config {
	return &Config{Address: "127.0.0.1:2525", Authenticate: true, MaxMessage: 25 << 20, MaxConnections: 100}
}

// Validate checks what tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		p.Error("address", "not an address to listen on", `Write host and port: "127.0.0.1:2525", or "0.0.0.0:25" for all interfaces.`)
	}
	c.validateRecipients(p)
	for i, from := range c.AllowFrom {
		if !strings.Contains(from, "@") {
			p.Error(fmt.Sprintf("allow_from[%d]", i), "not an address", fmt.Sprintf("For everybody of a domain, write %q.", "*@"+strings.TrimPrefix(from, "*")))
		}
	}
	local := err != nil || isLoopback(host)
	if len(c.Auth) > 0 && c.TLS == nil && !local {
		p.Error("auth[0]", "passwords without TLS", "Nobody could log in from another machine: passwords are taken over TLS only. Add a tls block.")
	}
	c.validateAuth(p)
	if len(c.Require) > 0 && !c.Authenticate {
		p.Error("authenticate", "require without authenticate", "What is not looked up cannot be required. Take one of them out.")
	}
	if !local && len(c.AllowFrom)+len(c.AllowIPs)+len(c.Require)+len(c.Auth) == 0 {
		p.Warn("", "anyone can mail to this source", "Nothing limits who may send. Add require, allow_from, allow_ips or auth.")
	}
}

func (c *Config) validateRecipients(p *component.Problems) {
	if len(c.Recipients) == 0 {
		p.Error("recipients", "no recipient", "It would take no mail at all. Name the addresses that partners write to.")
	}
	for i, r := range c.Recipients {
		if _, err := newPattern(r); err != nil {
			p.Error(fmt.Sprintf("recipients[%d]", i), "not a recipient", err.Error())
		} else if slices.Contains(c.Recipients[:i], r) {
			p.Error(fmt.Sprintf("recipients[%d]", i), r+" is there twice", "Once is enough.")
		}
	}
}

func (c *Config) validateAuth(p *component.Problems) {
	for i, a := range c.Auth {
		if !a.Password.IsSet() {
			p.Error(fmt.Sprintf("auth[%d].password", i), "the password is empty", `Anyone could log in. Give it a value, say by credential("name").`)
		}
		if slices.ContainsFunc(c.Auth[:i], func(b Auth) bool { return b.User == a.User }) {
			p.Error(fmt.Sprintf("auth[%d].user", i), a.User+" is there twice", "A user has one password.")
		}
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Claims are its port: no other source may listen there.
func (c *Config) Claims() []component.Claim {
	return []component.Claim{{Attr: "address", What: "SMTP on " + c.Address}}
}

// Certificates are those that `syncd doctor` looks at.
func (c *Config) Certificates() []component.CertificateFiles {
	if c.TLS == nil {
		return nil
	}
	return []component.CertificateFiles{{Cert: c.TLS.Cert, Key: c.TLS.Key}}
}
