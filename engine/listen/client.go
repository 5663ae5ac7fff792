package listen

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

type peerKey struct{}

// peer is what a listener knows of a connection.
type peer struct {
	addr    netip.Addr
	trusted []netip.Prefix
}

func (l *Listener) connContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, &peer{addr: address(c.RemoteAddr().String()), trusted: l.trusted})
}

// ClientIP is the address of the client that sent r. Where the connection comes
// from one of the listener's trusted proxies, it is the last address in
// X-Forwarded-For that is not one of them; an entry that is no address ends the
// search, since nobody trustworthy wrote what stands before it. The zero Addr
// says that the peer has no IP address.
func ClientIP(r *http.Request) netip.Addr {
	p, ok := r.Context().Value(peerKey{}).(*peer)
	if !ok {
		return address(r.RemoteAddr)
	}
	if len(p.trusted) == 0 || !Within(p.trusted, p.addr) {
		return p.addr
	}
	return forwarded(r.Header["X-Forwarded-For"], p)
}

func forwarded(lines []string, p *peer) netip.Addr {
	client := p.addr
	for _, line := range slices.Backward(lines) {
		for line != "" {
			comma := strings.LastIndexByte(line, ',')
			hop := address(strings.TrimSpace(line[comma+1:]))
			if !hop.IsValid() {
				return client
			}
			if client = hop; !Within(p.trusted, hop) {
				return client
			}
			line = line[:max(comma, 0)]
		}
	}
	return client
}

// address reads "192.0.2.1", "192.0.2.1:4711", "2001:db8::1" and
// "[2001:db8::1]:4711". IPv4 within IPv6 becomes plain IPv4.
func address(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	addr, _ := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap().WithZone("")
}

// Within tells whether addr lies in one of the networks.
func Within(networks []netip.Prefix, addr netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
