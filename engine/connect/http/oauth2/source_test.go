package oauth2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// asked is one request that an issuer got.
type asked struct {
	Fields      map[string]string
	User, Pass  string // of Basic
	ContentType string
}

// issuer is a token endpoint: answer gives status and body for the n-th request, from 1.
type issuer struct {
	answer func(n int, a asked) (int, string)
	delay  time.Duration
	header http.Header

	mu  sync.Mutex
	got []asked
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	a := asked{ContentType: r.Header.Get("Content-Type"), Fields: map[string]string{}}
	a.User, a.Pass, _ = r.BasicAuth()
	body, _ := io.ReadAll(r.Body)
	if a.ContentType == "application/json" {
		json.Unmarshal(body, &a.Fields)
	} else {
		form, _ := url.ParseQuery(string(body))
		for name := range form {
			a.Fields[name] = form.Get(name)
		}
	}
	i.mu.Lock()
	i.got = append(i.got, a)
	n := len(i.got)
	i.mu.Unlock()
	select {
	case <-time.After(i.delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	status, text := i.answer(n, a)
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	header := i.header
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(text))}, nil
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.got)
}

// numbered answers each request with another token, which lives for a minute.
func numbered(n int, _ asked) (int, string) {
	return 200, fmt.Sprintf(`{"access_token":"token-%d","token_type":"bearer","expires_in":60}`, n)
}

// memory is a component.Store.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	fails  error
	turn   chan struct{}
}

func newMemory() *memory { return &memory{values: map[string][]byte{}, turn: make(chan struct{}, 1)} }

func (m *memory) Get(_ context.Context, key string, v any) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	raw, ok := m.values[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

func (m *memory) Set(_ context.Context, puts []component.Put) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	for _, p := range puts {
		m.values[p.Key], _ = json.Marshal(p.Value)
	}
	return nil
}

func (m *memory) Lock(ctx context.Context) (func(), error) {
	select {
	case m.turn <- struct{}{}:
		return func() { <-m.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fails = err
}

func config(change func(*Config)) *Config {
	c := &Config{TokenURL: "https://id.example.com/token", ClientID: "syncd", ClientSecret: component.NewSecret("client secret")}
	c.SetDefaults()
	if change != nil {
		change(c)
	}
	return c
}

func rotating(c *Config) {
	c.Grant, c.RefreshToken = refreshToken, component.NewSecret("refresh-0")
}

func source(t *testing.T, c *Config, i *issuer, store component.Store) *Source {
	t.Helper()
	s := New(Options{Config: c, Transport: i, Store: store, Learned: func(string) {}, Pause: func(h http.Header) time.Duration {
		d, _ := time.ParseDuration(h.Get("Retry-After"))
		return d
	}})
	t.Cleanup(s.Close)
	return s
}

func header(t *testing.T, s *Source, refused *Token) string {
	t.Helper()
	token, err := s.Token(t.Context(), refused)
	if err != nil {
		t.Fatal(err)
	}
	return token.Header
}

func TestRequests(t *testing.T) {
	secret := component.NewSecret
	tests := map[string]struct {
		change func(*Config)
		want   asked
	}{
		"client credentials": {
			func(c *Config) { c.ClientID, c.Scopes = "sync d", []string{"a", "b"} },
			asked{map[string]string{"grant_type": "client_credentials", "scope": "a b"}, "sync+d", "client+secret", "application/x-www-form-urlencoded"},
		},
		"JSON": {
			func(c *Config) {
				c.Encode, c.Params = "json", map[string]component.Secret{"audience": secret("https://api")}
			},
			asked{map[string]string{"grant_type": "client_credentials", "audience": "https://api", "client_id": "syncd", "client_secret": "client secret"}, "", "", "application/json"},
		},
		"refresh token": {
			rotating,
			asked{map[string]string{"grant_type": "refresh_token", "refresh_token": "refresh-0"}, "syncd", "client+secret", "application/x-www-form-urlencoded"},
		},
		"password of a public client": {
			func(c *Config) {
				c.Grant, c.User, c.Password, c.ClientSecret = password, "ana", secret("p&w"), component.Secret{}
			},
			asked{map[string]string{"grant_type": "password", "username": "ana", "password": "p&w", "client_id": "syncd"}, "", "", "application/x-www-form-urlencoded"},
		},
	}
	for name, tt := range tests {
		i := &issuer{answer: numbered}
		s := source(t, config(tt.change), i, newMemory())
		if got := header(t, s, nil); got != "Bearer token-1" {
			t.Errorf("%s: %s", name, got)
		}
		if diff := cmp.Diff([]asked{tt.want}, i.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A server that wants the client's credentials in the body is found out, once.
func TestClientInBody(t *testing.T) {
	i := &issuer{answer: func(n int, a asked) (int, string) {
		if a.Fields["client_secret"] == "" {
			return 401, `{"error":"invalid_client"}`
		}
		return numbered(n, a)
	}}
	s := source(t, config(nil), i, nil)
	first, err := s.Token(t.Context(), nil)
	if err != nil || first.Header != "Bearer token-2" {
		t.Fatal(first, err)
	}
	if got := header(t, s, first); got != "Bearer token-3" || i.count() != 3 {
		t.Errorf("%s after %d requests", got, i.count())
	}
	wrong := &issuer{answer: func(int, asked) (int, string) { return 401, `{"error":"invalid_client"}` }}
	if _, err := source(t, config(nil), wrong, nil).Token(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "check client_id and client_secret") || wrong.count() != 2 {
		t.Errorf("%v after %d requests", err, wrong.count())
	}
}

func TestTokenIsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: numbered}
		s := source(t, config(nil), i, nil)
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, "Bearer token-1"}, {44 * time.Second, "Bearer token-1"}, {time.Second, "Bearer token-2"}, {44 * time.Second, "Bearer token-2"}} {
			time.Sleep(step.after)
			if got := header(t, s, nil); got != step.want {
				t.Errorf("after %s more: %s, want %s", step.after, got, step.want)
			}
		}
	})
}

// Whatever number waits, and gives up, one request is made.
func TestOneRenewalForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: numbered, delay: 5 * time.Second}
		s := source(t, config(nil), i, nil)
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		given := make(chan error)
		go func() {
			_, err := s.Token(hasty, nil)
			given <- err
		}()
		var wg sync.WaitGroup
		tokens := make([]*Token, 200)
		for n := range tokens {
			wg.Go(func() {
				time.Sleep(time.Duration(n) * time.Millisecond)
				tokens[n], _ = s.Token(t.Context(), nil)
			})
		}
		if err := <-given; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who waited a second: %v", err)
		}
		wg.Wait()
		for n, got := range tokens {
			if got == nil || got != tokens[0] {
				t.Errorf("%d got %v", n, got)
			}
		}
		if i.count() != 1 {
			t.Errorf("%d requests", i.count())
		}
		// All find it refused: again one.
		for range 200 {
			wg.Go(func() { s.Token(t.Context(), tokens[0]) })
		}
		wg.Wait()
		if i.count() != 2 {
			t.Errorf("%d requests after a 401", i.count())
		}
	})
}

// A server that refuses whatever it is shown does not make us hammer its issuer.
func TestHopelessTokenIsNotRenewedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: func(n int, _ asked) (int, string) { return 200, fmt.Sprintf(`{"access_token":"token-%d"}`, n) }}
		s := source(t, config(nil), i, nil)
		token, _ := s.Token(t.Context(), nil)
		for range 100 {
			token, _ = s.Token(t.Context(), token)
			time.Sleep(100 * time.Millisecond)
		}
		if i.count() != 2 {
			t.Errorf("%d requests in ten seconds", i.count())
		}
		time.Sleep(stubborn)
		if token, _ = s.Token(t.Context(), token); i.count() != 3 {
			t.Errorf("%d requests after a minute more", i.count())
		}
		token.Taken()
		if s.Token(t.Context(), token); i.count() != 4 {
			t.Errorf("a token that was good once, and is refused: %d requests", i.count())
		}
	})
}

func TestIssuerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		i := &issuer{answer: func(n int, a asked) (int, string) {
			if down {
				return 0, ""
			}
			return numbered(n, a)
		}}
		s := source(t, config(nil), i, nil)
		began, waits := time.Now(), []time.Duration{}
		for time.Since(began) < 5*time.Minute {
			before := i.count()
			_, err := s.Token(t.Context(), nil)
			if err == nil || !strings.Contains(err.Error(), "get a token from https://id.example.com/token: connection refused") {
				t.Fatal(err)
			}
			if i.count() > before {
				waits = append(waits, component.Wait(err))
			} else if !strings.Contains(err.Error(), "it is asked again in ") || component.Wait(err) == 0 {
				t.Error(err)
			}
			time.Sleep(500 * time.Millisecond)
		}
		if diff := cmp.Diff([]time.Duration{1e9, 2e9, 4e9, 8e9, 16e9, 32e9, 60e9, 60e9, 60e9, 60e9}, waits); diff != "" {
			t.Error(diff)
		}
		down = false
		time.Sleep(time.Minute)
		if got := header(t, s, nil); got != "Bearer token-11" {
			t.Error(got)
		}
	})
}

func TestIssuerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: numbered, delay: time.Hour}
		s := source(t, config(nil), i, nil)
		began := time.Now()
		if _, err := s.Token(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "no answer within 30s") || time.Since(began) != timeout {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		time.Sleep(time.Minute)
		go s.Token(t.Context(), nil)
		synctest.Wait()
		s.Close() // ends the renewal that is under way
	})
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		want   string
		wait   time.Duration
	}{
		{400, `{"error":"invalid_grant","error_description":"gone"}`, "answered 400 Bad Request: invalid_grant: gone (the refresh token has expired, was revoked or was used elsewhere: put a new one into refresh_token)", time.Second},
		{200, `{"error":"bad_verification_code"}`, "answered 200 OK: bad_verification_code", time.Second},
		{503, "<html>\n  down " + strings.Repeat("x", 300), "answered 503 Service Unavailable: <html> down xxx", 90 * time.Second},
		{302, "", "token_url must be the endpoint itself", time.Second},
		{200, "<html>", "not the JSON of a token; is token_url right?", time.Second},
		{200, "{}", "no access_token that could be sent", time.Second},
		{200, `{"access_token":"a\r\nX-Evil: 1"}`, "no access_token that could be sent", time.Second},
		{200, `{"access_token":"` + strings.Repeat("x", longestToken+1) + `"}`, "no access_token that could be sent", time.Second},
		{200, `{"access_token":"a","token_type":"b c"}`, "no access_token that could be sent", time.Second},
	} {
		i := &issuer{answer: func(int, asked) (int, string) { return tt.status, tt.body }}
		if tt.wait > time.Second {
			i.header = http.Header{"Retry-After": {tt.wait.String()}}
		}
		_, err := source(t, config(func(c *Config) { rotating(c); c.Encode = "json" }), i, newMemory()).Token(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), "https://id.example.com/token: ") || !strings.Contains(err.Error(), tt.want) || component.Wait(err) != tt.wait {
			t.Errorf("%d %.40s: wait %s: %v", tt.status, tt.body, component.Wait(err), err)
		}
	}
}

func TestExpiry(t *testing.T) {
	began := time.Now()
	for text, want := range map[string]time.Duration{
		`60`: 45 * time.Second, `"3600"`: time.Hour - 30*time.Second, `0`: 0, `-5`: 0, `"soon"`: 0, `null`: 0, `1e99`: longestLife*time.Second - 30*time.Second,
	} {
		a, err := parse([]byte(`{"access_token":"t","expires_in":`+text+`}`), began)
		if err != nil {
			t.Fatal(err)
		}
		var got time.Duration
		if !a.token.renewAt.IsZero() {
			got = a.token.renewAt.Sub(began)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
