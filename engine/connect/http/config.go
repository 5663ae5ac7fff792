package http

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// Config is a connection "http" block.
type Config struct {
	BaseURL     string                      `hcl:"base_url,required" doc:"Where the paths of its users begin." example:"\"https://crm.example.com/api/v2\""`
	Headers     map[string]component.Secret `hcl:"headers" doc:"Sent with every request." example:"{ Accept = \"application/json\" }"`
	Timeout     time.Duration               `hcl:"timeout" doc:"For one request, connecting included; its user's own timeout holds as well." min:"1ms"`
	Concurrency int                         `hcl:"concurrency" doc:"Requests at a time, over all users; 0: as many as they make." max:"4096"`
	Proxy       component.Secret            `hcl:"proxy" doc:"URL of an HTTP proxy; default: what the environment says (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)." example:"\"http://proxy:3128\""`
	Auth        Auth                        `hcl:"auth,oneof" doc:"How syncd authenticates itself."`
	TLS         *TLS                        `hcl:"tls,block" doc:"Certificates beyond the system's."`
}

// Auth is one way to authenticate.
type Auth struct {
	Basic  *Basic  `hcl:"basic" doc:"HTTP basic authentication (RFC 7617)."`
	Bearer *Bearer `hcl:"bearer" doc:"A bearer token (RFC 6750)."`
	APIKey *APIKey `hcl:"api_key" doc:"A key in a header or in the query."`
}

// Basic holds the credentials of basic authentication.
type Basic struct {
	User     string           `hcl:"user,required" doc:"User name."`
	Password component.Secret `hcl:"password,required" doc:"Password." example:"credential(\"crm\")"`
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

// parseBase gives the URL, or a sentence on what is wrong with it.
func parseBase(s string) (*url.URL, string) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, "It does not parse as a URL."
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
