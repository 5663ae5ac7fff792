// Package dovecottest runs Dovecot for tests: on loopback, with mailboxes, certificate
// and users of its own, in a directory that goes with the test.
package dovecottest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
)

// The one user that there is.
const (
	User     = "orders@example.com"
	Password = "s3cret"
)

// Server is a running Dovecot.
type Server struct {
	Port    int    // in the clear, and STARTTLS
	TLSPort int    // TLS from the first byte
	CA      string // file with the certificate that it shows, for "127.0.0.1"
	Dir     string // mail of User is in mail/, a Maildir

	t     testing.TB
	conf  string
	cmd   *exec.Cmd
	ended chan struct{}
}

// Options say what the server can.
type Options struct {
	// Introspect is the URL of an OAuth2 server that knows which tokens are good (RFC
	// 7662); with one, tokens are taken beside passwords.
	Introspect string
	// Capability takes the place of what Dovecot says that it can; "" leaves it.
	Capability string
	// ReadOnly is a mailbox that User may read and put mails into, and nothing else.
	ReadOnly string
}

const binary = "/usr/sbin/dovecot"

// Start runs a server until the test ends. Without Dovecot the test is skipped.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if _, err := os.Stat(binary); err != nil {
		t.Skip("there is no Dovecot here: install dovecot-imapd")
	}
	s := &Server{t: t, Dir: directory(t)}
	s.certificate()
	for attempt := 0; ; attempt++ {
		s.Port, s.TLSPort = freePort(t), freePort(t)
		s.configure(o)
		if s.launch() {
			break
		}
		if attempt == 3 {
			log, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
			t.Fatalf("Dovecot does not start:\n%s", log)
		}
	}
	t.Cleanup(s.Stop)
	return s
}

// directory is one that whoever Dovecot runs as can reach, with a path that is short
// enough for sockets.
func directory(t testing.TB) string {
	dir, err := os.MkdirTemp("", "dovecot") //nolint:usetesting // the paths of its sockets must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, d := range []string{dir, filepath.Join(dir, "run"), filepath.Join(dir, "state"), filepath.Join(dir, "mail")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// who owns mail, and who runs what takes logins: Dovecot gives mail to nobody who is root.
func (s *Server) who() (mail *user.User, login string) {
	me, err := user.Current()
	if err != nil {
		s.t.Fatal(err)
	}
	if me.Uid != "0" {
		return me, me.Username
	}
	mail, err = user.Lookup("dovecot")
	if err != nil {
		s.t.Skip("there is no user dovecot here: install dovecot-imapd")
	}
	return mail, "dovenull"
}

func (s *Server) configure(o Options) {
	mail, login := s.who()
	group, err := user.LookupGroupId(mail.Gid)
	if err != nil {
		s.t.Fatal(err)
	}
	conf := fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
default_internal_user = %[2]s
default_internal_group = %[3]s
default_login_user = %[4]s
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:%[1]s/mail
mail_home = %[1]s
mail_max_userip_connections = 100
mail_fsync = never
auth_mechanisms = plain login
disable_plaintext_auth = no
ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
namespace inbox {
  inbox = yes
  separator = /
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[5]d
  }
  inet_listener imaps {
    port = %[6]d
  }
}
service stats {
  chroot =
}
passdb {
  driver = static
  args = user=%[7]s password=%[8]s
}
userdb {
  driver = static
  args = uid=%[9]s gid=%[10]s home=%[1]s
}
`, s.Dir, mail.Username, group.Name, login, s.Port, s.TLSPort, User, Password, mail.Uid, mail.Gid)
	if o.Capability != "" {
		conf += "imap_capability = " + o.Capability + "\n"
	}
	if o.Introspect != "" {
		conf = strings.Replace(conf, "auth_mechanisms = plain login", "auth_mechanisms = plain login xoauth2", 1)
		conf += fmt.Sprintf("passdb {\n  driver = oauth2\n  mechanisms = xoauth2\n  args = %s/oauth2.conf\n}\n", s.Dir)
		s.write("oauth2.conf", fmt.Sprintf("introspection_mode = post\nintrospection_url = %s\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n", o.Introspect))
	}
	if o.ReadOnly != "" {
		conf += fmt.Sprintf("mail_plugins = acl\nprotocol imap {\n  mail_plugins = acl imap_acl\n}\nplugin {\n  acl = vfile:%[1]s/acls\n}\nnamespace inbox {\n  mailbox %[2]s {\n    auto = create\n  }\n}\n", s.Dir, o.ReadOnly)
		s.write("acls", fmt.Sprintf("%s owner lrip\n", o.ReadOnly))
	}
	s.conf = s.write("dovecot.conf", conf)
	uid, _ := strconv.Atoi(mail.Uid)
	gid, _ := strconv.Atoi(mail.Gid)
	if err := os.Chown(filepath.Join(s.Dir, "mail"), uid, gid); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chown(s.Dir, uid, gid); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) write(name, text string) string {
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// launch starts Dovecot and waits until it answers.
func (s *Server) launch() bool {
	s.cmd = exec.Command(binary, "-F", "-c", s.conf)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait()
	}(s.cmd, s.ended)
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port))
		if err == nil {
			c.Close()
			tick.Stop()
			return true
		}
		select {
		case <-s.ended:
			s.cmd = nil
			return false
		case <-deadline:
			s.Stop()
			return false
		case <-tick.C:
		}
	}
}

// Stop ends the server, and all its connections.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	s.cmd = nil
}

func (s *Server) certificate() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.CA = s.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	s.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}

// Log is what Dovecot had to say.
func (s *Server) Log() string {
	raw, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
	return string(raw)
}

// Client is one of another program, logged in as User.
func (s *Server) Client() *imapclient.Client {
	s.t.Helper()
	c, err := imapclient.DialInsecure(fmt.Sprintf("127.0.0.1:%d", s.Port), nil)
	if err == nil {
		err = c.Login(User, Password).Wait()
	}
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.Log())
	}
	return c
}

// Append puts a mail into a mailbox.
func Append(c *imapclient.Client, mailbox, raw string) error {
	cmd := c.Append(mailbox, int64(len(raw)), nil)
	if _, err := cmd.Write([]byte(raw)); err != nil {
		return err
	}
	if err := cmd.Close(); err != nil {
		return err
	}
	_, err := cmd.Wait()
	return err
}
