package listen

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// explain adds to a bind error what to do about it.
func explain(address string, err error) error {
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
