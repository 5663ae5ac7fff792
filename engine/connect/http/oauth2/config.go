// Package oauth2 gets access tokens (RFC 6749) for a connection and renews them: one
// request for all who wait, a rotated refresh token on disk before anything is done
// with the answer, a pause after a failure.
//
// It speaks to the token endpoint itself: golang.org/x/oauth2 sends forms only, hides
// what an answer says of when to come again, and leaves rotation, sharing and renewal
// after a 401 to its user, which is most of this package.
package oauth2

import (
	"encoding/base64"
	"net"
	"net/url"
	"slices"

	"github.com/syncd/syncd/engine/component"
)

// Config is an auth "oauth2" block.
type Config struct {
	Grant        string                      `hcl:"grant" enum:"client_credentials|refresh_token|password" doc:"What tokens are asked for with."`
	TokenURL     string                      `hcl:"token_url,required" doc:"Where tokens are asked for; it may be on another server than base_url." example:"\"https://crm.example.com/oauth/token\""`
	ClientID     string                      `hcl:"client_id,required" doc:"By which name the server knows syncd." example:"\"syncd\""`
	ClientSecret component.Secret            `hcl:"client_secret" doc:"Its secret; required for client_credentials. It goes into the Authorization header, or into the body of servers that do not take it there." example:"credential(\"crm\")"`
	Scopes       []string                    `hcl:"scopes" doc:"What the token shall allow." example:"[\"orders\"]"`
	RefreshToken component.Secret            `hcl:"refresh_token" doc:"For the grant of this name: the first one. A server that replaces it at each use is followed; see below." example:"credential(\"crm_refresh\")"`
	User         string                      `hcl:"user" doc:"For the grant password: the user's name." example:"\"syncd@example.com\""`
	Password     component.Secret            `hcl:"password" doc:"For the grant password: the user's password." example:"credential(\"crm\")"`
	Params       map[string]component.Secret `hcl:"params" doc:"What the server wants beside that." example:"{ audience = \"https://crm.example.com\" }"`
	Encode       string                      `hcl:"encode" enum:"form|json" doc:"How the request is written: as a form, or as a JSON object, which then also holds client_id and client_secret."`
}

// The grants.
const (
	clientCredentials = "client_credentials"
	refreshToken      = "refresh_token"
	password          = "password"
)

// SetDefaults fills in what is not given.
func (c *Config) SetDefaults() { c.Grant, c.Encode = clientCredentials, "form" }

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	u, err := url.Parse(c.TokenURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "":
		p.Error("token_url", "not the URL of a token endpoint", "It must begin with https:// or http:// and a host.")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		p.Warn("token_url", "credentials in the clear", "With http:// anybody on the way can read the client's secret and the tokens. Use https:// if the server can.")
	}
	c.validateGrant(p)
	for name := range c.Params {
		if slices.Contains([]string{"grant_type", "client_id", "client_secret", "scope", "refresh_token", "username", "password"}, name) {
			p.Error("params", name+" has an attribute of its own", "params holds what the other attributes do not: audience, resource and the like.")
		}
	}
}

func (c *Config) validateGrant(p *component.Problems) {
	if c.Grant == clientCredentials && !c.ClientSecret.IsSet() {
		p.Error("grant", "client_secret is missing", "The grant client_credentials shows who we are by client_id and client_secret.")
	}
	if (c.Grant == refreshToken) != c.RefreshToken.IsSet() {
		p.Error("refresh_token", "refresh_token and grant belong together", `grant = "refresh_token" needs a refresh_token, and no other grant takes one.`)
	}
	if (c.Grant == password) != (c.User != "") || (c.Grant == password) != c.Password.IsSet() {
		p.Error("password", "user, password and grant belong together", `grant = "password" needs user and password, and no other grant takes them.`)
	}
}

// Secrets are those of the configuration.
func (c *Config) Secrets() []string {
	pair := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ClientID) + ":" + url.QueryEscape(c.ClientSecret.Reveal())))
	secrets := []string{c.ClientSecret.Reveal(), c.RefreshToken.Reveal(), c.Password.Reveal(), pair}
	for _, value := range c.Params {
		secrets = append(secrets, value.Reveal())
	}
	return secrets
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
