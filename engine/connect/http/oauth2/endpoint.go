package oauth2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// longestAnswer is more than any token endpoint says.
const longestAnswer = 1 << 20

// endpoint is where tokens come from. It is asked one thing at a time.
type endpoint struct {
	cfg       *Config
	transport http.RoundTripper
	pause     func(http.Header) time.Duration // what an answer says of when to come again
	// inBody tells where the server wants the client's credentials: it is found out.
	inBody bool
}

// ask gets a token; refresh is the refresh token, for the grant of that name.
func (e *endpoint) ask(ctx context.Context, refresh string) (*answer, error) {
	a, err := e.try(ctx, refresh)
	if e.inBody || e.cfg.Encode == "json" || !e.cfg.ClientSecret.IsSet() || !refusedClient(err) {
		return a, err
	}
	e.inBody = true
	other, err2 := e.try(ctx, refresh)
	var refused *refusal
	if err2 == nil || errors.As(err2, &refused) && !refusedClient(err2) {
		return other, err2
	}
	e.inBody = false
	return a, err
}

// refusedClient tells whether the server may just not have found the client's
// credentials where it wants them.
func refusedClient(err error) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return false
	}
	switch r.code {
	case "invalid_grant", "invalid_scope", "unauthorized_client", "unsupported_grant_type":
		return false
	}
	return r.status == http.StatusBadRequest || r.status == http.StatusUnauthorized
}

func (e *endpoint) try(ctx context.Context, refresh string) (*answer, error) {
	req, err := e.request(ctx, refresh)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	resp, err := e.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if a, err := parse(body, began); resp.StatusCode/100 == 2 && !errors.Is(err, errOther) {
		return a, err
	}
	return nil, e.refused(resp, body)
}

func (e *endpoint) request(ctx context.Context, refresh string) (*http.Request, error) {
	inBody := e.inBody || e.cfg.Encode == "json" || !e.cfg.ClientSecret.IsSet()
	body, contentType := e.encode(e.fields(refresh, inBody))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.cfg.TokenURL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "syncd")
	if !inBody { // RFC 6749, section 2.3.1: both are encoded as in a form first
		req.SetBasicAuth(url.QueryEscape(e.cfg.ClientID), url.QueryEscape(e.cfg.ClientSecret.Reveal()))
	}
	return req, nil
}

func (e *endpoint) fields(refresh string, withClient bool) map[string]string {
	f := map[string]string{"grant_type": e.cfg.Grant}
	for name, value := range e.cfg.Params {
		f[name] = value.Reveal()
	}
	if len(e.cfg.Scopes) > 0 {
		f["scope"] = strings.Join(e.cfg.Scopes, " ")
	}
	switch e.cfg.Grant {
	case refreshToken:
		f["refresh_token"] = refresh
	case password:
		f["username"], f["password"] = e.cfg.User, e.cfg.Password.Reveal()
	}
	if withClient {
		f["client_id"] = e.cfg.ClientID
		if e.cfg.ClientSecret.IsSet() {
			f["client_secret"] = e.cfg.ClientSecret.Reveal()
		}
	}
	return f
}

func (e *endpoint) encode(fields map[string]string) (body []byte, contentType string) {
	if e.cfg.Encode == "json" {
		body, _ = json.Marshal(fields) // texts always can
		return body, "application/json"
	}
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return []byte(form.Encode()), "application/x-www-form-urlencoded"
}

// refusal is an answer without a token (RFC 6749, section 5.2).
type refusal struct {
	status      int
	code, about string
	advice      string
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("answered %d %s", r.status, http.StatusText(r.status))
	for _, more := range []string{r.code, r.about} {
		if more != "" {
			text += ": " + more
		}
	}
	if r.advice != "" {
		text += " (" + r.advice + ")"
	}
	return text
}

// advice tells what to do about an error code.
func (e *endpoint) advice(code string) string {
	switch {
	case code == "invalid_client":
		return "check client_id and client_secret"
	case code == "invalid_grant" && e.cfg.Grant == password:
		return "check user and password"
	case code == "invalid_grant" && e.cfg.Grant == refreshToken:
		return "the refresh token has expired, was revoked or was used elsewhere: put a new one into refresh_token"
	}
	return ""
}

func (e *endpoint) refused(resp *http.Response, body []byte) error {
	r := &refusal{status: resp.StatusCode}
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(body, &said); err == nil && said.Error != "" {
		r.code, r.about, r.advice = said.Error, excerpt([]byte(said.Description)), e.advice(said.Error)
	} else {
		r.about = excerpt(body)
	}
	if resp.StatusCode/100 == 3 {
		r.about = "token_url must be the endpoint itself; redirects are not followed"
	}
	if wait := e.pause(resp.Header); wait > 0 {
		return component.RetryAfter(r, wait)
	}
	return r
}

// excerpt is enough of a body to recognise it by.
func excerpt(body []byte) string {
	const enough = 200
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "\ufffd")), " ")
	if len(text) > enough {
		text = strings.ToValidUTF8(text[:enough], "") + "…"
	}
	return text
}
