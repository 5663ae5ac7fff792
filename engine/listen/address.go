package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Explain adds to a bind error what to do about it.
func Explain(address string, err error) error {
	_, port, _ := net.SplitHostPort(address)
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken by another program (`ss -ltnp sport = :%s` tells which): stop that one, or give this listener another address", address, port)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: ports below 1024 need a privilege: add AmbientCapabilities=CAP_NET_BIND_SERVICE to the systemd unit, or take a higher port", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: this machine has no such address: take one that `ip address` shows, or 0.0.0.0 for all", address)
	case errors.As(err, &dns):
		return fmt.Errorf("%s: the host name is not known here: %w", address, err)
	}
	return err
}

// sameAddress tells whether two addresses are the same place to listen at. All
// ways to say "every interface" are: Go listens there for IPv4 and IPv6 at once.
func sameAddress(a, b string) bool {
	if a == b {
		return true
	}
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	ipA, ipB := hostIP(hostA), hostIP(hostB)
	return ipA.IsValid() && ipA == ipB
}

// hostIP is the address that a host stands for, :: for every interface.
func hostIP(host string) netip.Addr {
	if host == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	addr, _ := netip.ParseAddr(host)
	if addr = addr.Unmap(); host == "" || addr.IsUnspecified() {
		return netip.IPv6Unspecified()
	}
	return addr
}
