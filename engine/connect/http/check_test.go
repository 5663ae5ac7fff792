package http

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// counted is a server that counts the requests it gets.
func counted(t *testing.T) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { n.Add(1) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	return s, &n
}

func checked(t *testing.T, cfg *Config) error {
	t.Helper()
	c, err := open(component.Env{}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.Check(t.Context())
}

// The peer is reached and gets no request.
func TestCheckReaches(t *testing.T) {
	plain, n := counted(t)
	plain.Start()
	if err := checked(t, &Config{BaseURL: plain.URL}); err != nil {
		t.Error(err)
	}
	secure, m := counted(t)
	secure.StartTLS()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := checked(t, &Config{BaseURL: secure.URL, TLS: &TLS{CA: ca}}); err != nil {
		t.Error(err)
	}
	plain.Close() // waits for requests that have begun
	secure.Close()
	if n.Load()+m.Load() != 0 {
		t.Errorf("%d requests reached the peers", n.Load()+m.Load())
	}
}

func TestCheckTellsWhyNot(t *testing.T) {
	secure, _ := counted(t)
	secure.StartTLS()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	proxy, asked := counted(t)
	proxy.Config.Handler = nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.Method == nethttp.MethodConnect {
			asked.Add(1)
		}
		w.WriteHeader(nethttp.StatusProxyAuthRequired)
	})
	proxy.Start()
	for _, tc := range []struct {
		cfg  Config
		want string
	}{
		{Config{BaseURL: "http://" + closed.Addr().String()}, "connection refused"},
		{Config{BaseURL: secure.URL}, "certificate"},
		{Config{BaseURL: "https://peer.example", Proxy: component.NewSecret(proxy.URL)}, "the proxy does not accept our credentials"},
	} {
		if err := checked(t, &tc.cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", tc.cfg.BaseURL, err, tc.want)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("the proxy was asked %d times", asked.Load())
	}
}

func TestCheckEndsInTime(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never shakes hands
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	c, err := open(component.Env{}, &Config{BaseURL: "https://" + mute.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Check(ctx); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("got %v", err)
	}
}
