//go:build linux

package faults

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// manager is a service manager as far as sd_notify(3) goes.
type manager struct {
	env []string // command that tells a daemon of it

	mu       sync.Mutex
	messages []string
	last     time.Time     // of the last sign of life
	longest  time.Duration // between two
}

// watchdogTime is what the manager allows between signs of life.
const watchdogTime = 4 * time.Second

// manage listens in dir.
func manage(t *testing.T, dir string) *manager {
	t.Helper()
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	m := &manager{env: []string{"env", "NOTIFY_SOCKET=" + path, fmt.Sprint("WATCHDOG_USEC=", watchdogTime.Microseconds())}}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			m.note(string(buf[:n]))
		}
	}()
	return m
}

// launch starts a daemon that knows the manager.
func (m *manager) launch(t *testing.T, dir string) *daemon {
	t.Helper()
	return launch(t, dir, m.env...)
}

func (m *manager) note(message string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if message == "WATCHDOG=1" {
		m.longest = max(m.longest, m.gap())
		m.last = time.Now()
		return
	}
	m.messages = append(m.messages, message)
}

// gap is the time since the last sign of life.
func (m *manager) gap() time.Duration {
	if m.last.IsZero() {
		return 0
	}
	return time.Since(m.last)
}

// ranOut tells that the watchdog has run out at some time: systemd would have
// ended the daemon.
func (m *manager) ranOut() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.longest, m.gap()) > watchdogTime
}

// staysAlive fails if the watchdog runs out in twice its time.
func (m *manager) staysAlive(t *testing.T, though string) {
	t.Helper()
	began := time.Now()
	until(t, "time for the watchdog to run out", func() bool { return time.Since(began) > 2*watchdogTime })
	if m.ranOut() {
		t.Fatalf("the watchdog ran out, though %s", though)
	}
}

// told tells whether a message with that text came.
func (m *manager) told(text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.messages {
		if strings.Contains(s, text) {
			return true
		}
	}
	return false
}

const watchedConf = `
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
connection "http" "peer" { base_url = "http://%s" }
sink "http" "peer" {
  connection = connection.http.peer
  timeout    = "10m"
}
flow "f" {
  from = source.webhook.in
  to   = sink.http.peer
}
`

// A sync that does not come back, injected below SQLite, makes the watchdog run
// out; a destination that does not answer never does.
func TestWatchdog(t *testing.T) {
	t.Parallel() // it waits for the watchdog
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: install it to make a sync hang")
	}
	dir := t.TempDir()
	peer := newSink(t)
	asked, release := make(chan struct{}, 64), make(chan struct{})
	t.Cleanup(func() { close(release) })
	peer.set(func(http.ResponseWriter, *http.Request) bool {
		asked <- struct{}{}
		<-release
		return true
	})
	m := manage(t, dir)
	configure(t, dir, fmt.Sprintf(watchedConf, peer.addr))
	d := m.launch(t, dir)
	until(t, "READY=1", func() bool { return m.told("READY=1\nSTATUS=running: 1 source, 1 flow, 0 accepted") })

	for range 8 {
		if code, answer, err := post(client(), d.url+"/in", `{"id":1}`); err != nil || code != http.StatusAccepted {
			t.Fatal(code, answer, err)
		}
	}
	<-asked // the sink hangs from here on
	m.staysAlive(t, "only a sink hangs")

	tracer := exec.Command(strace, "-f", "-o", "/dev/null", "-p", fmt.Sprint(d.cmd.Process.Pid),
		"-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=600s")
	tracer.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	attached := make(chan struct{})
	tracer.Stderr = attachedWriter{attached}
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Process.Kill(); tracer.Wait() })
	<-attached
	go post(client(), d.url+"/in", `{"id":2}`)
	until(t, "the watchdog runs out", m.ranOut)
	if said := d.said(); !strings.Contains(said, "the journal's writer does not answer") {
		t.Errorf("the log does not tell why:\n%s", said)
	}
	// As systemd does: each part's place goes into the log.
	d.cmd.Process.Signal(syscall.SIGABRT)
	tracer.Process.Kill()
	select {
	case <-d.done:
	case <-time.After(10 * time.Second):
		d.cmd.Process.Signal(syscall.SIGABRT) // one on its way when the tracer dies may be lost
		<-d.done
	}
	if said := d.said(); !strings.Contains(said, "(*writer).run") {
		t.Errorf("the log does not show where the writer hangs:\n%s", said)
	}
}

// attachedWriter closes when strace says that it traces.
type attachedWriter struct{ attached chan struct{} }

func (w attachedWriter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "attached") {
		select {
		case <-w.attached:
		default:
			close(w.attached)
		}
	}
	return len(p), nil
}

// A full disk is trouble, and no reason to restart.
func TestWatchdogOnFullDisk(t *testing.T) {
	t.Parallel() // it waits for the watchdog
	state, dir := smallDisk(t, 96<<20), t.TempDir()
	m := manage(t, dir)
	configure(t, dir, fmt.Sprintf("daemon { state_dir = %q }\nlistener \"http\" \"in\" { address = \"127.0.0.1:0\" }\n%s", state, acceptConf))
	d := m.launch(t, dir)
	defer fill(t, state)()
	until(t, "503 for a full disk", func() bool {
		code, answer, _ := once(t, d.url+"/in")
		if code == http.StatusAccepted {
			fill(t, state) // the reserve has become free: take that too
		}
		return code == http.StatusServiceUnavailable && strings.Contains(answer, "disk")
	})
	m.staysAlive(t, "only the disk is full")
	until(t, "the status tells", func() bool { return m.told("STATUS=NOT ACCEPTING: disk full") })
	d.stop()
}

// A stop says so, asks for the time it may take, and ends well.
func TestStopIsTold(t *testing.T) {
	dir := t.TempDir()
	m := manage(t, dir)
	configure(t, dir, acceptConf)
	d := m.launch(t, dir)
	d.stop()
	until(t, "STOPPING=1", func() bool { return m.told("STOPPING=1\nEXTEND_TIMEOUT_USEC=45000000\nSTATUS=stopping") })
	if _, err := os.Stat(filepath.Join(dir, "state", "syncd.sock")); err == nil {
		t.Error("the socket is still there")
	}
}

// count is how many messages have come, signs of life aside.
func (m *manager) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.messages)
}

// since are those that came after the first n, but for mere news of the status.
func (m *manager) since(n int) (list []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.messages[n:] {
		if !strings.HasPrefix(s, "STATUS=") {
			list = append(list, s)
		}
	}
	return list
}

// monotonicNow is CLOCK_MONOTONIC in microseconds.
func monotonicNow(t *testing.T) int64 {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano() / 1000
}
