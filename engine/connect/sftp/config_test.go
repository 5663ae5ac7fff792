package sftp

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
	"golang.org/x/crypto/ssh"
)

func TestValidate(t *testing.T) {
	key := sshdtest.NewKey(t)
	text, locked := sshdtest.PEM(t, key), sshdtest.EncryptedPEM(t, key, "hunter2")
	cert := sshdtest.Certify(t, key, key, ssh.UserCert, "acme")
	tests := []struct {
		name   string
		change func(*Config)
		want   []string // attribute: part of the message
	}{
		{"password", func(*Config) {}, nil},
		{"key", func(c *Config) { c.PrivateKey = secret(text) }, nil},
		{"key with a passphrase", func(c *Config) { c.PrivateKey, c.Passphrase = secret(locked), secret("hunter2") }, nil},
		{"a passphrase that is not needed", func(c *Config) { c.PrivateKey, c.Passphrase = secret(text), secret("hunter2") }, nil},
		{"certificate", func(c *Config) { c.PrivateKey, c.Certificate = secret(text), cert }, nil},
		{"what validate does not know", func(c *Config) { c.PrivateKey, c.HostKey = secret("placeholder"), "placeholder" }, nil},
		{"URL", func(c *Config) { c.Host = "sftp://partner.example" }, []string{"host: Write the name"}},
		{"port in the host", func(c *Config) { c.Host = "partner.example:2222" }, []string{`host: Write host = "partner.example" and port = 2222`}},
		{"no way in", func(c *Config) { c.Password = component.Secret{} }, []string{": Give private_key"}},
		{"locked", func(c *Config) { c.PrivateKey = secret(locked) }, []string{"private_key: Add its passphrase"}},
		{"wrong passphrase", func(c *Config) { c.PrivateKey, c.Passphrase = secret(locked), secret("x") }, []string{"private_key: "}},
		{"path", func(c *Config) { c.PrivateKey = secret("/etc/syncd/key") }, []string{"private_key: private_key takes the key itself"}},
		{"public key", func(c *Config) { c.PrivateKey = secret(sshdtest.Public(t, key)) }, []string{"private_key: The private key is in the file without .pub"}},
		{"no key", func(c *Config) { c.PrivateKey = secret("hello\nworld\n") }, []string{"private_key: "}},
		{"certificate of another key", func(c *Config) { c.PrivateKey, c.Certificate = secret(sshdtest.PEM(t, sshdtest.NewKey(t))), cert }, []string{"certificate: certificate belongs to the key SHA256:"}},
		{"certificate of a host", func(c *Config) {
			c.PrivateKey, c.Certificate = secret(text), sshdtest.Certify(t, key, key, ssh.HostCert, "x")
		}, []string{"certificate: certificate is one of a host"}},
		{"public key as certificate", func(c *Config) { c.PrivateKey, c.Certificate = secret(text), sshdtest.Public(t, key) }, []string{"certificate: certificate is a plain public key"}},
		{"certificate alone", func(c *Config) { c.Certificate = cert }, []string{": certificate and passphrase belong"}},
		{"nothing known", func(c *Config) { c.HostKey = "" }, []string{`: Without known_hosts or host_key, anybody could pose as the server. Run "ssh-keyscan -p 22 sftp.partner.example"`}},
		{"both", func(c *Config) { c.KnownHosts = "/etc/known_hosts" }, []string{"host_key: Give known_hosts or host_key"}},
		{"fingerprint", func(c *Config) { c.HostKey = "SHA256:abc" }, []string{"host_key: host_key takes the key itself"}},
		{"line of known_hosts", func(c *Config) { c.HostKey = sshdtest.KnownHostsLine("a", 22, public(t, key)) }, nil},
		{"half a key", func(c *Config) { c.HostKey = "ssh-ed25519 AAAA" }, []string{"host_key: it is written as"}},
		{"two keys", func(c *Config) { c.HostKey += c.HostKey }, []string{"host_key: it is one key"}},
	}
	for _, tt := range tests {
		c := newConfig()
		c.Host, c.User, c.Password, c.HostKey = "sftp.partner.example", "acme", secret("x"), sshdtest.Public(t, key)
		tt.change(c)
		var p component.Problems
		c.Validate(&p)
		var got []string
		for i, problem := range p.List {
			line := problem.Attr + ": " + problem.Detail
			if i < len(tt.want) && strings.HasPrefix(line, tt.want[i]) {
				line = tt.want[i]
			}
			if got = append(got, line); strings.Contains(line, "hunter2") {
				t.Errorf("%s: a secret shows: %s", tt.name, line)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func public(t *testing.T, key any) ssh.PublicKey {
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s.PublicKey()
}

// TestKnownHostsIsRead: what is wrong with the file shows at load.
func TestKnownHostsIsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known_hosts")
	cfg := Config{Host: "sftp.partner.example", Port: 22, User: "acme", Password: secret("x"), KnownHosts: file}
	if _, err := tryConnect(t, cfg); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a missing file: %v", err)
	}
	write(t, file, "# fine\nsftp.partner.example ssh-ed25519 broken\n")
	if _, err := tryConnect(t, cfg); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a broken file: %v", err)
	}
	write(t, file, "")
	if _, err := tryConnect(t, cfg); err != nil {
		t.Errorf("an empty file, to which lines may yet be added: %v", err)
	}
}

// FuzzHostKey: whatever stands in the files, it is read or refused.
func FuzzHostKey(f *testing.F) {
	key := sshdtest.NewKey(f)
	f.Add(sshdtest.Public(f, key), "[127.0.0.1]:22 "+sshdtest.Public(f, key))
	f.Add("ssh-rsa AAAA", "@cert-authority *.example.com,!a ssh-ed25519 AAAA\n@revoked * x y\n|1|a|b ssh-rsa c")
	f.Fuzz(func(t *testing.T, hostKey, known string) {
		c := &Client{cfg: &Config{HostKey: hostKey}, address: "a.example.com:22"}
		if keys, err := c.hostKeys(); hostKey != "" && err == nil && len(keys.algorithms) == 0 {
			t.Error("nothing can be shown")
		}
		file := filepath.Join(t.TempDir(), "known_hosts")
		write(t, file, known)
		c.cfg = &Config{KnownHosts: file}
		if keys, err := c.hostKeys(); err == nil && keys.check("", nil, noKey{}) == nil {
			t.Error("a key that nobody has is trusted")
		}
	})
}
