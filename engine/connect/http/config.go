package http

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/http/oauth2"
	"github.com/syncd/syncd/engine/expr"
)

// Config is a connection "http" block.
type Config struct {
	BaseURL     string                      `hcl:"base_url,required" doc:"What all URLs have in common; the path of a sink is appended to it." example:"\"https://crm.example.com/api/v2\""`
	Headers     map[string]component.Secret `hcl:"headers" doc:"Headers of every request." example:"{ Accept = \"application/json\" }"`
	Timeout     time.Duration               `hcl:"timeout" doc:"How long a request may take, connecting included; a sink's own timeout holds as well. Of a long answer that is read as it comes, how long the next KiB may take; there the default is 30s." min:"1ms" example:"\"10s\""`
	RateLimit   component.Rate              `hcl:"rate_limit" doc:"No more requests than this, of all users together, spread evenly; who must wait loses no attempt by it." example:"\"10/s\""`
	Concurrency int                         `hcl:"concurrency" doc:"Requests at a time, of all users together; 0: as many as they make." min:"0" max:"4096" example:"4"`
	AllowHosts  []string                    `hcl:"allow_hosts" doc:"Servers beside base_url's that links and redirects may lead to, each as host or host:port; they get no credentials." example:"[\"files.crm.example.com\"]"`
	Proxy       component.Secret            `hcl:"proxy" doc:"URL of an HTTP proxy; default: what the environment says (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)." example:"\"http://proxy:3128\""`
	Auth        Auth                        `hcl:"auth,oneof" doc:"How syncd shows who it is."`
	Outcome     *Outcome                    `hcl:"outcome,block" doc:"What answers mean, for APIs that do not tell by their status; it holds for all users."`
	TLS         *TLS                        `hcl:"tls,block" doc:"Certificates beyond the system's."`
}

// Auth is one way to authenticate.
type Auth struct {
	Basic  *Basic         `hcl:"basic" doc:"User and password, as Authorization: Basic (RFC 7617)."`
	Bearer *Bearer        `hcl:"bearer" doc:"A token, as Authorization: Bearer (RFC 6750)."`
	APIKey *APIKey        `hcl:"api_key" doc:"A key in a header or in the query."`
	OAuth2 *oauth2.Config `hcl:"oauth2" doc:"A token that is asked for and renewed (RFC 6749)."`
}

// Basic holds the credentials of basic authentication.
type Basic struct {
	User     string           `hcl:"user,required" doc:"The user's name." example:"\"syncd\""`
	Password component.Secret `hcl:"password,required" doc:"The password." example:"credential(\"crm\")"`
}

// Bearer holds a token.
type Bearer struct {
	Token component.Secret `hcl:"token,required" doc:"The token." example:"credential(\"crm\")"`
}

// APIKey holds a key and says where it goes.
type APIKey struct {
	Header string           `hcl:"header" doc:"The header that carries the key." example:"\"X-Api-Key\""`
	Query  string           `hcl:"query" doc:"The query parameter that carries the key, if no header does." example:"\"api_key\""`
	Value  component.Secret `hcl:"value,required" doc:"The key." example:"credential(\"crm\")"`
}

// Outcome judges answers before their user does.
type Outcome struct {
	Retry expr.Expr `hcl:"retry" yields:"bool" scope:"response" doc:"Whether an answer, of whatever status, means: not now, try again." example:"\"response.body.error.code == 'throttled'\""`
	Fail  expr.Expr `hcl:"fail" yields:"bool" scope:"response" doc:"Whether an answer is a failure although it looks like a success." example:"\"response.body.ok == false\""`
}

// TLS names PEM files.
type TLS struct {
	CA   string `hcl:"ca" doc:"Certificates of the authorities to trust instead of the system's." path:"file" example:"\"/etc/ssl/crm-ca.pem\""`
	Cert string `hcl:"cert" doc:"Our certificate, for a server that asks for one." path:"file" example:"\"/etc/ssl/me.pem\""`
	Key  string `hcl:"key" doc:"Its private key." path:"file" example:"\"/etc/ssl/me.key\""`
}

func newConfig() *Config { return &Config{} }

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	base, wrong := parseBase(c.BaseURL)
	if wrong != "" {
		p.Error("base_url", "not a base URL", wrong)
	} else if c.Auth != (Auth{}) && base.Scheme == "http" && !isLoopback(base.Hostname()) {
		p.Warn("base_url", "credentials in the clear", "With http:// anybody on the way can read what auth sends. Use https:// if the server can.")
	}
	for i, entry := range c.AllowHosts {
		if wrong := checkAllowed(entry); wrong != "" {
			p.Error(fmt.Sprintf("allow_hosts[%d]", i), "not a host", wrong)
		}
	}
	if c.Proxy.IsSet() {
		if _, wrong := parseProxy(c.Proxy.Reveal()); wrong != "" {
			p.Error("proxy", "not the URL of a proxy", wrong)
		}
	}
	if k := c.Auth.APIKey; k != nil && (k.Header == "") == (k.Query == "") {
		p.Error("auth.api_key", "header or query", `Say where the key goes: header = "X-Api-Key", or query = "api_key".`)
	}
	if c.TLS != nil && (c.TLS.Cert == "") != (c.TLS.Key == "") {
		p.Error("tls", "cert and key belong together", "Give both files, or neither.")
	}
	checkHeaders(p, c.Headers)
}

func checkHeaders(p *component.Problems, headers map[string]component.Secret) {
	for name, value := range headers {
		if wrong := CheckHeader(name); wrong != "" {
			p.Error("headers", "header not allowed", wrong)
		}
		if strings.ContainsAny(value.Reveal(), "\r\n\x00") {
			p.Error("headers", "line break in a header", fmt.Sprintf("The value of %s must be a single line.", name))
		}
	}
}

// bareHost is a URL that lacks nothing but https://.
var bareHost = regexp.MustCompile(`^[\w-]+(\.[\w-]+)+(:[0-9]+)?(/[\w./-]*)?$`)

// parseBase gives the URL, or a sentence on what is wrong with it.
func parseBase(s string) (*url.URL, string) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, "It does not parse as a URL."
	case bareHost.MatchString(s):
		return nil, fmt.Sprintf("Write %q.", "https://"+s)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, "It must begin with https:// or http:// and a host."
	case u.User != nil:
		return nil, `User and password belong into an auth "basic" block.`
	case u.Fragment != "":
		return nil, "A fragment (#…) is never sent; leave it out."
	}
	return u, ""
}

// parseProxy keeps the text out of its answer: it may hold a password.
func parseProxy(s string) (*url.URL, string) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
		return nil, "Write it as http://host:port."
	}
	return u, ""
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
