package mail_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/http/oauth2"
	"github.com/syncd/syncd/engine/connect/mail"
	"github.com/syncd/syncd/engine/connect/mail/dovecottest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is the store of a connection.
type memory struct {
	mu    sync.Mutex
	lock  sync.Mutex
	state map[string]string
}

func (m *memory) Get(_ context.Context, key string, v any) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	raw, ok := m.state[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal([]byte(raw), v)
}

func (m *memory) Set(_ context.Context, puts []component.Put) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range puts {
		raw, err := json.Marshal(p.Value)
		if err != nil {
			return err
		}
		m.state[p.Key] = string(raw)
	}
	return nil
}

func (m *memory) Lock(context.Context) (func(), error) {
	m.lock.Lock()
	return m.lock.Unlock, nil
}

func box(t *testing.T, store component.Store, change func(*mail.BoxConfig)) *mail.Box {
	t.Helper()
	c := mail.IMAP.NewConfig().(*mail.BoxConfig)
	c.Host, c.User, c.Password, c.Timeout = "127.0.0.1", dovecottest.User, component.NewSecret(dovecottest.Password), 5*time.Second
	change(c)
	var p component.Problems
	if c.Validate(&p); len(p.List) > 0 {
		t.Fatalf("%+v", p.List)
	}
	opened, err := mail.IMAP.Open(component.Env{Address: "connection.imap.mail", Store: store, Now: time.Now}, c)
	if err != nil {
		t.Fatal(err)
	}
	b := opened.(*mail.Box)
	t.Cleanup(func() { b.Close() })
	return b
}

func TestWaysIn(t *testing.T) {
	d := dovecottest.Start(t, dovecottest.Options{})
	for name, c := range map[string]struct {
		change func(*mail.BoxConfig)
		fault  string // a part of it; "": none
	}{
		"tls":             {func(c *mail.BoxConfig) { c.Port, c.CA = d.TLSPort, d.CA }, ""},
		"starttls":        {func(c *mail.BoxConfig) { c.Port, c.CA, c.TLS = d.Port, d.CA, "starttls" }, ""},
		"none":            {func(c *mail.BoxConfig) { c.Port, c.TLS = d.Port, "none" }, ""},
		"unknown CA":      {func(c *mail.BoxConfig) { c.Port = d.TLSPort }, "certificate signed by unknown authority"},
		"unknown CA 2":    {func(c *mail.BoxConfig) { c.Port, c.TLS = d.Port, "starttls" }, "certificate signed by unknown authority"},
		"other name":      {func(c *mail.BoxConfig) { c.Host, c.Port, c.CA = "localhost", d.TLSPort, d.CA }, "wanted to match localhost"},
		"no TLS there":    {func(c *mail.BoxConfig) { c.Port, c.CA = d.Port, d.CA }, `is it tls = "starttls"?`},
		"TLS at once":     {func(c *mail.BoxConfig) { c.Port, c.TLS, c.Timeout = d.TLSPort, "starttls", time.Second }, "127.0.0.1"},
		"wrong password":  {func(c *mail.BoxConfig) { c.Port, c.TLS, c.Password = d.Port, "none", component.NewSecret("guessed") }, `the server refuses "orders@example.com": [AUTHENTICATIONFAILED] Authentication failed. (check user and password)`},
		"nobody there":    {func(c *mail.BoxConfig) { c.Port, c.TLS = 1, "none" }, "connection refused"},
		"no such machine": {func(c *mail.BoxConfig) { c.Host = "nowhere.invalid" }, "nowhere.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			err := box(t, nil, c.change).Check(t.Context())
			if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("%v, want %q", err, c.fault)
			}
			if mail.IsLogin(err) != (name == "wrong password") {
				t.Errorf("a login: %v, of %v", mail.IsLogin(err), err)
			}
			if err != nil && strings.Contains(err.Error(), "guessed") {
				t.Errorf("tells the password: %v", err)
			}
		})
	}
}

// issuer gives out tokens, each good once, and knows which are good.
type issuer struct {
	mu      sync.Mutex
	issued  int
	good    string // access token
	refresh string
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/introspect" {
		fmt.Fprintf(w, `{"active": "%v", "username": %q}`, r.FormValue("token") == i.good, dovecottest.User)
		return
	}
	if got := r.FormValue("refresh_token"); got != i.refresh {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error": "invalid_grant"}`)
		return
	}
	i.issued++
	i.good, i.refresh = fmt.Sprintf("access-token-%d", i.issued), fmt.Sprintf("refresh-token-%d", i.issued)
	fmt.Fprintf(w, `{"access_token": %q, "refresh_token": %q, "token_type": "Bearer", "expires_in": 3600}`, i.good, i.refresh)
}

func (i *issuer) revoke() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.good = "none"
}

// A token that is not taken any more is renewed, and the refresh token that came with
// the last one is used by the connection after it.
func TestXOAUTH2(t *testing.T) {
	i := &issuer{refresh: "refresh-token-0"}
	s := httptest.NewServer(i)
	defer s.Close()
	defer http.DefaultClient.CloseIdleConnections()
	d := dovecottest.Start(t, dovecottest.Options{Introspect: s.URL + "/introspect"})
	store := &memory{state: map[string]string{}}
	token := func(c *mail.BoxConfig) {
		c.Port, c.CA, c.Password = d.TLSPort, d.CA, component.Secret{}
		o := &oauth2.Config{}
		o.SetDefaults()
		o.Grant, o.TokenURL, o.ClientID, o.RefreshToken = "refresh_token", s.URL+"/token", "syncd", component.NewSecret("refresh-token-0")
		c.Auth.OAuth2 = o
	}
	b := box(t, store, token)
	for range 2 {
		if err := b.Check(t.Context()); err != nil {
			t.Fatalf("%v\n%s", err, d.Log())
		}
	}
	i.revoke()
	if err := b.Check(t.Context()); err != nil {
		t.Fatalf("after the token was revoked: %v", err)
	}
	if i.issued != 2 {
		t.Errorf("%d tokens were issued, want 2", i.issued)
	}
	after := box(t, store, token)
	if err := after.Check(t.Context()); err != nil || i.issued != 3 {
		t.Fatalf("a connection after it: %v, %d tokens", err, i.issued)
	}
	if strings.Contains(fmt.Sprint(store.state), "refresh-token") {
		t.Errorf("the refresh token lies there: %v", store.state)
	}
	i.revoke()
	i.refresh = "none"
	err := after.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "check user, and what the token allows") || strings.Contains(err.Error(), "access-token") {
		t.Errorf("revoked for good: %v", err)
	}
}

func TestConcurrency(t *testing.T) {
	d := dovecottest.Start(t, dovecottest.Options{})
	b := box(t, nil, func(c *mail.BoxConfig) { c.Port, c.TLS, c.Concurrency, c.Timeout = d.Port, "none", 1, time.Second })
	s, err := b.Open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "raise concurrency") {
		t.Errorf("a second connection: %v", err)
	}
	s.Close()
	if err := b.Check(t.Context()); err != nil {
		t.Errorf("after the first: %v", err)
	}
}
