//go:build linux

package faults

import (
	"errors"
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

	"github.com/syncd/syncd/engine/admin"
)

// cli runs a command of the program against the daemon.
func (d *daemon) cli(args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	var out, errs strings.Builder
	cmd := exec.Command(program, append(args, "--state-dir", d.stateDir)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = d.dir, &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		d.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// taken is a port that somebody else has.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// Whatever is wrong with a configuration, the old one goes on, the reason is told
// with its place by every command that asks, and no request fails.
func TestReloadOfBadInput(t *testing.T) {
	dir := t.TempDir()
	out := newSink(t)
	good := reloadConf(dir, out.addr, 0, "127.0.0.1:0")
	configure(t, dir, good)
	path := filepath.Join(dir, "conf.hcl")
	d := launch(t, dir)
	l := newSteady()
	stop := l.start(t.Context(), 100, d.url+"/a", d.url+"/b")
	port := taken(t)
	_, own, _ := net.SplitHostPort(strings.TrimPrefix(d.url, "http://"))
	mkdir := func(name string) func() {
		return func() {
			if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name string
		text string
		also func()
		want string
	}{
		{"a broken file", good[:len(good)/2], nil, "conf.hcl:"},
		{"a mistake", strings.Replace(good, "body.n", "boddy.n", 1), nil, "conf.hcl:30:13: unknown name in expression"},
		{"an emptied file", "", nil, "the configuration is empty, which is taken for a mistake"},
		{"a file that has gone", good, func() { os.Remove(path) }, "conf.hcl does not exist"},
		{"a file that cannot be read", good, func() {
			if os.Chmod(path, 0) != nil || os.Geteuid() == 0 {
				t.Log("root may read everything: a directory takes the file's place")
				os.Remove(path)
				mkdir("conf.hcl")()
			}
		}, "conf"},
		{"a directory in place of what it reads", strings.Replace(good, `path = "/b"`, `path = trimspace(file("secret"))`, 1), mkdir("secret"), "conf.hcl:12:"},
		{"a port that is taken", strings.Replace(good, "127.0.0.1:0", port, 1), nil, "conf.hcl:5: open listener.http.in: " + port + " is taken by another program"},
		{"a port that the daemon has", strings.Replace(good, "127.0.0.1:0", "0.0.0.0:"+own, 1), nil, "conf.hcl:5: open listener.http.in: 0.0.0.0:" + own + " cannot be taken while listener.http.in listens on 127.0.0.1:" + own},
		{"a certificate that is missing", strings.Replace(good, `{ address = "127.0.0.1:0" }`, "{\n  address = \"127.0.0.1:0\"\n  tls {\n    cert = \"none.pem\"\n    key  = \"none.pem\"\n  }\n}", 1), nil, "none.pem: no such file or directory"},
		{"another state directory", strings.Replace(good, `state"`, `other"`, 1), nil, "state_dir of the daemon cannot change while it runs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			writeConf(t, dir, c.text)
			if c.also != nil {
				c.also()
			}
			answered := l.answers()
			code, stdout, stderr := d.cli("reload")
			if code != 1 || stdout != "" || !strings.HasSuffix(stderr, "\nNothing has changed: generation 1 goes on.\n") {
				t.Errorf("reload: code %d\n%s%s", code, stdout, stderr)
			}
			s, err := d.status()
			if err != nil || s.Generation != 1 || s.Stale == nil || !strings.Contains(s.Stale.Reason, c.want) {
				t.Errorf("status: %+v %v, want %q", s.Stale, err, c.want)
			}
			planned := 1
			if strings.Contains(c.want, "open listener") || strings.Contains(c.want, "none.pem") {
				planned = 4 // a plan opens nothing
			}
			if code, stdout, stderr = d.cli("plan"); code != planned || (stdout == "") != (code == 1) || (stderr == "") != (code == 4) {
				t.Errorf("plan: code %d\n%s%s", code, stdout, stderr)
			}
			if code, stdout, _ = d.cli("status"); code != 0 || !strings.Contains(stdout, "NOT WHAT THE FILES SAY") {
				t.Errorf("status: code %d\n%s", code, stdout)
			}
			l.await(answered + 5)
			os.RemoveAll(path)
			writeConf(t, dir, good)
			if code, stdout, stderr = d.cli("reload"); code != 0 || stdout != "Nothing to do: generation 1 runs.\n" || stderr != "" {
				t.Errorf("put back: code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
	stop()
	l.check(t, d, dir)
}

// answers is how many requests have been answered.
func (l *steady) answers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.accepted) + len(l.failed)
}

// check stops the daemon when all is delivered, and checks that no request failed and
// each event is in the file once.
func (l *steady) check(t *testing.T, d *daemon, dir string) {
	t.Helper()
	d.drained()
	d.stop()
	if len(l.failed) > 0 || len(l.accepted) == 0 {
		t.Errorf("%d requests failed of %d: %v", len(l.failed), l.answers(), l.failed[:min(len(l.failed), 5)])
	}
	inFile := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	for n := range l.accepted {
		if inFile[n] != 1 {
			t.Errorf("event %d: %d times in the file", n, inFile[n])
		}
	}
}

// Edits that follow each other within a millisecond, files that come and go, with
// reloads and SIGHUPs meanwhile: what runs in the end is what the files say.
func TestReloadsInARush(t *testing.T) {
	rounds := 10
	if long {
		rounds = 100
	}
	dir := t.TempDir()
	out := newSink(t)
	conf := func(n int) string {
		return strings.Replace(reloadConf(dir, out.addr, n, "127.0.0.1:0"), "\"manual\"", "\"auto\"", 1)
	}
	configure(t, dir, conf(0))
	path := filepath.Join(dir, "conf.hcl")
	d := launch(t, dir)
	l := newSteady()
	stop := l.start(t.Context(), 200, d.url+"/a", d.url+"/b")
	for n := range rounds {
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() { d.cli("reload") })
		}
		d.cmd.Process.Signal(syscall.SIGHUP)
		writeConf(t, dir, conf(2*n))
		writeConf(t, dir, conf(2 * n)[:200])
		os.Remove(path)
		d.cmd.Process.Signal(syscall.SIGHUP)
		writeConf(t, dir, conf(2*n+1))
		if n%3 == 0 {
			until(t, fmt.Sprintf("edit %d runs", 2*n+1), func() bool {
				_, text, _ := d.cli("config", "show")
				return strings.Contains(text, fmt.Sprintf("edit = %d\n", 2*n+1))
			})
		}
		group.Wait()
	}
	until(t, "the files run", func() bool {
		code, _, _ := d.cli("plan")
		s, err := d.status()
		return err == nil && s.Stale == nil && code == 0
	})
	stop()
	l.check(t, d, dir)
}

// SIGTERM while reloads are under way: everybody is answered, and the daemon ends well.
func TestStopAmidReloads(t *testing.T) {
	dir := t.TempDir()
	out := newSink(t)
	for n := range 5 {
		configure(t, dir, reloadConf(dir, out.addr, n, "127.0.0.1:0"))
		d := launch(t, dir)
		var group sync.WaitGroup
		begun := make(chan struct{}, 64)
		for range 4 {
			group.Go(func() {
				c, err := admin.Dial(t.Context(), admin.Places("", d.stateDir))
				if err != nil {
					return // it has ended already
				}
				defer c.Close()
				for err == nil {
					begun <- struct{}{}
					_, err = c.Reload(t.Context(), admin.ReloadOptions{})
				}
				var p *admin.Problem
				var gone *admin.UnreachableError
				if !(errors.As(err, &p) && p.Status == http.StatusServiceUnavailable) && !errors.As(err, &gone) {
					t.Errorf("answered %v", err)
				}
			})
		}
		group.Go(func() {
			for m := 0; ; m++ {
				select {
				case <-d.done:
					return
				case <-time.After(time.Millisecond): // the pace of a hectic editor
					configure(t, dir, reloadConf(dir, out.addr, m, "127.0.0.1:0"))
				}
			}
		})
		for range 8 {
			<-begun
		}
		go func() {
			for range begun {
			}
		}()
		d.stop()
		group.Wait()
		close(begun)
	}
}

// While the daemon drains, a reload is answered: it comes too late.
func TestReloadWhileDraining(t *testing.T) {
	dir := t.TempDir()
	out := newSink(t)
	asked, release := make(chan struct{}, 8), make(chan struct{})
	out.set(func(http.ResponseWriter, *http.Request) bool {
		asked <- struct{}{}
		<-release
		return true
	})
	configure(t, dir, reloadConf(dir, out.addr, 0, "127.0.0.1:0"))
	d := launch(t, dir)
	if code, answer, err := post(client(), d.url+"/a", `{"n":1}`); err != nil || code != http.StatusAccepted {
		t.Fatal(code, answer, err)
	}
	<-asked
	d.cmd.Process.Signal(syscall.SIGTERM)
	until(t, "it drains", func() bool { return strings.Contains(d.said(), "draining") })
	for _, command := range [][]string{{"reload"}, {"reload", "--keep"}, {"config", "rollback", "1"}} {
		if code, _, stderr := d.cli(command...); code != 1 || stderr != "Error: the daemon is stopping\n" {
			t.Errorf("%v: code %d %s", command, code, stderr)
		}
	}
	close(release)
	<-d.done
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

// With the disk full a reload is refused with the reason; what runs goes on, and when
// there is room the reload works.
func TestReloadOnFullDisk(t *testing.T) {
	state, dir := smallDisk(t, 96<<20), t.TempDir()
	out := newSink(t)
	conf := func(n int) string {
		return strings.Replace(reloadConf(dir, out.addr, n, "127.0.0.1:0"), filepath.Join(dir, "state"), state, 1)
	}
	configure(t, dir, conf(0))
	d := launch(t, dir)
	d.stateDir = state
	generation := int64(1)
	var refused string
	var rooms []func()
	for n := 1; refused == ""; n++ { // some room is left, or becomes free
		rooms = append(rooms, fill(t, state))
		writeConf(t, dir, conf(n))
		if code, _, stderr := d.cli("reload"); code != 0 {
			refused = stderr
		} else {
			generation++
		}
	}
	if !strings.Contains(refused, "disk") || !strings.Contains(refused, fmt.Sprintf("generation %d goes on", generation)) {
		t.Errorf("refused: %s", refused)
	}
	s, err := d.status()
	if err != nil || s.Generation != generation || s.Stale == nil || len(s.Sources) < 2 {
		t.Errorf("%+v %v", s, err)
	}
	if code, _, retry := once(t, d.url+"/a"); code != http.StatusServiceUnavailable || retry == "" {
		if code != http.StatusAccepted {
			t.Errorf("the source answers %d", code)
		}
	}
	for _, release := range rooms {
		release()
	}
	until(t, "the reload works", func() bool {
		code, _, _ := d.cli("reload")
		return code == 0
	})
	until(t, "events are accepted", func() bool {
		code, _, _ := once(t, d.url+"/a")
		return code == http.StatusAccepted
	})
	d.drained()
	d.stop()
}
