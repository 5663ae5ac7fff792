package files

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/connect/sftp"
	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
	"github.com/syncd/syncd/engine/schedule"
)

// remote has the world's source read over OpenSSH's server.
func (w *world) remote(p *sshdtest.Proxy, s *sshdtest.Server) *source {
	w.Helper()
	c := sftp.Kind.NewConfig().(*sftp.Config)
	c.Host, c.Port, c.User, c.PrivateKey = p.Host, p.Port, s.User, component.NewSecret(s.Key)
	c.HostKey = string(ssh.MarshalAuthorizedKey(s.HostKey.PublicKey()))
	is, err := sftp.Kind.Open(component.Env{Address: "connection.sftp.test", Log: w.source().env.Log}, c)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := is.(component.Closer).Close(); err != nil {
			w.Error(err)
		}
	})
	source := w.source()
	source.fs = is.(files.FS)
	source.Runner, err = schedule.New(schedule.Options{
		Config: w.config.Config, Log: source.env.Log, Now: time.Now,
		Retry: component.Retry{Initial: 10 * time.Millisecond, Max: 100 * time.Millisecond},
	})
	if err != nil {
		w.Fatal(err)
	}
	return source
}

// ordered is an intake that wants rows 1, 2, 3 … and keeps none of them.
type ordered struct {
	*world
	mu    sync.Mutex
	rows  int64
	done  chan struct{} // closed with the last
	total int64
}

func (o *ordered) Accept(ctx context.Context, b component.Batch) ([]component.Accepted, error) {
	drafts := b.Drafts
	b.Drafts = nil
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range drafts {
		var meta struct{ Row int64 }
		if err := json.Unmarshal(d.RawMeta, &meta); err != nil || meta.Row != o.rows+1 || d.Fault != nil || d.Values[0] != fmt.Sprint(meta.Row) {
			o.Errorf("row %d comes after %d: %v, %v, %v", meta.Row, o.rows, d.Values, d.Fault, err)
		}
		if o.rows = meta.Row; o.rows == o.total {
			close(o.done)
		}
	}
	return o.world.Accept(ctx, b)
}

// A large file comes over a connection that is cut again and again: each row once,
// and hardly a byte twice.
func TestCutsOverSFTP(t *testing.T) {
	server := sshdtest.Start(t)
	proxy := sshdtest.NewProxy(t, server.Address())
	w := newWorld(t)
	w.config.After.Move = w.template("./done/{{ meta.file.name }}")
	size := int64(16 << 20)
	if os.Getenv("SYNCD_CHECK") != "" {
		size = 200 << 20
	}
	o := &ordered{world: w, done: make(chan struct{}), total: bigTable(t, w.path("big.csv"), size)}
	s := w.remote(proxy, server)
	proxy.CutAfter(size / 3)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, o) }()
	deadline := time.After(3 * time.Minute)
	for cut, over := 1, false; !over; {
		select {
		case <-o.done:
			over = true
		case <-deadline:
			t.Fatalf("%d of %d rows", o.rows, o.total)
		case <-time.After(20 * time.Millisecond):
			if proxy.Cuts() == cut && cut < 3 {
				cut++
				proxy.CutAfter(size / 4)
			}
		}
	}
	eventually(t, "it is moved, and that is on record", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		_, err := os.Stat(filepath.Join(filepath.Dir(w.dir), "done", "big.csv"))
		return err == nil && w.ledger() == nil
	})
	stop()
	<-ended
	if proxy.Cuts() < 2 {
		t.Errorf("only %d cuts", proxy.Cuts())
	}
	// What is on its way at a cut is lost: what was asked for ahead, and is not committed.
	if passed := proxy.Passed(); passed > size+int64(proxy.Cuts())*(6<<20) {
		t.Errorf("%d bytes went over the wire for a file of %d", passed, size)
	}
}

func bigTable(t *testing.T, path string, size int64) (rows int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out, text := bufio.NewWriterSize(f, 1<<20), strings.Repeat("abcdefgh", 25)
	fmt.Fprintln(out, "id,text")
	for written := int64(0); written < size; rows++ {
		n, _ := fmt.Fprintf(out, "%d,%s\n", rows+1, text)
		written += int64(n)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Errorf("never: %s", what)
}

// The server dies whenever something is moved; each file is moved once, and read once.
func TestServerDiesAtEachMove(t *testing.T) {
	server := sshdtest.Start(t)
	proxy := sshdtest.NewProxy(t, server.Address())
	w := newWorld(t)
	w.config.Match = "*.csv"
	w.config.DoneMarker = w.template("{{ meta.file.name }}.ok")
	w.config.After.Move = w.template("./done/{{ meta.file.name }}")
	s := w.remote(proxy, server)
	var want, tree []string
	for n := range 5 {
		name := fmt.Sprintf("%d.csv", n)
		w.write(name, table(n, 1))
		w.write(name+".ok", "")
		want, tree = append(want, fmt.Sprintf("%s:1 %d", name, n)), append(tree, "done/"+name)
	}
	s.fs = &place{w, s.fs}
	moves := 0
	w.before = func(op, _ string) error {
		if op != "renamed" && op != "rename" {
			return nil
		}
		if moves++; moves%3 == 0 {
			server.Signal(syscall.SIGKILL)
			return &os.PathError{Op: "rename", Err: errCrash}
		}
		return nil
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, w) }()
	eventually(t, "the last is moved", func() bool {
		_, err := os.Stat(filepath.Join(filepath.Dir(w.dir), "done", "4.csv"))
		return err == nil
	})
	stop()
	<-ended
	w.before = nil
	s.seen = nil
	if err := w.again(s); err != nil {
		t.Fatal(err)
	}
	w.wants(want...)
	w.tree(tree...)
	if moves < 6 {
		t.Errorf("%d moves", moves)
	}
}

// The server is killed between the halves of renaming: the file has both names. It
// is not read again.
func TestMoveCutInTwo(t *testing.T) {
	server := sshdtest.Start(t)
	w := newWorld(t)
	w.config.After.Move = w.template("./done/{{ meta.file.name }}")
	w.write("a.csv", table(1, 2))
	done := filepath.Join(filepath.Dir(w.dir), "done")
	s := w.remote(sshdtest.NewProxy(t, server.Address()), server)
	s.fs = &place{w, s.fs}
	w.before = func(op, path string) error {
		if op != "rename" {
			return nil
		}
		w.before = nil
		if err := errors.Join(os.Mkdir(done, 0o755), os.Link(w.path("a.csv"), done+"/a.csv")); err != nil {
			t.Fatal(err)
		}
		return errors.New("the server was killed")
	}
	if err := w.again(s); err == nil {
		t.Fatal("nothing failed")
	}
	w.wants("a.csv:1 1", "a.csv:2 2")
	for range 2 {
		if err := w.again(s); err != nil {
			t.Fatal(err)
		}
	}
	w.wants()
	w.tree("done/a.csv")
}
