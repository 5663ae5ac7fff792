package sftp

import (
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// connect makes a client of cfg, with defaults for what it leaves out.
func connect(t testing.TB, cfg Config) *Client {
	t.Helper()
	c, err := tryConnect(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryConnect(t testing.TB, cfg Config) (*Client, error) {
	t.Helper()
	def := newConfig()
	if cfg.Timeout == 0 {
		cfg.Timeout = def.Timeout
	}
	if cfg.Keepalive == 0 {
		cfg.Keepalive = def.Keepalive
	}
	c, err := open(component.Env{Address: "connection.sftp.test", Log: quiet}, &cfg)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, nil
}

// to is the configuration of a client that s lets in.
func to(s *sshdtest.Server) Config {
	return Config{Host: s.Host, Port: s.Port, User: s.User, PrivateKey: component.NewSecret(s.Key), KnownHosts: s.KnownHosts}
}

// through is the same by way of a proxy.
func through(p *sshdtest.Proxy, s *sshdtest.Server) Config {
	cfg := to(s)
	cfg.Host, cfg.Port, cfg.KnownHosts, cfg.HostKey = p.Host, p.Port, "", publicText(s.HostKey.PublicKey())
	return cfg
}

func publicText(key ssh.PublicKey) string { return string(ssh.MarshalAuthorizedKey(key)) }

func within(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %s: %s", d, what)
		}
	}
}

// fast is a directory in memory, if there is one.
func fast(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "syncd") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
