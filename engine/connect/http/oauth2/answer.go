package oauth2

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Token is an access token, as Source gives it.
type Token struct {
	// Header is what goes into Authorization.
	Header  string
	Value   string    // the token alone
	renewAt time.Time // zero: nobody knows
	// forced: it replaced one that was refused; taken: since then, one request with it
	// was not refused.
	forced time.Time
	taken  atomic.Bool
}

// Taken notes that a server took t.
func (t *Token) Taken() {
	if !t.taken.Load() {
		t.taken.Store(true)
	}
}

func (t *Token) fresh(now time.Time) bool { return t.renewAt.IsZero() || now.Before(t.renewAt) }

// answer is what a token endpoint gives.
type answer struct {
	token   *Token
	refresh string // "": the one that was sent goes on
}

// errOther: it is the answer of a refusal. Some servers send that with status 200.
var errOther = errors.New("no token, but an error")

// longestToken fits into the header that servers take.
const longestToken = 8 << 10

// parse reads a successful answer to what was asked at began (RFC 6749, section 5.1).
func parse(body []byte, began time.Time) (*answer, error) {
	var said struct {
		AccessToken  string  `json:"access_token"`
		TokenType    string  `json:"token_type"`
		ExpiresIn    seconds `json:"expires_in"`
		RefreshToken string  `json:"refresh_token"`
		Error        string  `json:"error"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, errors.New("the answer is not the JSON of a token; is token_url right?")
	}
	if said.Error != "" && said.AccessToken == "" {
		return nil, errOther
	}
	kind := said.TokenType
	if kind == "" || strings.EqualFold(kind, "bearer") {
		kind = "Bearer"
	}
	if !visible(said.AccessToken) || !visible(kind) {
		return nil, fmt.Errorf("the answer has no access_token that could be sent (%d characters of one)", len(said.AccessToken))
	}
	t := &Token{Header: kind + " " + said.AccessToken, Value: said.AccessToken}
	if life := time.Duration(said.ExpiresIn); life > 0 {
		t.renewAt = began.Add(life - early(life))
	}
	return &answer{t, said.RefreshToken}, nil
}

// early is how long before its end a token that lives for life is renewed.
func early(life time.Duration) time.Duration { return min(30*time.Second, life/4) }

// visible tells whether s can stand in a header.
func visible(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return s != "" && len(s) <= longestToken
}

// seconds is a duration that servers write as a number or as text.
type seconds time.Duration

const longestLife = 10 * 365 * 24 * 60 * 60

// UnmarshalJSON implements json.Unmarshaler; what is no number says nothing.
func (s *seconds) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if err == nil && n > 0 {
		*s = seconds(min(n, longestLife) * float64(time.Second))
	}
	return nil
}
