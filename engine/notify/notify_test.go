package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen makes a manager's socket and a Manager that knows it by the environment.
func listen(t *testing.T, name, usec string) (*net.UnixConn, *Manager) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	t.Setenv("WATCHDOG_USEC", usec)
	t.Setenv("WATCHDOG_PID", fmt.Sprint(os.Getpid()))
	return conn, FromEnvironment(slog.New(slog.DiscardHandler))
}

// next is the next message, as its lines.
func next(t *testing.T, conn *net.UnixConn) []string {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(buf[:n]), "\n")
}

func TestMessages(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), fmt.Sprintf("@syncd-test-%d", os.Getpid())} {
		conn, m := listen(t, name, "60000000")
		if !m.Present() || m.Watchdog() != time.Minute {
			t.Fatalf("%s: present %v, watchdog %v", name, m.Present(), m.Watchdog())
		}
		for _, tc := range []struct {
			send func()
			want string
		}{
			{func() { m.Ready("running: all") }, "READY=1|STATUS=running: all"},
			{func() { m.Stopping("bye", 45*time.Second) }, "STOPPING=1|EXTEND_TIMEOUT_USEC=45000000|STATUS=bye"},
			{func() { m.Status("a\nREADY=1\tb") }, "STATUS=a READY=1 b"},
			{m.Alive, "WATCHDOG=1"},
		} {
			tc.send()
			if got := strings.Join(next(t, conn), "|"); got != tc.want {
				t.Errorf("%s: got %q, want %q", name, got, tc.want)
			}
		}
	}
}

// The manager takes the reload for over when READY=1 comes after a RELOADING=1 that
// is younger than its signal, by the machine's monotonic clock.
func TestReloadingCarriesTheTime(t *testing.T) {
	conn, m := listen(t, filepath.Join(t.TempDir(), "notify"), "")
	before := monotonic().Microseconds()
	m.Reloading("reloading")
	after := monotonic().Microseconds()
	got := next(t, conn)
	var at int64
	if len(got) != 3 || got[0] != "RELOADING=1" || got[2] != "STATUS=reloading" {
		t.Fatalf("got %q", got)
	}
	if _, err := fmt.Sscanf(got[1], "MONOTONIC_USEC=%d", &at); err != nil || at < before || at > after {
		t.Errorf("got %q, not between %d and %d", got[1], before, after)
	}
}

// Programs that we run must not speak in our name.
func TestEnvironmentIsTakenOut(t *testing.T) {
	listen(t, filepath.Join(t.TempDir(), "notify"), "1000000")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		if v, ok := os.LookupEnv(name); ok {
			t.Errorf("%s=%s is still there", name, v)
		}
	}
}

func TestWatchdogOfAnother(t *testing.T) {
	for _, tc := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"2000000", "", 2 * time.Second},
		{"2000000", fmt.Sprint(os.Getpid()), 2 * time.Second},
		{"2000000", "1", 0},
		{"", "", 0},
		{"0", "", 0},
		{"soon", "", 0},
	} {
		if got := watchdog(tc.usec, tc.pid); got != tc.want {
			t.Errorf("%+v: got %v", tc, got)
		}
	}
}

func TestWithoutManager(t *testing.T) {
	for _, name := range []string{"", "relative"} {
		t.Setenv("NOTIFY_SOCKET", name)
		t.Setenv("WATCHDOG_USEC", "1000")
		m := FromEnvironment(slog.New(slog.DiscardHandler))
		m.Ready("x")
		never := func(context.Context) error { t.Error("asked whether it is alive"); return nil }
		m.Keep(t.Context(), never, func(context.Context) string { t.Error("asked for its status"); return "" })
	}
}

// A manager that has gone does not hold the daemon up.
func TestManagerGone(t *testing.T) {
	conn, m := listen(t, filepath.Join(t.TempDir(), "notify"), "1000")
	conn.Close()
	m.Ready("x")
	m.Alive()
}

// TestKeep: signs of life come while it is alive, none while it is not, and again after.
func TestKeep(t *testing.T) {
	conn, m := listen(t, filepath.Join(t.TempDir(), "notify"), "100000")
	ctx, cancel := context.WithCancel(t.Context())
	var dead atomic.Bool
	asked := make(chan bool)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.Keep(ctx, func(ctx context.Context) error {
			if dead.Load() {
				select {
				case asked <- true:
				default:
				}
				<-ctx.Done() // it hangs, and is given up
				return errors.New("hangs")
			}
			return nil
		}, func(context.Context) string { return "fine" })
	}()
	seen := map[string]int{}
	for seen["WATCHDOG=1"] < 3 || seen["STATUS=fine"] < 1 {
		seen[next(t, conn)[0]]++
	}
	if seen["STATUS=fine"] != 1 {
		t.Errorf("a status that does not change was sent %d times", seen["STATUS=fine"])
	}
	dead.Store(true)
	<-asked // from here on no sign of life may come
	drain(conn)
	for range 3 {
		<-asked
	}
	if got := drain(conn); got > 0 {
		t.Errorf("%d signs of life while it hangs", got)
	}
	dead.Store(false)
	if got := next(t, conn)[0]; got != "WATCHDOG=1" {
		t.Errorf("got %q", got)
	}
	cancel()
	<-ended
}

// drain counts what waits at the socket.
func drain(conn *net.UnixConn) (n int) {
	buf := make([]byte, 4096)
	for {
		conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := conn.Read(buf); err != nil {
			return n
		}
		n++
	}
}
