package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/syncd/syncd/engine/config"
)

// checkListeners tells whether the ports are free, or held by the running daemon.
func (e *exam) checkListeners(ctx context.Context) {
	if e.cfg == nil {
		return
	}
	for _, l := range e.cfg.Listeners {
		if e.heldByDaemon(l) {
			e.ok("listener", fmt.Sprintf("%s: %s is held by the running syncd", l.Address, l.Listen))
			continue
		}
		e.add(e.bindable(ctx, l))
	}
}

func (e *exam) heldByDaemon(l *config.Listener) bool {
	if e.daemon == nil {
		return false
	}
	_, want, _ := net.SplitHostPort(l.Listen)
	for _, held := range e.daemon.Listeners {
		_, port, _ := net.SplitHostPort(held.Listen)
		if held.Address == string(l.Address) && port == want {
			return true
		}
	}
	return false
}

func (e *exam) bindable(ctx context.Context, l *config.Listener) Finding {
	const check = "listener"
	name := fmt.Sprintf("%s: %s", l.Address, l.Listen)
	_, text, _ := net.SplitHostPort(l.Listen)
	if port, _ := strconv.Atoi(text); port > 0 && port < unprivileged() && !e.mayBind() {
		return Finding{Error, check, fmt.Sprintf("%s is a port below %d, which %s may not take", name, unprivileged(), e.who.name),
			"Under systemd: syncd.socket, or AmbientCapabilities=CAP_NET_BIND_SERVICE and PrivateUsers=no."}
	}
	tcp, err := new(net.ListenConfig).Listen(ctx, "tcp", l.Listen)
	switch {
	case err == nil:
		tcp.Close()
		return Finding{OK, check, name + " is free", ""}
	case errors.Is(err, syscall.EADDRINUSE):
		return Finding{Error, check, name + " is taken", fmt.Sprintf("ss -ltnp sport = :%s tells by whom. All is well if it is systemd with syncd.socket.", text)}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return Finding{Error, check, name + ": this machine has no such address", "Take one that `ip address` shows, or 0.0.0.0 for all."}
	case errors.Is(err, syscall.EACCES): // who runs it may, and we may not
		return Finding{OK, check, name + " is a low port, which the service may take", ""}
	}
	return Finding{Error, check, fmt.Sprintf("%s: %v", name, err), ""}
}

func (e *exam) mayBind() bool {
	if e.Unit != nil {
		return e.Unit.MayBind()
	}
	return e.who.uid == 0
}

// unprivileged is the first port that everybody may take (ip(7)).
func unprivileged() int {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		return 1024
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 1024
	}
	return n
}
