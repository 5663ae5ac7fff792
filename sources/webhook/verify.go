package webhook

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/syncd/syncd/engine/component"
)

// Verify is one way for a sender to show who it is: exactly one field is set.
type Verify struct {
	HMAC   *HMAC   `hcl:"hmac" doc:"A signature of the body in a header: its HMAC with a shared key."`
	GitHub *GitHub `hcl:"github" doc:"GitHub's signature of the body, in X-Hub-Signature-256."`
	Bearer *Bearer `hcl:"bearer" doc:"A token, as Authorization: Bearer."`
	Basic  *Basic  `hcl:"basic" doc:"User and password, as Authorization: Basic."`
	APIKey *APIKey `hcl:"api_key" doc:"A key in a header or query parameter."`
	None   *None   `hcl:"none" doc:"Anybody may send, and that is meant."`
}

// HMAC is a keyed digest of the raw body in a header.
type HMAC struct {
	Header    string           `hcl:"header,required" doc:"The header that holds the signature." example:"\"X-Signature\""`
	Algorithm string           `hcl:"algorithm" doc:"The hash function." enum:"sha1|sha256|sha512"`
	Encoding  string           `hcl:"encoding" doc:"How the signature is written." enum:"hex|base64"`
	Prefix    string           `hcl:"prefix" doc:"What stands in the header before the signature." example:"\"sha256=\""`
	Secret    component.Secret `hcl:"secret,required" doc:"The key that the sender signs with." example:"credential(\"shop\")"`
}

// SetDefaults fills in what is not given.
func (h *HMAC) SetDefaults() { h.Algorithm, h.Encoding = "sha256", "hex" }

// GitHub is the signature in X-Hub-Signature-256
// (docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries).
type GitHub struct {
	Secret component.Secret `hcl:"secret,required" doc:"The webhook's secret." example:"credential(\"github\")"`
}

// Bearer is a token in Authorization (RFC 6750).
type Bearer struct {
	Token component.Secret `hcl:"token,required" doc:"The token that is accepted." example:"credential(\"shop\")"`
}

// Basic is user and password in Authorization (RFC 7617).
type Basic struct {
	User     string           `hcl:"user,required" doc:"The user's name." example:"\"shop\""`
	Password component.Secret `hcl:"password,required" doc:"The password that is accepted." example:"credential(\"shop\")"`
}

// APIKey is a fixed value in a header or query parameter.
type APIKey struct {
	Header string           `hcl:"header" doc:"The header that carries it." example:"\"X-API-Key\""`
	Query  string           `hcl:"query" doc:"The query parameter that carries it, if no header does." example:"\"key\""`
	Value  component.Secret `hcl:"value,required" doc:"The key that is accepted." example:"credential(\"shop\")"`
}

// None lets anyone send.
type None struct{}

func (v Verify) validate(p *component.Problems, attr string) {
	secret := func(s component.Secret, name string) {
		if !s.IsSet() {
			p.Error(attr+"."+name, "the secret is empty", "Anyone could sign with it. Give it a value, say by credential(\"name\").")
		}
	}
	switch {
	case v.HMAC != nil:
		secret(v.HMAC.Secret, "hmac.secret")
	case v.GitHub != nil:
		secret(v.GitHub.Secret, "github.secret")
	case v.Bearer != nil:
		secret(v.Bearer.Token, "bearer.token")
	case v.Basic != nil:
		secret(v.Basic.Password, "basic.password")
	case v.APIKey != nil:
		secret(v.APIKey.Value, "api_key.value")
		if (v.APIKey.Header == "") == (v.APIKey.Query == "") {
			p.Error(attr+".api_key", "header or query", "Exactly one of them says where the key is sent.")
		}
	}
}

// verdict is what a verifier can say before the body is there.
type verdict int

const (
	refused   verdict = iota
	undecided         // the body must be seen
	verified
)

// verifier knows a sender by one scheme.
type verifier interface {
	// glance judges by the header alone.
	glance(r *http.Request) verdict
	// verify judges the raw body of a request on which glance was undecided.
	verify(r *http.Request, raw []byte) bool
	// traces say what must not be kept of a request.
	traces() traces
}

// traces of a scheme: where credentials are sent, and their values wherever they
// turn up besides (a proxy copies the URL into a header, say).
type traces struct {
	headers   []string // canonical
	query     string
	values    []string
	challenge string // of WWW-Authenticate
	wants     string // for the one who is refused
}

func (v Verify) verifier() (verifier, error) {
	switch {
	case v.HMAC != nil:
		return newSignature(*v.HMAC)
	case v.GitHub != nil:
		return newGitHub(*v.GitHub)
	case v.Bearer != nil:
		return newBearer(*v.Bearer), nil
	case v.Basic != nil:
		return newBasic(*v.Basic), nil
	case v.APIKey != nil:
		return newAPIKey(*v.APIKey), nil
	case v.None != nil:
		return anyone{}, nil
	}
	return nil, fmt.Errorf("a verify block without a kind")
}

// anyone is verify "none".
type anyone struct{}

func (anyone) glance(*http.Request) verdict      { return verified }
func (anyone) verify(*http.Request, []byte) bool { return true }
func (anyone) traces() traces                    { return traces{} }

// spellings are the ways a secret may turn up in a header or URL.
func spellings(secret string) []string {
	list := []string{secret}
	for _, s := range []string{url.QueryEscape(secret), url.PathEscape(secret)} {
		if s != secret {
			list = append(list, s)
		}
	}
	return list
}
