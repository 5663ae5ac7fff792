package faults

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
			d := launch(t, dir, strace, "-f", "-y", "-s", "32", "-o", log,
				"-e", "trace=fsync,fdatasync,write,writev,pwrite64")
			l := &load{accepted: map[int]bool{}}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			l.run(ctx, conns, func() string { return d.url + "/in" })
			d.cmd.Process.Kill() // strace; the daemon dies with it or is killed below
			<-d.done
			exec.Command("pkill", "-9", "-f", filepath.Join(dir, "conf.hcl")).Run()
			answers, syncs := checkOrder(t, trace(t, log))
			if answers < 50 {
				t.Fatalf("only %d answers traced", answers)
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

// checkOrder wants a sync of the journal after its last write before each 202,
// unless another commit has begun since: then one since the answer's own.
func checkOrder(t *testing.T, calls []call) (answers, syncs int) {
	t.Helper()
	written, synced := 0, 0 // commits begun, and covered by a sync
	var dirty bool
	for i, c := range calls {
		wal := strings.HasSuffix(c.file, "-wal")
		switch {
		case wal && strings.HasPrefix(c.name, "pwrite"), wal && c.name == "write":
			if !dirty {
				written++
			}
			dirty = true
		case wal && strings.HasSuffix(c.name, "sync"):
			syncs++
			synced, dirty = written, false
		case strings.Contains(c.text, `"HTTP/1.1 202`):
			answers++
			if synced == 0 {
				t.Fatalf("call %d: answer %d came before any sync", i, answers)
			}
			if answers > 1 && synced < written-1 {
				t.Fatalf("call %d: answer %d came with %d commits not synced", i, answers, written-synced)
			}
		}
	}
	return answers, syncs
}
