// Package notify tells the service manager how the daemon fares: sd_notify(3), a
// datagram to the socket that $NOTIFY_SOCKET names.
package notify

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Manager is the service manager that started us. Without one ($NOTIFY_SOCKET is
// not set) all its methods do nothing. They are safe for concurrent use and never
// fail: what cannot be told is logged, and the daemon goes on.
type Manager struct {
	log      *slog.Logger
	socket   *net.UnixAddr // nil: no manager
	watchdog time.Duration // 0: none
}

// FromEnvironment finds the manager, and takes its variables out of the
// environment, so that programs we run do not speak in our name.
func FromEnvironment(log *slog.Logger) *Manager {
	m := &Manager{log: log}
	// An abstract socket begins with @, which package net knows by the same sign.
	if name := os.Getenv("NOTIFY_SOCKET"); strings.HasPrefix(name, "/") || strings.HasPrefix(name, "@") {
		m.socket = &net.UnixAddr{Name: name, Net: "unixgram"}
		m.watchdog = watchdog(os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID"))
	}
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		_ = os.Unsetenv(name) // fails for malformed names only
	}
	return m
}

// watchdog reads sd_watchdog_enabled(3)'s variables; the pid, if given, must be ours.
func watchdog(usec, pid string) time.Duration {
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(n) * time.Microsecond
}

// Present tells whether there is anybody to tell.
func (m *Manager) Present() bool { return m.socket != nil }

// Watchdog is how long the manager waits for a sign of life; 0: it does not.
func (m *Manager) Watchdog() time.Duration { return m.watchdog }

// Ready says that the daemon answers, after its start or after a reload.
func (m *Manager) Ready(status string) { m.send("READY=1", statusLine(status)) }

// Reloading says that a reload begins; Ready ends it, whatever its outcome.
func (m *Manager) Reloading(status string) {
	m.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()), statusLine(status))
}

// Stopping says that the daemon ends, and asks for as much time as it may take.
func (m *Manager) Stopping(status string, within time.Duration) {
	m.send("STOPPING=1", fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", within.Microseconds()), statusLine(status))
}

// Status is a line for `systemctl status`.
func (m *Manager) Status(status string) { m.send(statusLine(status)) }

// Alive is a sign of life for the watchdog.
func (m *Manager) Alive() { m.send("WATCHDOG=1") }

// statusLine keeps a status on one line: the next would be an assignment of its own.
func statusLine(s string) string {
	return "STATUS=" + strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
}

func (m *Manager) send(assignments ...string) {
	if m.socket == nil {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, m.socket)
	if err == nil {
		_, err = conn.Write([]byte(strings.Join(assignments, "\n")))
		conn.Close()
	}
	if err != nil {
		m.log.Warn("the service manager cannot be told", "message", assignments[0], "error", err)
	}
}

// monotonic is CLOCK_MONOTONIC, by which the manager orders a reload and its signal.
func monotonic() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // cannot fail for this clock
	return time.Duration(ts.Nano())
}
