//go:build linux

// Package faults holds the tests that do to the real program what the world does:
// kill it, fill its disk, cut its power, feed it rubbish, hang its sinks. Each
// starts the built binary over a directory of its own.
package faults

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/admin"
)

// program is the built syncd.
var program string

// long is set where there is time for the long form of a test.
var long = os.Getenv("SYNCD_CHECK") != ""

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "syncd-faults")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "syncd")
		flag.Parse()
		if err := flag.Set("test.parallel", "8"); err != nil { // those that are wait, most of the time
			panic(err)
		}
		args := append([]string{"build", "-o", program}, raceFlags...)
		if out, err := exec.Command("go", append(args, "..")...).CombinedOutput(); err != nil {
			fmt.Printf("build syncd: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// daemon is a syncd process over dir, which holds conf.hcl and state/.
type daemon struct {
	t        *testing.T
	dir      string
	cmd      *exec.Cmd
	url      string // of its listener; "" if it has none
	stateDir string
	done     chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

// configure writes a configuration whose state is in dir and whose listener takes any port.
func configure(t *testing.T, dir, conf string) {
	t.Helper()
	head := fmt.Sprintf("daemon {\n  state_dir = %q\n}\nlistener \"http\" \"in\" { address = \"127.0.0.1:0\" }\n", filepath.Join(dir, "state"))
	if strings.Contains(conf, "daemon {") {
		head = ""
	}
	path := filepath.Join(dir, "conf.hcl")
	err := os.WriteFile(path+".new", []byte(head+conf), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path) // a reload that comes now must not see half of it
	}
	if err != nil {
		t.Fatal(err)
	}
}

// launch starts syncd, by way of the wrapper command if one is given.
func launch(t *testing.T, dir string, wrapper ...string) *daemon {
	t.Helper()
	args := append(wrapper, program, "run", "-c", filepath.Join(dir, "conf.hcl"))
	d := &daemon{t: t, dir: dir, cmd: exec.Command(args[0], args[1:]...), stateDir: filepath.Join(dir, "state"), done: make(chan struct{})}
	d.cmd.Dir = dir
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it goes with the tests
	d.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	d.cmd.Stderr = (*output)(d)
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(d.done)
		d.read(stdout, ready)
		d.cmd.Wait()
	}()
	t.Cleanup(func() {
		d.kill()
		if t.Failed() {
			t.Logf("the daemon said:\n%s", d.said())
		}
	})
	select {
	case d.url = <-ready:
	case <-d.done:
		t.Fatalf("the daemon ended: %v\n%s", d.cmd.ProcessState, d.said())
	case <-time.After(60 * time.Second):
		t.Fatalf("the daemon is not ready after a minute:\n%s", d.said())
	}
	return d
}

var listening = regexp.MustCompile(`^\s*listening\s+(http\S+)`)

// read keeps what the daemon prints; the line about its listener comes before
// the empty one that ends the table.
func (d *daemon) read(r io.Reader, ready chan<- string) {
	url := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		(*output)(d).Write(append(lines.Bytes(), '\n'))
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			url = m[1]
		}
		if lines.Text() == "" || strings.HasPrefix(lines.Text(), "Try") {
			select {
			case ready <- url:
			default:
			}
		}
	}
}

type output daemon

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out.Write(p)
}

func (d *daemon) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.String()
}

// kill is kill -9.
func (d *daemon) kill() {
	d.cmd.Process.Kill()
	<-d.done
}

// stop is SIGTERM; it checks that the daemon ends well.
func (d *daemon) stop() {
	d.t.Helper()
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(60 * time.Second):
		d.t.Fatalf("the daemon does not stop:\n%s", d.said())
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		d.t.Fatalf("the daemon stopped with %d:\n%s", code, d.said())
	}
}

// client is an HTTP client that keeps many connections.
func client() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
}

// post sends a body and gives status and answer.
func post(c *http.Client, url, body string) (int, string, error) {
	res, err := c.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, string(answer), err
}

// status asks the daemon over its socket.
func (d *daemon) status() (admin.Status, error) {
	var s admin.Status
	out, err := exec.Command(program, "status", "--json", "--state-dir", d.stateDir).Output()
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(out, &s)
}

// until polls cond, which observes another process, for at most a minute.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		if cond() {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			tick.Stop()
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// drained waits until nothing is pending and checks the sums of G3.
func (d *daemon) drained() admin.Status {
	d.t.Helper()
	var s admin.Status
	until(d.t, "nothing pending", func() bool {
		var err error
		if s, err = d.status(); err != nil {
			return false
		}
		d.checkSums(s)
		for _, f := range s.Flows {
			if f.Pending > 0 {
				return false
			}
		}
		return true
	})
	return s
}

func (d *daemon) checkSums(s admin.Status) {
	d.t.Helper()
	for _, f := range s.Flows {
		if sum := f.Pending + f.Dead + f.Dropped + f.Delivered + f.Filtered; sum != f.Accepted {
			d.t.Fatalf("the outcomes of %s do not add up: %+v", f.Address, f)
		}
	}
}

// sink is an HTTP server that keeps what it got, by idempotency key.
type sink struct {
	*http.Server
	addr string

	mu     sync.Mutex
	bodies map[string][]string
	total  int
	react  func(w http.ResponseWriter, r *http.Request) bool // true: answered, nothing kept
}

func newSink(t *testing.T) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{addr: l.Addr().String(), bodies: map[string][]string{}}
	s.Server = &http.Server{Handler: s}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	react := s.react
	s.mu.Unlock()
	if react != nil && react(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	s.bodies[key] = append(s.bodies[key], string(body))
	s.total++
	w.WriteHeader(http.StatusNoContent)
}

func (s *sink) set(react func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.react = react
}

func unavailable(w http.ResponseWriter, _ *http.Request) bool {
	w.WriteHeader(http.StatusServiceUnavailable)
	return true
}

// load posts numbered orders until ctx ends and remembers which were accepted.
type load struct {
	mu       sync.Mutex
	next     int
	accepted map[int]bool
	refused  int
}

// run posts over n connections to the URL that url gives at the time.
func (l *load) run(ctx context.Context, n int, url func() string) {
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			c := client()
			defer c.CloseIdleConnections()
			for ctx.Err() == nil {
				l.one(c, url())
			}
		})
	}
	group.Wait()
}

func (l *load) one(c *http.Client, url string) {
	l.mu.Lock()
	l.next++
	n := l.next
	l.mu.Unlock()
	code, _, err := post(c, url, fmt.Sprintf(`{"n":%d,"customer":{"name":"Ana %d"}}`, n, n%17))
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil && code == http.StatusAccepted:
		l.accepted[n] = true
	case err == nil:
		l.refused++
	}
}
