//go:build linux

package faults

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const acceptConf = `
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
`

// call is a system call that has returned, as strace tells of it.
type call struct{ name, file, text string }

var (
	traced     = regexp.MustCompile(`^(\d+)\s+(.*)$`)
	began      = regexp.MustCompile(`^(\w+)\((?:\d+<([^>]*)>)?(.*)$`)
	resumed    = regexp.MustCompile(`^<\.\.\. (\w+) resumed>`)
	unfinished = "<unfinished ...>"
)

// trace reads strace's output. Writes stand where they began, since from then on
// the other side may see them; syncs where they ended, since only then they hold.
func trace(t *testing.T, path string) []call {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var calls []call
	open := map[string]call{} // syncs under way, by thread
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := traced.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		thread, text := m[1], m[2]
		if resumed.MatchString(text) {
			if c, ok := open[thread]; ok {
				calls = append(calls, c)
				delete(open, thread)
			}
			continue
		}
		b := began.FindStringSubmatch(text)
		if b == nil {
			continue
		}
		c := call{b[1], filepath.Base(b[2]), b[3]}
		if strings.HasSuffix(c.name, "sync") && strings.Contains(text, unfinished) {
			open[thread] = c
			continue
		}
		calls = append(calls, c)
	}
	return calls
}

// A power cut loses what is not synced: the order of the system calls shows that
// each 202 is written to its socket only after a sync has covered the commit, and
// how many syncs an event costs.
func TestEach202ComesAfterTheSync(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: install it to see the order of system calls")
	}
	for _, conns := range []int{1, 16} {
		t.Run(fmt.Sprintf("connections=%d", conns), func(t *testing.T) {
			dir := t.TempDir()
			configure(t, dir, acceptConf)
			log := filepath.Join(dir, "trace")
			d := launchTraced(t, dir, strace, log)
			l := &load{accepted: map[int]bool{}}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			l.run(ctx, conns, func() string { return d.url + "/in" })
			answers, syncs, early := order(d.killTraced(t, log))
			if answers < 50 {
				t.Fatalf("only %d answers traced", answers)
			}
			// To one connection nothing is under way while it is answered, but for the
			// journal's own upkeep once a second.
			if conns == 1 && early > 5 {
				t.Errorf("%d of %d answers came before the journal's last write was synced", early, answers)
			}
			t.Logf("%d answers, %d syncs: %.2f per event", answers, syncs, float64(syncs)/float64(answers))
			if conns == 1 && syncs < answers {
				t.Errorf("%d syncs for %d answers to one connection: some answer was not synced by itself", syncs, answers)
			}
			if conns > 1 && syncs > answers {
				t.Errorf("%d syncs for %d answers: commits do not share them", syncs, answers)
			}
		})
	}
}

// launchTraced has strace write down what reaches files and sockets, and in which order.
func launchTraced(t *testing.T, dir, strace, log string) *daemon {
	t.Helper()
	return launch(t, dir, strace, "-D", "-f", "-y", "-s", "32", "-o", log,
		"-e", "trace=fsync,fdatasync,write,writev,pwrite64,rename,renameat,renameat2")
}

// killTraced gives what has been written down.
func (d *daemon) killTraced(t *testing.T, log string) []call {
	t.Helper()
	d.kill()
	until(t, "the end of the trace", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(text), "+++ killed by SIGKILL +++")
	})
	return trace(t, log)
}

// A large payload is in a file of its own: before the commit that names the file begins,
// what it holds is synced, and so is its name.
func TestLargePayloadsAreSyncedBeforeTheirCommit(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: install it to see the order of system calls")
	}
	dir := t.TempDir()
	configure(t, dir, acceptConf)
	log := filepath.Join(dir, "trace")
	d := launchTraced(t, dir, strace, log)
	const events = 10
	for n := range events {
		if code, answer, err := post(client(), d.url+"/in", `"`+strings.Repeat(strconv.Itoa(n), 2<<20)+`"`); err != nil || code != http.StatusAccepted {
			t.Fatal(code, answer, err)
		}
	}
	// What must come one after the other before each answer.
	steps := []struct {
		what string
		is   func(c call) bool
	}{
		{"its file is synced", func(c call) bool { return strings.HasPrefix(c.file, ".new-") && strings.HasSuffix(c.name, "sync") }},
		{"it gets its name", func(c call) bool { return strings.HasPrefix(c.name, "rename") }},
		{"the name is synced", func(c call) bool { return c.file == "blobs" && strings.HasSuffix(c.name, "sync") }},
		{"the commit is written", func(c call) bool { return strings.HasSuffix(c.file, "-wal") && c.name == "pwrite64" }},
		{"the commit is synced", func(c call) bool { return strings.HasSuffix(c.file, "-wal") && strings.HasSuffix(c.name, "sync") }},
	}
	step, answers := 0, 0
	for _, c := range d.killTraced(t, log) {
		switch {
		case strings.Contains(c.text, `"HTTP/1.1 202`):
			if step < len(steps) {
				t.Fatalf("answer %d comes before this: %s", answers, steps[step].what)
			}
			step, answers = 0, answers+1
		case step < len(steps) && steps[step].is(c):
			step++
		}
	}
	if answers != events {
		t.Errorf("%d answers traced, want %d", answers, events)
	}
}

// order counts the answers, the syncs of the journal, and the answers that came
// while something written to the journal was not synced yet.
func order(calls []call) (answers, syncs, early int) {
	dirty := true
	for _, c := range calls {
		wal := strings.HasSuffix(c.file, "-wal")
		switch {
		case wal && strings.HasSuffix(c.name, "sync"):
			syncs++
			dirty = false
		case wal:
			dirty = true
		case strings.Contains(c.text, `"HTTP/1.1 202`):
			answers++
			if dirty {
				early++
			}
		}
	}
	return answers, syncs, early
}
