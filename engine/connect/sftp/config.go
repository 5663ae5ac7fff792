package sftp

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"golang.org/x/crypto/ssh"
)

// Config is a connection "sftp" block.
type Config struct {
	Host        string           `hcl:"host,required" doc:"The server's name or IP address." example:"\"sftp.partner.example\""`
	Port        int              `hcl:"port" doc:"Its port." min:"1" max:"65535"`
	User        string           `hcl:"user,required" doc:"The name to log in with." example:"\"acme\""`
	Password    component.Secret `hcl:"password" doc:"The password; also the answer where the server asks for it by keyboard-interactive." example:"credential(\"partner_password\")"`
	PrivateKey  component.Secret `hcl:"private_key" doc:"Our private key, as ssh-keygen writes it: the text, not the path." example:"credential(\"partner_key\")"`
	Passphrase  component.Secret `hcl:"passphrase" doc:"What private_key is encrypted with." example:"credential(\"partner_passphrase\")"`
	Certificate string           `hcl:"certificate" doc:"The certificate that belongs to private_key, as in id_ed25519-cert.pub: the text, not the path." example:"file(\"partner-cert.pub\")"`
	KnownHosts  string           `hcl:"known_hosts" path:"file" doc:"A file of host keys, as OpenSSH has it (sshd(8)); hashed names, @cert-authority and @revoked included. This or host_key is required." example:"\"/etc/syncd/known_hosts\""`
	HostKey     string           `hcl:"host_key" doc:"The one host key that the server may show." example:"\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZZR9UgsvEjjPSlYlMg6F1Q3Vd5gyGwsp3Tr2mnW5Mb\""`
	Jump        component.Ref    `hcl:"jump" ref:"connection.sftp" doc:"A connection through whose server this one is reached, as by ssh -J." example:"connection.sftp.bastion"`
	Timeout     time.Duration    `hcl:"timeout" doc:"How long connecting may take, and how long the server may be silent while it owes an answer." min:"100ms"`
	Keepalive   time.Duration    `hcl:"keepalive" doc:"How often the server is asked whether it is still there." min:"100ms"`
}

func newConfig() *Config {
	return &Config{Port: 22, Timeout: 30 * time.Second, Keepalive: 30 * time.Second}
}

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	c.checkHost(p)
	switch {
	case !c.Password.IsSet() && !c.PrivateKey.IsSet():
		p.Error("", "no way to log in", "Give private_key, password, or both if the server wants both.")
	case c.PrivateKey.IsSet():
		c.checkKey(p)
	case c.Certificate != "" || c.Passphrase.IsSet():
		p.Error("", "private_key missing", "certificate and passphrase belong to a private_key.")
	}
	c.checkHostKey(p)
}

func (c *Config) checkHost(p *component.Problems) {
	host, port, err := net.SplitHostPort(c.Host)
	switch {
	case strings.Contains(c.Host, "://"), strings.ContainsAny(c.Host, "/@ \t\n"), c.Host == "":
		p.Error("host", "not a host", `Write the name or address alone, such as "sftp.partner.example"; user and port have attributes of their own, and paths belong into sources and sinks.`)
	case err == nil:
		p.Error("host", "the port has its own attribute", fmt.Sprintf("Write host = %q and port = %s.", host, port))
	}
	if strings.ContainsAny(c.User, "\x00\r\n") {
		p.Error("user", "line break in a name", "A user's name is a single line.")
	}
}

// placeholder is what a secret holds where it is not known, in syncd validate.
const placeholder = "placeholder"

func (c *Config) checkKey(p *component.Problems) {
	text := c.PrivateKey.Reveal()
	if text == placeholder || c.Passphrase.Reveal() == placeholder || c.Certificate == placeholder {
		return
	}
	_, err := c.signers()
	var missing *ssh.PassphraseMissingError
	switch {
	case err == nil:
	case errors.As(err, &missing):
		p.Error("private_key", "the key is encrypted", `Add its passphrase: passphrase = credential("…").`)
	case errors.Is(err, errCertificate):
		p.Error("certificate", "not a certificate for this key", err.Error()+".")
	case !strings.Contains(text, "\n") && strings.ContainsAny(text, "/.~"):
		p.Error("private_key", "this is a path, not a key", `private_key takes the key itself: credential("…") reads it from systemd's credentials, file("…") from a file.`)
	case strings.HasPrefix(text, "ssh-") || strings.HasPrefix(text, "ecdsa-"):
		p.Error("private_key", "this is a public key", "The private key is in the file without .pub.")
	case c.Passphrase.IsSet():
		p.Error("private_key", "the key cannot be read with this passphrase", err.Error()+".")
	default:
		p.Error("private_key", "not a private key", err.Error()+". It begins with -----BEGIN OPENSSH PRIVATE KEY----- or the like, and needs its line breaks.")
	}
}

func (c *Config) checkHostKey(p *component.Problems) {
	switch {
	case c.KnownHosts == "" && c.HostKey == "":
		p.Error("", "whose host key?", fmt.Sprintf(`Without known_hosts or host_key, anybody could pose as the server. Run "ssh-keyscan -p %d %s", have the partner confirm the fingerprint (ssh-keygen -lf), and put the line into a file for known_hosts, or its key into host_key.`, c.Port, c.Host))
	case c.KnownHosts != "" && c.HostKey != "":
		p.Error("host_key", "two sources of host keys", "Give known_hosts or host_key, not both.")
	case strings.HasPrefix(c.HostKey, "SHA256:"), strings.HasPrefix(c.HostKey, "MD5:"):
		p.Error("host_key", "this is a fingerprint", `host_key takes the key itself: "ssh-ed25519 AAAA…", as ssh-keyscan prints it.`)
	case c.HostKey != "" && c.HostKey != placeholder:
		if _, err := parseHostKey(c.HostKey); err != nil {
			p.Error("host_key", "not a host key", err.Error()+".")
		}
	}
}
