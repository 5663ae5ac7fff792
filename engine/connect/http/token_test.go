package http

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/http/oauth2"
	"github.com/syncd/syncd/engine/npmtest"
)

func oauth(tokenURL string, change func(*oauth2.Config)) Auth {
	c := &oauth2.Config{TokenURL: tokenURL, ClientID: "syncd", ClientSecret: component.NewSecret("client-secret")}
	c.SetDefaults()
	if change != nil {
		change(c)
	}
	return Auth{OAuth2: c}
}

// vendor is an API with an issuer of tokens beside it: /token gives token-1, token-2 …,
// everything else is answered to the tokens that accepts names.
type vendor struct {
	*httptest.Server
	issued, asked atomic.Int32
	down          atomic.Bool
	accepts       func(token string) bool
}

func newVendor(t *testing.T, accepts func(string) bool) *vendor {
	v := &vendor{accepts: accepts}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case r.URL.Path == "/token" && v.down.Load():
		w.WriteHeader(nethttp.StatusBadGateway)
		io.WriteString(w, "cannot read "+r.Header.Get("Authorization"))
	case r.URL.Path == "/token":
		fmt.Fprintf(w, `{"access_token":"token-%d"}`, v.issued.Add(1))
	case !v.accepts(token):
		v.asked.Add(1)
		w.WriteHeader(nethttp.StatusUnauthorized)
		io.WriteString(w, "not good: "+token)
	default:
		v.asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", token, body)
	}
}

func (v *vendor) client(t *testing.T, change func(*Config)) *Client {
	cfg := &Config{BaseURL: v.URL, Auth: oauth(v.URL+"/token", nil), Concurrency: 1}
	if change != nil {
		change(cfg)
	}
	return client(t, cfg)
}

func post(c *Client, path string) *Request {
	return &Request{Method: "POST", Path: path, Header: c.Header(), Body: []byte("body")}
}

// One connection is all there is: asking for a token does not wait for itself.
func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	v := newVendor(t, func(token string) bool { return token != "token-1" })
	c := v.client(t, nil)
	for range 3 {
		resp, err := c.Do(context.Background(), post(c, "/orders"), 100)
		if err != nil || resp.Status != 200 || string(resp.Body) != "token-2 body" {
			t.Fatalf("%+v, %v", resp, err)
		}
	}
	s, err := c.Stream(context.Background(), post(c, "/orders"), 100)
	if err != nil || s.Status != 200 {
		t.Fatal(err)
	}
	s.Body.Close()
	if v.issued.Load() != 2 || v.asked.Load() != 5 {
		t.Errorf("%d tokens, %d requests", v.issued.Load(), v.asked.Load())
	}
}

// Who refuses every token gets each request twice at first, then once, and its answer
// is told as it is.
func TestEveryTokenIsRefused(t *testing.T) {
	v := newVendor(t, func(string) bool { return false })
	c := v.client(t, nil)
	for range 10 {
		resp, err := c.Do(context.Background(), get(c, "/orders"), 100)
		if err != nil || resp.Status != 401 || string(resp.Body) != "not good: token-2" {
			t.Fatalf("%+v, %v", resp, err)
		}
		if got := c.Scrubber(nil).Scrub(string(resp.Body)); got != "not good: (sensitive)" {
			t.Error(got)
		}
	}
	if v.issued.Load() != 2 || v.asked.Load() != 11 {
		t.Errorf("%d tokens, %d requests", v.issued.Load(), v.asked.Load())
	}
}

func TestManyShareARenewal(t *testing.T) {
	v := newVendor(t, func(token string) bool { return token != "token-1" })
	c := v.client(t, func(cfg *Config) { cfg.Concurrency = 0 })
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if resp, err := c.Do(context.Background(), get(c, "/orders"), 100); err != nil || resp.Status != 200 {
				t.Errorf("%+v, %v", resp, err)
			}
		})
	}
	wg.Wait()
	if v.issued.Load() != 2 {
		t.Errorf("%d tokens", v.issued.Load())
	}
}

// An issuer that is down makes the connection unwell: no delivery dies of it.
func TestIssuerIsDown(t *testing.T) {
	v := newVendor(t, func(string) bool { return true })
	v.down.Store(true)
	c := v.client(t, nil)
	_, err := c.Do(context.Background(), get(c, "/orders"), 100)
	if !component.IsUnwell(err) || component.IsPermanent(err) || component.Wait(err) != time.Second {
		t.Errorf("wait %s: %v", component.Wait(err), err)
	}
	for _, part := range []string{"get a token from " + v.URL + "/token: answered 502 Bad Gateway: cannot read Basic (sensitive)"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v lacks %s", err, part)
		}
	}
	if _, err := c.Stream(context.Background(), get(c, "/orders"), 100); !component.IsUnwell(err) || v.asked.Load() != 0 {
		t.Errorf("%d requests: %v", v.asked.Load(), err)
	}
	if err := c.Await(context.Background()); err != nil { // all slots are free
		t.Error(err)
	}
	c.Done()
}

// A token goes to base_url's server alone.
func TestTokenStaysAtHome(t *testing.T) {
	var stranger seen
	other := recorder(t, &stranger)
	v := newVendor(t, func(string) bool { return true })
	c := v.client(t, func(cfg *Config) { cfg.AllowHosts = []string{strings.TrimPrefix(other.URL, "http://")} })
	if _, err := c.Do(context.Background(), &Request{Method: "GET", URL: other.URL + "/x", Header: c.Header()}, 0); err != nil || stranger.Authorization != "" {
		t.Errorf("%q, %v", stranger.Authorization, err)
	}
	if resp, err := c.Do(context.Background(), &Request{Method: "GET", URL: v.URL + "/x", Header: c.Header()}, 100); err != nil || string(resp.Body) != "token-1 " {
		t.Errorf("%+v, %v", resp, err)
	}
}

func TestWaitingForATokenEnds(t *testing.T) {
	stop := make(chan struct{})
	hangs := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { <-stop }))
	defer hangs.Close()
	defer close(stop)
	c := client(t, &Config{BaseURL: hangs.URL, Auth: oauth(hangs.URL, nil)})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Do(ctx, get(c, "/"), 0); !component.IsUnwell(err) || !strings.Contains(err.Error(), "wait for a token") {
		t.Error(err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Do(gone, get(c, "/"), 0); component.IsUnwell(err) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// By way of the connection's own TLS settings.
func TestTokenOverTLS(t *testing.T) {
	v := &vendor{accepts: func(string) bool { return true }}
	v.Server = httptest.NewTLSServer(v)
	defer v.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: v.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := v.client(t, func(cfg *Config) { cfg.TLS = &TLS{CA: ca} })
	if resp, err := c.Do(context.Background(), get(c, "/"), 100); err != nil || string(resp.Body) != "token-1 " {
		t.Errorf("%+v, %v", resp, err)
	}
}

// oauth2-mock-server is not ours: what it answers is how others read the RFC.
func TestMockServer(t *testing.T) {
	issuer := npmtest.Start(t, regexp.MustCompile(`listening on (http://\S+)`), "oauth2-mock-server", "-a", "127.0.0.1", "-p", "0")[1]
	var got atomic.Value
	api := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) { got.Store(r.Header.Get("Authorization")) }))
	defer api.Close()
	jwt := regexp.MustCompile(`^Bearer [\w-]+\.[\w-]+\.[\w-]+$`)
	for name, change := range map[string]func(*oauth2.Config){
		"client_credentials":        nil,
		"client_credentials, JSON":  func(c *oauth2.Config) { c.Encode, c.Scopes = "json", []string{"orders"} },
		"client_credentials, scope": func(c *oauth2.Config) { c.Scopes = []string{"orders", "customers"} },
		"password":                  func(c *oauth2.Config) { c.Grant, c.User, c.Password = "password", "ana", component.NewSecret("pw") },
		"refresh_token": func(c *oauth2.Config) {
			c.Grant, c.RefreshToken = "refresh_token", component.NewSecret("first")
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := &kept{}
			c, err := open(component.Env{Store: store}, &Config{BaseURL: api.URL, Auth: oauth(issuer+"/token", change)})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Do(context.Background(), get(c, "/"), 0); err != nil {
				t.Fatal(err)
			}
			if header, _ := got.Load().(string); !jwt.MatchString(header) {
				t.Errorf("%q", header)
			}
			if (name == "refresh_token") != (len(store.puts) == 1) {
				t.Errorf("%d tokens are kept", len(store.puts))
			}
		})
	}
}

// kept is a component.Store that only takes.
type kept struct{ puts []component.Put }

func (k *kept) Get(context.Context, string, any) (bool, error) { return false, nil }
func (k *kept) Set(_ context.Context, puts []component.Put) error {
	k.puts = append(k.puts, puts...)
	return nil
}
func (k *kept) Lock(context.Context) (func(), error) { return func() {}, nil }
