package listen

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

type peerKey struct{}

func connContext(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return context.WithValue(ctx, peerKey{}, c)
}

// peer is the connection that r came over; nil for one that no listener has served.
func peer(r *http.Request) *conn {
	c, _ := r.Context().Value(peerKey{}).(*conn)
	return c
}

// ClientIP is the address of the client that sent r. Where the connection comes
// from one of the listener's trusted proxies, it is the last address in
// X-Forwarded-For that is not one of them; an entry that is no address ends the
// search, since nobody trustworthy wrote what stands before it. The zero Addr
// says that the peer has no IP address.
func ClientIP(r *http.Request) netip.Addr {
	c := peer(r)
	if c == nil {
		return address(r.RemoteAddr)
	}
	trusted := c.listener.settings.Load().trusted
	if len(trusted) == 0 || !Within(trusted, c.addr) {
		return c.addr
	}
	return forwarded(r.Header["X-Forwarded-For"], c.addr, trusted)
}

func forwarded(lines []string, client netip.Addr, trusted []netip.Prefix) netip.Addr {
	for _, line := range slices.Backward(lines) {
		for line != "" {
			comma := strings.LastIndexByte(line, ',')
			hop := address(strings.TrimSpace(line[comma+1:]))
			if !hop.IsValid() {
				return client
			}
			if client = hop; !Within(trusted, hop) {
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
