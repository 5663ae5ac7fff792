package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
)

const oneOfEach = `
listener "http" "in" { address = "%s" }
connection "fake" "c" {}
source "fake" "a" {}
source "fake" "b" {}
sink "fake" "s" {}
sink "fake" "t" {}
flow "f" {
  from = [source.fake.a, source.fake.b]
  to   = [sink.fake.s, sink.fake.t]
}
`

// freeAddress is a port that nobody has now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// When anything cannot be opened, what had been is closed, the last first; port,
// socket and state directory are free for the next start.
func TestOpenFailureLeavesNothing(t *testing.T) {
	all := []component.Address{"connection.fake.c", "sink.fake.s", "sink.fake.t", "source.fake.a", "source.fake.b"}
	for n, broken := range all {
		t.Run(string(broken), func(t *testing.T) {
			w := newWorld(t)
			w.broken = broken
			conf := fmt.Sprintf(oneOfEach, freeAddress(t))
			o := w.options()
			o.Ready = func(Ready) { t.Error("it was ready") }
			err := Run(t.Context(), w.load(conf), o)
			if err == nil || !strings.Contains(err.Error(), "conf.hcl:") || !strings.Contains(err.Error(), "open "+string(broken)+": it is broken") {
				t.Errorf("the error names neither place nor component: %v", err)
			}
			var want []string
			for _, a := range all[:n] {
				want = append(want, "open "+string(a))
			}
			for _, a := range slices.Backward(all[:n]) {
				want = append(want, "close "+string(a))
			}
			if diff := cmp.Diff(want, w.noted()); diff != "" {
				t.Error(diff)
			}
			if _, err := os.Stat(filepath.Join(w.dir, "state", "syncd.sock")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the socket is still there: %v", err)
			}
			w.broken = ""
			if err := w.start(conf).stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A port that is taken stops the start as well, and frees the state directory.
func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	conf := fmt.Sprintf(oneOfEach, taken.Addr())
	err = Run(t.Context(), w.load(conf), w.options())
	if err == nil || !strings.Contains(err.Error(), "is taken") || len(w.noted()) != 0 {
		t.Errorf("got %v; %v", err, w.noted())
	}
	taken.Close()
	if err := w.start(conf).stop(); err != nil {
		t.Error(err)
	}
}
