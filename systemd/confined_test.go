//go:build linux

package systemd

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const conf = `
daemon { shutdown_grace = "5s" }

listener "http" "public" {
  address = "127.0.0.1:0"
  tls {
    cert = "cert.pem"
    key  = "key.pem"
  }
}

source "webhook" "orders" {
  path = "/orders"
  verify "none" {}
}

sink "files" "export" {
  path = "%[1]s/orders.csv"
  format "csv" { columns = ["id"] }
}

sink "files" "rolled" {
  path = "%[1]s/{{ body.id %% 3 }}/part.ndjson"
  roll {
    rows  = 10
    every = "1h"
  }
}

connection "http" "peer" {
  base_url = "%[2]s"
  tls { ca = "ca.pem" }
}
sink "http" "peer" { connection = connection.http.peer }

connection "http" "nowhere" { base_url = "http://nowhere.invalid" }
sink "http" "nowhere" { connection = connection.http.nowhere }

flow "orders" {
  from = source.webhook.orders
  to   = [sink.files.export, sink.files.rolled, sink.http.peer, sink.http.nowhere]
}
`

// place is a machine's file system as far as the service sees it.
type place struct{ root, etc, state, run, out, log string }

func newPlace(t *testing.T) place {
	t.Helper()
	root := t.TempDir()
	in := func(name string) string { return filepath.Join(root, name) }
	p := place{root, in("etc"), in("state"), in("run"), in("out"), in("log")}
	for dir, mode := range map[string]os.FileMode{filepath.Dir(root): 0o755, root: 0o755, p.etc: 0o755, p.state: 0o777, p.run: 0o777, p.out: 0o777, p.log: 0o777} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p place) write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.etc, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// confine makes of a command one that runs as the unit says, as far as that goes
// without systemd: read-only but for its own places, no homes, nobody's user, no
// capabilities and none to gain. Where that may not be had (it takes root), the command
// stays as it is.
func (p place) confine(t *testing.T, command ...string) []string {
	t.Helper()
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Logf("no mount namespace to be had: the calls are compared with the unit, but nothing enforces it (%s)", bytes.TrimSpace(out))
		return command
	}
	script := fmt.Sprintf(`set -e
umask 0077
for dir in %s %s %s %s; do mount --bind $dir $dir; done
mount -o remount,bind,ro /
for dir in /home /root; do mount -t tmpfs -o mode=0,size=4k none $dir; done
exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"`, p.state, p.run, p.out, p.log)
	return append([]string{"unshare", "--mount", "--propagation", "private", "--", "sh", "-c", script, "sh"}, command...)
}

var listeningAt = regexp.MustCompile(`listening\s+(https://\S+)`)

// service runs the program as ExecStart= does, traced, and gives its listener's URL
// and how to stop it.
func (p place) service(t *testing.T, notify string) (url string, stop func() (said string)) {
	t.Helper()
	args := p.confine(t, "strace", "-D", "-f", "-o", filepath.Join(p.log, "trace"), program, "run", "-c", p.etc)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "STATE_DIRECTORY=" + p.state, "RUNTIME_DIRECTORY=" + p.run,
		"NOTIFY_SOCKET=" + notify, "WATCHDOG_USEC=20000000", "INVOCATION_ID=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	within := time.Now().Add(time.Minute)
	for listeningAt.FindStringSubmatch(out.String()) == nil {
		select {
		case <-ended:
			t.Fatalf("it ended: %s", out.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(within) {
			t.Fatalf("it does not listen: %s", out.String())
		}
	}
	return listeningAt.FindStringSubmatch(out.String())[1], func() string {
		cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("it stopped with %d", code)
		}
		return out.String()
	}
}

type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// needed skips the test where one of the tools is missing.
func needed(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: install it to compare what syncd does with what the unit allows", tool)
		}
	}
}

// TestWorksConfined runs webhook, files and http under load with what the unit
// allows, and compares all that the program asks of the kernel with the unit.
func TestWorksConfined(t *testing.T) {
	needed(t, "systemd-analyze", "strace", "unshare", "setpriv")
	p := newPlace(t)
	var delivered atomic.Int64
	peer := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		delivered.Add(1)
	}))
	peer.Config.ErrorLog = log.New(io.Discard, "", 0)
	peer.StartTLS()
	defer peer.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: peer.Certificate().Raw})
	p.write(t, "ca.pem", ca)
	cert, key := ownCertificate(t)
	p.write(t, "cert.pem", cert)
	p.write(t, "key.pem", key)
	p.write(t, "orders.hcl", fmt.Appendf(nil, conf, p.out, peer.URL))

	told := listenNotify(t, filepath.Join(p.run, "notify"))
	url, stop := p.service(t, filepath.Join(p.run, "notify"))
	const events = 300
	send(t, url+"/orders", events)
	until(t, "all delivered", func() bool {
		rows, _ := os.ReadFile(filepath.Join(p.out, "orders.csv"))
		parts, _ := filepath.Glob(filepath.Join(p.out, "?", "part*.ndjson"))
		return delivered.Load() == events && bytes.Count(rows, []byte("\n")) == events+1 && len(parts) == events/10
	})
	status, err := exec.Command(program, "status", "--socket", filepath.Join(p.run, "syncd.sock")).CombinedOutput()
	if err != nil || !strings.Contains(string(status), "sink.http.nowhere") {
		t.Errorf("status: %v\n%s", err, status)
	}
	until(t, "a sign of life", func() bool { return told("WATCHDOG=1") && told("READY=1") })
	said := stop()
	until(t, "STOPPING=1", func() bool { return told("STOPPING=1") })
	if strings.Contains(said, "level=ERROR") {
		t.Errorf("errors in the log:\n%s", said)
	}
	until(t, "the end of the trace", func() bool {
		text, err := os.ReadFile(filepath.Join(p.log, "trace"))
		return err == nil && bytes.Contains(text, []byte("+++ exited with 0 +++"))
	})
	compare(t, calls(t, filepath.Join(p.log, "trace")), p)
}

// compare holds the calls against the unit.
func compare(t *testing.T, seen []call, p place) {
	t.Helper()
	unit := settings(t, "syncd.service")
	may := allowed(t, unit)
	families := words(unit, "RestrictAddressFamilies")
	count := map[string]int{}
	for _, c := range seen {
		count[c.name]++
		if count[c.name] == 1 && !may[c.name] {
			t.Errorf("SystemCallFilter= forbids %s(%s", c.name, c.args)
		}
		if madeExecutable(c) {
			t.Errorf("MemoryDenyWriteExecute= forbids %s(%s", c.name, c.args)
		}
		if f := family(c); f != "" && !slices.Contains(families, f) {
			t.Errorf("RestrictAddressFamilies= forbids %s(%s", c.name, c.args)
		}
		for _, path := range written(c) {
			if !within(path, p.state, p.run, p.out) && path != "/dev/null" {
				t.Errorf("ProtectSystem= forbids to change %s: %s(%s", path, c.name, c.args)
			}
		}
	}
	for _, name := range []string{"accept4", "connect", "socket", "bind", "openat", "mmap", "pwrite64", "fsync"} {
		if count[name] == 0 {
			t.Errorf("no %s in the trace: it does not show the program at work", name)
		}
	}
	t.Logf("%d calls of %d kinds, all allowed", len(seen), len(count))
}

// send posts so many events from a few clients; each must be accepted.
func send(t *testing.T, url string, n int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 8,
	}}
	defer client.CloseIdleConnections()
	ids := make(chan int)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for id := range ids {
				res, err := client.Post(url, "application/json", strings.NewReader(fmt.Sprintf(`{"id": %d}`, id)))
				if err != nil {
					t.Error(err)
					continue
				}
				res.Body.Close()
				if res.StatusCode != http.StatusAccepted {
					t.Errorf("status %s", res.Status)
				}
			}
		})
	}
	for id := range n {
		ids <- id
	}
	close(ids)
	senders.Wait()
}

// listenNotify is a service manager that keeps what it is told.
func listenNotify(t *testing.T, path string) (told func(text string) bool) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	var all output
	go io.Copy(&all, conn)
	return func(text string) bool { return strings.Contains(all.String(), text) }
}

// until polls cond, which observes another process, for at most a minute.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
