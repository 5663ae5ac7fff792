package sftp

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
	"golang.org/x/crypto/ssh"
)

// wantIn: the client can list the root.
func wantIn(t *testing.T, c *Client) {
	t.Helper()
	if _, err := c.ReadDir(t.Context(), "/"); err != nil {
		t.Error(err)
	}
	if err := c.Check(t.Context()); err != nil {
		t.Errorf("check: %v", err)
	}
}

// wantRefused: the client gets nowhere, for a reason that passes for all its users.
func wantRefused(t *testing.T, c *Client, parts ...string) {
	t.Helper()
	for what, ask := range map[string]func() error{
		"list":  func() error { _, err := c.ReadDir(t.Context(), "/"); return err },
		"check": func() error { return c.Check(t.Context()) },
	} {
		err := ask()
		if !component.IsUnwell(err) {
			t.Errorf("%s: got %v, want what makes the place unwell", what, err)
			continue
		}
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q is not in: %v", what, part, err)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line: %v", what, err)
		}
	}
}

func secret(s string) component.Secret { return component.NewSecret(s) }

func TestPrivateKey(t *testing.T) {
	key := sshdtest.NewKey(t)
	s := sshdtest.Start(t)
	s.Authorize(t, key)
	cfg := to(s)
	cfg.PrivateKey, cfg.Passphrase = secret(sshdtest.EncryptedPEM(t, key, "hunter2")), secret("hunter2")
	wantIn(t, connect(t, cfg))
	cfg.PrivateKey = secret(strings.TrimSpace(sshdtest.PEM(t, key))) // as many stores of secrets give it
	wantIn(t, connect(t, cfg))
	cfg.PrivateKey = secret(sshdtest.PEM(t, sshdtest.NewKey(t)))
	wantRefused(t, connect(t, cfg), "does not let user", "in by private_key")
}

func TestUserCertificate(t *testing.T) {
	authority, key := sshdtest.NewKey(t), sshdtest.NewKey(t)
	file := filepath.Join(t.TempDir(), "ca.pub")
	write(t, file, sshdtest.Public(t, authority))
	s := sshdtest.Start(t, "TrustedUserCAKeys "+file)
	cfg := to(s)
	cfg.PrivateKey, cfg.Certificate = secret(sshdtest.PEM(t, key)), sshdtest.Certify(t, authority, key, ssh.UserCert, s.User)
	wantIn(t, connect(t, cfg))
	cfg.Certificate = sshdtest.Certify(t, authority, key, ssh.UserCert, "somebody else")
	wantRefused(t, connect(t, cfg), "in by certificate or private_key")
}

func TestHostCertificate(t *testing.T) {
	authority := sshdtest.NewKey(t)
	dir := t.TempDir()
	s := sshdtest.Start(t, "HostCertificate "+dir+"/host-cert.pub")
	write(t, dir+"/host-cert.pub", s.CertifyHost(t, authority, s.Host))
	cfg := to(s)
	cfg.KnownHosts = filepath.Join(dir, "known_hosts")
	write(t, cfg.KnownHosts, fmt.Sprintf("@cert-authority [127.0.*]:%d %s", s.Port, sshdtest.Public(t, authority)))
	wantIn(t, connect(t, cfg))
	write(t, cfg.KnownHosts, fmt.Sprintf("@cert-authority [127.0.*]:%d %s", s.Port, sshdtest.Public(t, sshdtest.NewKey(t))))
	wantRefused(t, connect(t, cfg), "host certificate", "does not convince")
	write(t, cfg.KnownHosts, fmt.Sprintf("@cert-authority *.example.com %s%s", sshdtest.Public(t, authority), sshdtest.KnownHostsLine(s.Host, s.Port, s.HostKey.PublicKey())))
	wantIn(t, connect(t, cfg)) // by its plain key
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// passwords lets in who knows the password, by one way or the other.
func passwords(interactive bool) *ssh.ServerConfig {
	right := func(password string) (*ssh.Permissions, error) {
		if password != "hunter2" {
			return nil, errors.New("no")
		}
		return nil, nil
	}
	if !interactive {
		return &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) { return right(string(p)) }}
	}
	return &ssh.ServerConfig{KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		answers, err := ask("", "Welcome", []string{"User: ", "Password: "}, []bool{true, false})
		if err != nil || len(answers) != 2 || answers[0] != "acme" {
			return nil, fmt.Errorf("answers %q, %w", answers, err)
		}
		if _, err := ask("", "nothing to ask", nil, nil); err != nil {
			return nil, err
		}
		return right(answers[1])
	}}
}

func TestPassword(t *testing.T) {
	for name, interactive := range map[string]bool{"password": false, "keyboard-interactive": true} {
		t.Run(name, func(t *testing.T) {
			s := sshdtest.Serve(t, passwords(interactive))
			cfg := Config{Host: s.Host, Port: s.Port, User: "acme", Password: secret("hunter2"), HostKey: publicText(s.HostKey)}
			wantIn(t, connect(t, cfg))
			cfg.Password = secret("wrong-and-never-shown")
			c := connect(t, cfg)
			wantRefused(t, c, "in by password")
			if _, err := c.ReadDir(t.Context(), "/"); strings.Contains(err.Error(), "never-shown") {
				t.Errorf("the password shows: %v", err)
			}
		})
	}
}

// TestKeyAndPassword: a server that wants both.
func TestKeyAndPassword(t *testing.T) {
	key := sshdtest.NewKey(t)
	s := sshdtest.Serve(t, &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if publicText(k) != sshdtest.Public(t, key) {
			return nil, errors.New("no")
		}
		return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{KeyboardInteractiveCallback: passwords(true).KeyboardInteractiveCallback}}
	}})
	cfg := Config{Host: s.Host, Port: s.Port, User: "acme", PrivateKey: secret(sshdtest.PEM(t, key)), HostKey: publicText(s.HostKey)}
	wantRefused(t, connect(t, cfg))
	cfg.Password = secret("hunter2")
	wantIn(t, connect(t, cfg))
}

func TestChangedHostKey(t *testing.T) {
	s := sshdtest.Start(t)
	old := s.HostKey.PublicKey()
	s.SetHostKey(t, sshdtest.NewKey(t))
	now := s.HostKey.PublicKey()
	c := connect(t, to(s))
	wantRefused(t, c, "has changed", ssh.FingerprintSHA256(old), ssh.FingerprintSHA256(now), s.KnownHosts+" line 1", strings.TrimSpace(publicText(now)))

	cfg := to(s)
	cfg.KnownHosts, cfg.HostKey = "", publicText(old)
	wantRefused(t, connect(t, cfg), "has changed", ssh.FingerprintSHA256(old), ssh.FingerprintSHA256(now), "host_key is")
	cfg.HostKey = publicText(now)
	wantIn(t, connect(t, cfg))
}

// TestUnknownHost: the message has the line to add, and once it is added the host is known.
func TestUnknownHost(t *testing.T) {
	s := sshdtest.Start(t)
	cfg := to(s)
	cfg.KnownHosts = filepath.Join(t.TempDir(), "known_hosts")
	write(t, cfg.KnownHosts, "# nobody yet\n"+sshdtest.KnownHostsLine("other.example", 22, s.HostKey.PublicKey()))
	c := connect(t, cfg)
	line := strings.TrimSpace(sshdtest.KnownHostsLine(s.Host, s.Port, s.HostKey.PublicKey()))
	wantRefused(t, c, "does not know", ssh.FingerprintSHA256(s.HostKey.PublicKey()), "add the line: "+line)
	_, err := c.ReadDir(t.Context(), "/")
	_, line, _ = strings.Cut(err.Error(), "add the line: ")
	write(t, cfg.KnownHosts, line)
	c.again = c.again.AddDate(-1, 0, 0)
	wantIn(t, c)
}

func TestRevokedHostKey(t *testing.T) {
	s := sshdtest.Start(t)
	cfg := to(s)
	cfg.KnownHosts = filepath.Join(t.TempDir(), "known_hosts")
	write(t, cfg.KnownHosts, "@revoked * "+publicText(s.HostKey.PublicKey())+sshdtest.KnownHostsLine(s.Host, s.Port, s.HostKey.PublicKey()))
	wantRefused(t, connect(t, cfg), "is revoked by "+cfg.KnownHosts+" line 1")
}

// TestKnownType: a server with keys of several types shows the one that is known.
func TestKnownType(t *testing.T) {
	dir := t.TempDir()
	rsa := sshdtest.NewRSAKey(t)
	write(t, dir+"/rsa", sshdtest.PEM(t, rsa))
	s := sshdtest.Start(t, "HostKey "+dir+"/rsa")
	for name, public := range map[string]string{"rsa": sshdtest.Public(t, rsa), "ed25519": publicText(s.HostKey.PublicKey())} {
		cfg := to(s)
		cfg.KnownHosts = filepath.Join(dir, name+"_known")
		write(t, cfg.KnownHosts, fmt.Sprintf("[%s]:%d %s", s.Host, s.Port, public))
		wantIn(t, connect(t, cfg))
		cfg.KnownHosts, cfg.HostKey = "", public
		wantIn(t, connect(t, cfg))
	}
}

// TestJump: the port is not reached directly, and the bastion may know hosts by names of its own.
func TestJump(t *testing.T) {
	bastion, s := sshdtest.Start(t), sshdtest.Start(t)
	env := component.Env{Log: quiet}
	by := connect(t, to(bastion))
	env.Connection = func(component.Ref) (any, error) { return by, nil }
	cfg := to(s)
	cfg.Jump, cfg.Timeout, cfg.Keepalive = component.Ref{Address: "connection.sftp.bastion"}, by.cfg.Timeout, by.cfg.Keepalive
	c, err := open(env, &cfg)
	if err != nil {
		t.Fatal(err)
	}
	wantIn(t, c)
	if by.now == nil || by.now.sftp != nil {
		t.Error("the bastion was not used, or asked for files")
	}
	bastion.Stop()
	within(t, wait, "the connection is still there", func() bool { return c.now.err() != nil })
	if _, err := c.ReadDir(t.Context(), "/"); err == nil || !strings.Contains(err.Error(), "by way of "+bastion.Address()) {
		t.Errorf("got %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
