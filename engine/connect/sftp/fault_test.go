package sftp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
)

// wait is longer than anything here takes.
const wait = 20 * time.Second

// TestCutGoesOn: a large file is read to its end over a connection that is cut again
// and again, each time from where it was.
func TestCutGoesOn(t *testing.T) {
	s := sshdtest.Start(t)
	p := sshdtest.NewProxy(t, s.Address())
	c := connect(t, through(p, s))
	size := 200 << 20
	if testing.Short() || os.Getenv("SYNCD_CHECK") == "" {
		size = 24 << 20
	}
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i>>16 ^ i>>8 ^ i)
	}
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var got int
	for round := 0; got < size; round++ {
		if round > 20 {
			t.Fatalf("%d bytes after %d connections", got, round)
		}
		if round < 4 {
			p.CutAfter(int64(size) / 5)
		}
		c.again = time.Time{}
		n, err := readFrom(t, c, path, got, content)
		if got += n; err != nil && p.Cuts() <= round {
			t.Fatal(err)
		}
	}
	if p.Cuts() != 4 {
		t.Errorf("%d cuts", p.Cuts())
	}
	if passed := p.Passed(); passed > int64(size)*5/4 {
		t.Errorf("%d bytes went over the wire for a file of %d", passed, size)
	}
}

// readFrom reads path from offset on and compares it, until something fails.
func readFrom(t *testing.T, fs files.FS, path string, offset int, content []byte) (n int, err error) {
	f, err := fs.Open(t.Context(), path, int64(offset))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 100_000)
	for {
		k, err := f.Read(buf)
		if at := offset + n; !bytes.Equal(buf[:k], content[at:at+k]) {
			t.Fatalf("wrong bytes at %d", at)
		}
		if n += k; err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
	}
}

// TestQuestionIsPutAgain: a connection that was lost while nobody used it is not noticed.
func TestQuestionIsPutAgain(t *testing.T) {
	s := sshdtest.Start(t)
	p := sshdtest.NewProxy(t, s.Address())
	c := connect(t, through(p, s))
	for range 5 {
		wantIn(t, c)
		p.Cut()
	}
}

// TestFrozen: a server that says nothing any more is noticed, whether it owes an answer or not.
func TestFrozen(t *testing.T) {
	s := sshdtest.Start(t)
	cfg := to(s)
	cfg.Timeout, cfg.Keepalive = 400*time.Millisecond, 300*time.Millisecond
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, use := range map[string]func(c *Client) error{
		"write": func(c *Client) error { _, err := c.Create(t.Context(), path+"2"); return err },
		"idle": func(c *Client) error {
			within(t, wait, "nothing was noticed", func() bool { return c.now.err() != nil })
			return c.now.err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, cfg)
			wantIn(t, c)
			s.Signal(syscall.SIGSTOP)
			err := use(c)
			if err == nil || !strings.Contains(err.Error(), "said nothing for") && !strings.Contains(err.Error(), "no answer within") {
				t.Errorf("got %v", err)
			}
			s.Signal(syscall.SIGCONT)
		})
	}
	t.Run("list", func(t *testing.T) {
		c := connect(t, cfg)
		wantIn(t, c)
		before := c.now
		s.Signal(syscall.SIGSTOP)
		wantIn(t, c) // by another connection: a question can be put again
		if err := before.err(); err == nil || !strings.Contains(err.Error(), "said nothing for") {
			t.Errorf("the connection ended of: %v", err)
		}
		s.Signal(syscall.SIGCONT)
	})
	t.Run("read", func(t *testing.T) {
		c := connect(t, cfg)
		f, err := c.Open(t.Context(), path, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.ReadFull(f, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		s.Signal(syscall.SIGSTOP)
		n, err := io.Copy(io.Discard, f)
		if err == nil || !strings.Contains(err.Error(), "said nothing for") || n >= 20<<20-100 {
			t.Errorf("%d bytes, then %v", n, err)
		}
		s.Signal(syscall.SIGCONT)
	})
}

// TestSlowReaderIsNoSilence: a server is not blamed for what we do not ask.
func TestSlowReaderIsNoSilence(t *testing.T) {
	s := sshdtest.Start(t)
	cfg := to(s)
	cfg.Timeout, cfg.Keepalive = 300*time.Millisecond, 100*time.Millisecond
	c := connect(t, cfg)
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := c.Open(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * cfg.Timeout) // what is tested is that nothing happens meanwhile
	if n, err := io.Copy(io.Discard, f); err != nil || n != 8<<20-1 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestCancelled: a context ends a call although the server does not answer, and
// harms nobody else's.
func TestCancelled(t *testing.T) {
	s := sshdtest.Start(t)
	p := sshdtest.NewProxy(t, s.Address())
	c := connect(t, through(p, s))
	wantIn(t, c)
	dir := t.TempDir()
	before := c.now
	p.Freeze()
	ctx, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	for name, call := range map[string]func() error{
		"list":   func() error { _, err := c.ReadDir(ctx, dir); return err },
		"stat":   func() error { _, err := c.Stat(ctx, dir); return err },
		"create": func() error { _, err := c.Create(ctx, dir+"/b"); return err },
		"rename": func() error { return c.Rename(ctx, dir+"/b", dir+"/c") },
	} {
		calls.Go(func() {
			if err := call(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	cancel()
	calls.Wait()
	p.Thaw()
	if _, err := c.ReadDir(t.Context(), dir); err != nil || c.now != before {
		t.Errorf("the connection was not kept: %v", err)
	}
}

// TestKilledWhileWriting: what was synced is there, and it goes on behind that.
func TestKilledWhileWriting(t *testing.T) {
	s := sshdtest.Start(t)
	c := connect(t, to(s))
	path := filepath.Join(t.TempDir(), "a")
	w, err := c.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	part := bytes.Repeat([]byte("0123456789"), 100_000)
	if _, err := w.Write(part); err != nil {
		t.Fatal(err)
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	s.Signal(syscall.SIGKILL)
	within(t, wait, "writing goes on", func() bool { _, err := w.Write(part); return err != nil })
	w.Close()
	w, err = c.Append(t.Context(), path, int64(len(part)))
	if err != nil {
		w, err = c.Append(t.Context(), path, int64(len(part))) // a change is not made twice by itself
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(part); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Sync(), w.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, append(part, part...)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestBackoff: a server that is not there is not asked at every call.
func TestBackoff(t *testing.T) {
	s := sshdtest.Start(t)
	p := sshdtest.NewProxy(t, s.Address())
	c := connect(t, through(p, s))
	s.Stop()
	var first error
	for n := range 50 {
		_, err := c.ReadDir(t.Context(), "/")
		if err == nil || component.IsUnwell(err) {
			t.Fatalf("call %d: %v", n, err)
		}
		if n == 0 {
			first = err
			continue
		}
		if err.Error() != first.Error() || component.Wait(err) <= 0 {
			t.Errorf("got %v, wait %s; at first %v", err, component.Wait(err), first)
		}
	}
	if c.failed != 1 {
		t.Errorf("%d attempts", c.failed)
	}
}

func TestNoSFTP(t *testing.T) {
	s := sshdtest.Start(t, "Subsystem none /bin/false", "ForceCommand /bin/false")
	c := connect(t, to(s))
	if _, err := c.ReadDir(t.Context(), "/"); err == nil {
		t.Error("got a list")
	}
}
