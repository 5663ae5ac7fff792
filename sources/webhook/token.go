package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
)

// token is a fixed value that a sender shows. It is compared by its digest, so
// that not even its length shows in the time that takes.
type token [sha256.Size]byte

func newToken(s string) token { return sha256.Sum256([]byte(s)) }

// is tells whether s is the value; nothing at all never is.
func (t token) is(s string) bool {
	sum := sha256.Sum256([]byte(s))
	return subtle.ConstantTimeCompare(t[:], sum[:]) == 1 && s != ""
}

func judge(ok bool) verdict {
	if ok {
		return verified
	}
	return refused
}

// bearer is verify "bearer".
type bearer struct {
	token token
	value string
}

func newBearer(c Bearer) bearer { return bearer{newToken(c.Token.Reveal()), c.Token.Reveal()} }

func (b bearer) glance(r *http.Request) verdict {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return judge(strings.EqualFold(scheme, "Bearer") && b.token.is(strings.TrimSpace(value)))
}

func (bearer) verify(*http.Request, []byte) bool { return false }

func (b bearer) traces() traces {
	return traces{values: spellings(b.value), challenge: "Bearer", wants: "a bearer token in Authorization"}
}

// basic is verify "basic".
type basic struct {
	user, password token
	value          string
}

func newBasic(c Basic) basic {
	return basic{newToken(c.User), newToken(c.Password.Reveal()), c.Password.Reveal()}
}

func (b basic) glance(r *http.Request) verdict {
	user, password, ok := r.BasicAuth()
	// Both are compared in any case: the time must not tell which was wrong.
	u, p := b.user.is(user), b.password.is(password)
	return judge(ok && u && p)
}

func (basic) verify(*http.Request, []byte) bool { return false }

func (b basic) traces() traces {
	return traces{values: spellings(b.value), challenge: `Basic realm="syncd", charset="UTF-8"`, wants: "user and password in Authorization"}
}

// apiKey is verify "api_key".
type apiKey struct {
	header, query string // one of them
	token         token
	value         string
}

func newAPIKey(c APIKey) apiKey {
	key := apiKey{query: c.Query, token: newToken(c.Value.Reveal()), value: c.Value.Reveal()}
	if c.Header != "" {
		key.header = http.CanonicalHeaderKey(c.Header)
	}
	return key
}

func (k apiKey) glance(r *http.Request) verdict {
	if k.header != "" {
		return judge(k.token.is(r.Header.Get(k.header)))
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // what is faulty in it is left out
	return judge(k.token.is(query.Get(k.query)))
}

func (apiKey) verify(*http.Request, []byte) bool { return false }

func (k apiKey) traces() traces {
	t := traces{headers: []string{k.header}, query: k.query, values: spellings(k.value), wants: "the key in " + k.header}
	if k.query != "" {
		t.wants = "the key in the query parameter " + k.query
	}
	return t
}
