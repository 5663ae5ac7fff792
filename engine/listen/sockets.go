package listen

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"
)

// Sockets are those that systemd has opened and handed over (systemd.socket(5),
// sd_listen_fds(3)). It keeps them open when the daemon restarts, so that clients
// wait instead of being refused. A nil *Sockets has none.
//
// A listener takes the sockets whose FileDescriptorName= is its name; of sockets
// without a name of their own, the one that is bound to its address.
type Sockets struct{ all []*socket }

type socket struct {
	name   string
	tcp    *net.TCPListener // nil: no listener can take it
	reason string           // why not
	lease  atomic.Pointer[lease]
}

// Inherit takes over the sockets that the environment tells of, and removes them
// from it, so that no child takes them for its own. It must be called once, early.
func Inherit() *Sockets { return newSockets(activation.Files(true)) }

func newSockets(files []*os.File) *Sockets {
	s := &Sockets{}
	for _, f := range files {
		s.all = append(s.all, newSocket(f))
		f.Close() // what is taken is a duplicate
	}
	return s
}

func newSocket(f *os.File) *socket {
	s := &socket{name: f.Name()}
	if s.reason = unfit(f); s.reason != "" {
		return s
	}
	l, err := net.FileListener(f)
	if err != nil {
		s.reason = fmt.Sprintf("cannot be used: %v", err)
		return s
	}
	s.tcp = l.(*net.TCPListener)
	return s
}

// unfit tells why a listener cannot take what f is; "" if it can.
func unfit(f *os.File) string {
	raw, err := f.SyscallConn()
	if err != nil {
		return fmt.Sprintf("cannot be used: %v", err)
	}
	reason := ""
	err = raw.Control(func(fd uintptr) {
		option := func(name int) int {
			n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, name)
			if err != nil {
				return -1
			}
			return n
		}
		kind, domain := option(unix.SO_TYPE), option(unix.SO_DOMAIN)
		switch {
		case kind == -1:
			reason = "is no socket: write ListenStream=HOST:PORT in its .socket unit"
		case domain == unix.AF_UNIX:
			reason = "is a Unix socket, and listeners speak TCP: write ListenStream=HOST:PORT in its .socket unit"
		case kind != unix.SOCK_STREAM || domain != unix.AF_INET && domain != unix.AF_INET6:
			reason = "is not a TCP socket: write ListenStream=HOST:PORT in its .socket unit"
		case option(unix.SO_ACCEPTCONN) != 1:
			reason = "is a connection, not a socket that listens: remove Accept=yes from its .socket unit"
		}
	})
	if err != nil {
		return fmt.Sprintf("cannot be used: %v", err)
	}
	return reason
}

// named tells whether the socket was given a name of its own. Without
// FileDescriptorName= systemd calls it after its unit.
func (s *socket) named() bool {
	return s.name != "unknown" && !strings.HasPrefix(s.name, "LISTEN_FD_") && !strings.HasSuffix(s.name, ".socket")
}

// find gives the sockets that are c's.
func (s *Sockets) find(c Config) []*socket {
	if s == nil {
		return nil
	}
	name := c.Name[strings.LastIndexByte(c.Name, '.')+1:]
	var byName, byAddress []*socket
	for _, one := range s.all {
		switch {
		case one.tcp == nil:
		case one.name == name:
			byName = append(byName, one)
		case !one.named() && sameAddress(c.Address, one.tcp.Addr().String()):
			byAddress = append(byAddress, one)
		}
	}
	if len(byName) > 0 {
		return byName
	}
	return byAddress
}

// take gives c what is its own, to accept on.
func (s *Sockets) take(c Config, log *slog.Logger) []net.Listener {
	var taken []net.Listener
	for _, one := range s.find(c) {
		if one.lease.Load() != nil {
			continue // another listener has it
		}
		l := &lease{TCPListener: one.tcp, socket: one}
		_ = one.tcp.SetDeadline(time.Time{})
		one.lease.Store(l)
		taken = append(taken, l)
	}
	s.compare(c, log)
	return taken
}

// compare warns where c's sockets are bound to something else than c says.
func (s *Sockets) compare(c Config, log *slog.Logger) {
	found := s.find(c)
	var bound []string
	for _, one := range found {
		bound = append(bound, one.tcp.Addr().String())
	}
	if len(found) > 0 && !slices.ContainsFunc(bound, func(b string) bool { return sameAddress(c.Address, b) }) {
		log.Warn("systemd's socket is bound to another address than the configuration says; the socket's counts. Make ListenStream= and address the same",
			"socket", found[0].name, "bound", strings.Join(bound, " "), "address", c.Address)
	}
}

// Unused tells, a sentence for each, of sockets that no listener has taken: who
// connects there waits in vain.
func (s *Sockets) Unused() []string {
	if s == nil {
		return nil
	}
	var all []string
	for _, one := range s.all {
		switch {
		case one.tcp == nil:
			all = append(all, fmt.Sprintf("socket %q from systemd %s", one.name, one.reason))
		case one.lease.Load() == nil && one.named():
			all = append(all, fmt.Sprintf("socket %q from systemd (%s) is not used: no listener has its name. Declare listener \"http\" %q, or correct FileDescriptorName= in its .socket unit", one.name, one.tcp.Addr(), one.name))
		case one.lease.Load() == nil:
			all = append(all, fmt.Sprintf("socket %q from systemd (%s) is not used: no listener has its address. Declare one, or say which with FileDescriptorName= in its .socket unit", one.name, one.tcp.Addr()))
		}
	}
	return all
}

// lease is a socket while a listener has it.
type lease struct {
	*net.TCPListener
	socket *socket
}

// Close ends Accept and leaves the socket open for the next listener.
func (l *lease) Close() error {
	if l.socket.lease.CompareAndSwap(l, nil) {
		return l.SetDeadline(time.Unix(1, 0))
	}
	return nil
}

// Accept takes a connection, until Close.
func (l *lease) Accept() (net.Conn, error) {
	c, err := l.TCPListener.Accept()
	if err != nil && l.socket.lease.Load() != l {
		return nil, net.ErrClosed
	}
	return c, err
}

// leases are the sockets behind listeners that systemd has handed over.
func leases(listeners []net.Listener) []*socket {
	var found []*socket
	for _, l := range listeners {
		if one, ok := l.(*lease); ok {
			found = append(found, one.socket)
		}
	}
	return found
}

// leased tells whether listeners are exactly those sockets.
func leased(sockets []*socket, listeners []net.Listener) bool {
	return slices.Equal(sockets, leases(listeners))
}
