package sshdtest

import (
	"net"
	"sync"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// InProcess is an SFTP server within the test's process: quick, and it lets in
// whoever config lets in.
type InProcess struct {
	Host    string
	Port    int
	HostKey ssh.PublicKey

	config *ssh.ServerConfig
	all    sync.WaitGroup
	mu     sync.Mutex
	conns  map[net.Conn]bool
}

// Serve starts a server.
func Serve(t testing.TB, config *ssh.ServerConfig) *InProcess {
	t.Helper()
	key := signer(t, NewKey(t))
	config.AddHostKey(key)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	s := &InProcess{Host: addr.IP.String(), Port: addr.Port, HostKey: key.PublicKey(), config: config, conns: map[net.Conn]bool{}}
	s.all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[conn] = true
			s.mu.Unlock()
			s.all.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		for c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		s.all.Wait()
	})
	return s
}

func (s *InProcess) serve(conn net.Conn) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	s.all.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		if offered.ChannelType() != "session" {
			offered.Reject(ssh.UnknownChannelType, "sessions only") //nolint:errcheck // the client has gone
			continue
		}
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		s.all.Go(func() { s.session(channel, requests) })
	}
}

func (s *InProcess) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	for r := range requests {
		is := r.Type == "subsystem" && len(r.Payload) > 4 && string(r.Payload[4:]) == "sftp"
		if r.Reply(is, nil) != nil || !is {
			continue
		}
		s.all.Go(func() { ssh.DiscardRequests(requests) })
		if server, err := sftp.NewServer(channel); err == nil {
			server.Serve() //nolint:errcheck // it ends as its client does
			server.Close()
		}
		return
	}
}
