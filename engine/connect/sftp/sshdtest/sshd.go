// Package sshdtest runs SFTP servers for tests: OpenSSH's own, with keys made for the
// test, and one within the test's process, for what needs passwords.
package sshdtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// Server is an OpenSSH server on loopback that lets this user in with Key.
type Server struct {
	Host    string
	Port    int
	User    string
	Key     string     // private key, PEM
	HostKey ssh.Signer // that it shows
	// KnownHosts is a file with the server's key under its address.
	KnownHosts string

	dir     string
	hostKey any
	log     *buffer

	mu    sync.Mutex
	procs map[*os.Process]bool // one for each connection
	over  bool
	all   sync.WaitGroup
	port  net.Listener
}

// Start starts a server, or skips the test where there is no sshd. It gets more lines
// of sshd_config(5).
func Start(t testing.TB, config ...string) *Server {
	t.Helper()
	sshd := find(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	key := NewKey(t)
	s := &Server{User: me.Username, Key: PEM(t, key), dir: t.TempDir(), log: &buffer{}, procs: map[*os.Process]bool{}}
	s.write(t, "authorized_keys", string(ssh.MarshalAuthorizedKey(signer(t, key).PublicKey())))
	s.SetHostKey(t, NewKey(t))
	s.write(t, "sshd_config", strings.Join(append(config,
		"HostKey "+s.path("host_key"), "AuthorizedKeysFile "+s.path("authorized_keys"), "StrictModes no", "UsePAM no", "PidFile none",
		"PermitRootLogin yes", "PasswordAuthentication no", "KbdInteractiveAuthentication no", "Subsystem sftp internal-sftp", "LogLevel VERBOSE"), "\n")+"\n")
	s.listen(t, sshd)
	s.KnownHosts = s.path("known_hosts")
	s.write(t, "known_hosts", KnownHostsLine(s.Host, s.Port, s.HostKey.PublicKey()))
	return s
}

// find gives the path of sshd, which wants to be called by it.
func find(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("sshd")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/sshd")
	}
	if err != nil {
		t.Skip("no sshd: install openssh-server")
	}
	if os.Getuid() == 0 { // where it locks itself in as root; a package makes it when the service starts
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Skipf("sshd needs /run/sshd: %v", err)
		}
	}
	return path
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(s.path(name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// listen runs an sshd for each connection, which has it as its standard input: so no
// port has to be found that is free.
func (s *Server) listen(t testing.TB, sshd string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	s.port, s.Host, s.Port = l, addr.IP.String(), addr.Port
	s.all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if err := s.serve(conn.(*net.TCPConn), sshd); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Errorf("start sshd: %v", err)
			}
		}
	})
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("sshd says:\n%s", s.log)
		}
	})
}

func (s *Server) serve(conn *net.TCPConn, sshd string) error {
	defer conn.Close()
	f, err := conn.File()
	if err != nil {
		return err
	}
	defer f.Close()
	cmd := exec.Command(sshd, "-i", "-e", "-f", s.path("sshd_config"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = f, f, s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second // a process of it that outlives it holds what it writes to
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return net.ErrClosed
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.procs[cmd.Process] = true
	s.all.Go(func() {
		cmd.Wait() //nolint:errcheck // it ends as its client does
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.procs, cmd.Process)
	})
	return nil
}

// SetHostKey has later connections show another key. KnownHosts stays as it is.
func (s *Server) SetHostKey(t testing.TB, key any) {
	t.Helper()
	s.hostKey, s.HostKey = key, signer(t, key)
	s.write(t, "host_key", PEM(t, key))
}

// Authorize lets key in as well.
func (s *Server) Authorize(t testing.TB, key any) {
	t.Helper()
	old, err := os.ReadFile(s.path("authorized_keys"))
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "authorized_keys", string(old)+Public(t, key))
}

// CertifyHost is a certificate of the host key for name, for the HostCertificate option.
func (s *Server) CertifyHost(t testing.TB, authority any, name string) string {
	t.Helper()
	return Certify(t, authority, s.hostKey, ssh.HostCert, name)
}

// Signal sends sig to the processes of all connections: SIGSTOP freezes the server,
// SIGKILL cuts it off in the middle of whatever it does.
func (s *Server) Signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.procs {
		for _, pid := range family(p.Pid) {
			syscall.Kill(pid, sig) //nolint:errcheck // it may have ended meanwhile
		}
	}
}

// Connections is how many there are.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.procs)
}

// Stop ends the server.
func (s *Server) Stop() {
	s.port.Close()
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.Signal(syscall.SIGCONT)
	s.Signal(syscall.SIGKILL)
	s.all.Wait()
}

// Address is host and port.
func (s *Server) Address() string { return fmt.Sprintf("%s:%d", s.Host, s.Port) }

// family is pid and all processes below it: sshd has one for each privilege that it
// needs, in sessions of their own.
func family(pid int) []int {
	pids := []int{pid}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		if n, err := strconv.Atoi(child); err == nil {
			pids = append(pids, family(n)...)
		}
	}
	return pids
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
