package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/journal/journaltest"
)

func openIn(t *testing.T, dir string, o journal.Options) *journal.SQLite {
	t.Helper()
	if o.Ballast == 0 {
		o.Ballast = -1
	}
	j, err := journal.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func appendOne(j journal.Journal, body string) error {
	now := time.Now()
	_, err := j.Append(context.Background(), journal.Append{Source: "shop", Records: []journal.Record{{
		ID: journal.NewID(now), Time: now, Payload: journal.Payload{ContentType: "text/plain", Raw: []byte(body)}}}})
	return err
}

func stored(t *testing.T, j journal.Journal) (bodies []string) {
	t.Helper()
	frames, err := j.Read(t.Context(), "shop", 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		for _, e := range f.Events {
			bodies = append(bodies, string(e.Payload.Raw))
		}
	}
	return bodies
}

func settleOne(j journal.Journal, p journal.Position) error {
	return j.Settle(context.Background(), journal.Settlement{Lane: journal.Lane{Flow: "orders", Sink: "crm"},
		Outcomes: []journal.Outcome{{Source: "shop", Position: p, Status: journal.Delivered}}})
}

var errFault = errors.New("injected fault")

// stubborn repeats what met an injected fault. Since nothing of a failed call may
// stay, a journal that forgets well looks like one that never failed.
type stubborn struct{ journal.Journal }

func insist[T any](f func() (T, error)) (v T, err error) {
	for {
		if v, err = f(); !errors.Is(err, errFault) {
			return v, err
		}
	}
}

func (s stubborn) Append(ctx context.Context, a journal.Append) ([]component.Accepted, error) {
	return insist(func() ([]component.Accepted, error) { return s.Journal.Append(ctx, a) })
}

func (s stubborn) Configure(ctx context.Context, t journal.Topology) ([]journal.Progress, error) {
	return insist(func() ([]journal.Progress, error) { return s.Journal.Configure(ctx, t) })
}

func (s stubborn) Settle(ctx context.Context, x journal.Settlement) error {
	_, err := insist(func() (int, error) { return 0, s.Journal.Settle(ctx, x) })
	return err
}

func (s stubborn) Revive(ctx context.Context, id int64) (journal.Exception, error) {
	return insist(func() (journal.Exception, error) { return s.Journal.Revive(ctx, id) })
}

func (s stubborn) Drop(ctx context.Context, id int64) (journal.Exception, error) {
	return insist(func() (journal.Exception, error) { return s.Journal.Drop(ctx, id) })
}

func (s stubborn) DropLane(ctx context.Context, l journal.Lane) error {
	_, err := insist(func() (int, error) { return 0, s.Journal.DropLane(ctx, l) })
	return err
}

func TestFailedCommitsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	var commits atomic.Int64
	fail := func() error {
		if commits.Add(1)%3 == 0 {
			return errFault
		}
		return nil
	}
	h := journaltest.Harness{
		Open: func(t *testing.T, s journaltest.Settings) journal.Journal {
			return stubborn{openIn(t, dir, journal.Options{Retention: s.Retention, Hooks: journal.Hooks{BeforeCommit: fail}})}
		},
		Kill: func(_ *testing.T, j journal.Journal) { j.(stubborn).Journal.(*journal.SQLite).Abandon() },
	}
	synctest.Test(t, func(t *testing.T) { journaltest.Random(t, h, 7, 200) })
	if commits.Load() < 200 {
		t.Errorf("only %d commits", commits.Load())
	}
}

func TestFailedCommit(t *testing.T) {
	var fault atomic.Pointer[error]
	var log strings.Builder
	dir := t.TempDir()
	j := openIn(t, dir, journal.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Hooks: journal.Hooks{BeforeCommit: func() error {
		if e := fault.Load(); e != nil {
			return *e
		}
		return nil
	}}})
	if err := appendOne(j, "a"); err != nil {
		t.Fatal(err)
	}
	fault.Store(&errFault)
	for range 3 {
		if err := appendOne(j, "b"); !errors.Is(err, errFault) {
			t.Fatalf("got %v, want the fault", err)
		}
	}
	fault.Store(nil)
	if err := appendOne(j, "c"); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(stored(t, j)); got != "[a c]" {
		t.Errorf("stored %s, want [a c]", got)
	}
	j.Close()
	if n := strings.Count(log.String(), "cannot be written"); n != 1 {
		t.Errorf("the trouble was logged %d times:\n%s", n, log.String())
	}
}

func TestKillAfterCommit(t *testing.T) {
	dir := t.TempDir()
	armed := false
	j := openIn(t, dir, journal.Options{Hooks: journal.Hooks{AfterCommit: func() error {
		if armed {
			return errFault
		}
		return nil
	}}})
	if err := appendOne(j, "a"); err != nil {
		t.Fatal(err)
	}
	armed = true
	if err := appendOne(j, "b"); !errors.Is(err, journal.ErrClosed) {
		t.Fatalf("got %v, want ErrClosed", err)
	}
	if err := appendOne(j, "c"); !errors.Is(err, journal.ErrClosed) {
		t.Fatalf("got %v, want ErrClosed", err)
	}
	j.Abandon()
	j = openIn(t, dir, journal.Options{})
	if got := fmt.Sprint(stored(t, j)); got != "[a b]" {
		t.Errorf("stored %s, want what was committed: [a b]", got)
	}
}

// TestFullDiskByHook shows what follows a commit that met ENOSPC.
func TestFullDiskByHook(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		j := openIn(t, dir, journal.Options{Ballast: 1 << 20, Retention: time.Hour, Hooks: journal.Hooks{BeforeCommit: func() error {
			if full.Load() {
				return fmt.Errorf("write: %w", syscall.ENOSPC)
			}
			return nil
		}}})
		ballast := filepath.Join(dir, "ballast")
		if st, err := os.Stat(ballast); err != nil || st.Size() != 1<<20 {
			t.Fatalf("the ballast: %v, %v", st, err)
		}
		if _, err := j.Configure(t.Context(), shopFlow("crm")); err != nil {
			t.Fatal(err)
		}
		if err := appendOne(j, "a"); err != nil {
			t.Fatal(err)
		}
		full.Store(true)
		later(t, appendOne(j, "b"), "disk full")
		if _, err := os.Stat(ballast); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the ballast is still there: %v", err)
		}
		full.Store(false)
		later(t, appendOne(j, "b"), "disk full")
		if err := settleOne(j, 1); err != nil {
			t.Errorf("settling on the ballast's room: %v", err)
		}
		if s, err := j.Stats(t.Context()); err != nil || s.Full != "disk full" {
			t.Errorf("stats: %q, %v", s.Full, err)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if err := appendOne(j, "c"); err != nil {
			t.Errorf("with room again: %v", err)
		}
		if _, err := os.Stat(ballast); err != nil {
			t.Errorf("the ballast was not laid again: %v", err)
		}
		if s, _ := j.Stats(t.Context()); s.Full != "" {
			t.Errorf("stats still say %q", s.Full)
		}
	})
}

func later(t *testing.T, err error, reason string) {
	t.Helper()
	var l *component.LaterError
	if !errors.As(err, &l) || !strings.Contains(l.Reason, reason) || l.After <= 0 {
		t.Fatalf("got %v, want to be told: %s", err, reason)
	}
}

// TestFullDisk fills a small file system for real, and makes room again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, 0) })
	state := filepath.Join(dir, "state")
	j := openIn(t, state, journal.Options{Ballast: 64 << 20, Retention: time.Hour})
	t.Cleanup(func() { j.Close() })
	if _, err := j.Configure(t.Context(), shopFlow("crm")); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := appendOne(j, "a"); err != nil {
			t.Fatal(err)
		}
	}
	filler := filepath.Join(dir, "filler")
	fillDisk(t, filler)
	n := 20
	for ; n < 10_000; n++ {
		if err := appendOne(j, strings.Repeat(fmt.Sprint(n), 2000)); err != nil {
			later(t, err, "disk full")
			break
		}
	}
	for p := range journal.Position(20) {
		if err := settleOne(j, p+1); err != nil {
			t.Fatalf("settle on a full disk: %v", err)
		}
	}
	later(t, appendOne(j, "b"), "disk full")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	wake := time.NewTicker(50 * time.Millisecond)
	defer wake.Stop()
	deadline := time.After(20 * time.Second)
	for appendOne(j, "c") != nil {
		select {
		case <-wake.C:
		case <-deadline:
			t.Fatal("nothing is accepted though there is room again")
		}
	}
	if got := len(stored(t, j)); got != n+1 {
		t.Errorf("%d events are stored, want %d", got, n+1)
	}
}

func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			return
		}
	}
}

// TestSettlementsRideOnAppends counts the commits of appends and settlements that
// come together.
func TestSettlementsRideOnAppends(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		commits := 0
		j := openIn(t, dir, journal.Options{Hooks: journal.Hooks{AfterCommit: func() error { commits++; return nil }}})
		if _, err := j.Configure(t.Context(), shopFlow("crm")); err != nil {
			t.Fatal(err)
		}
		if err := appendOne(j, "first"); err != nil {
			t.Fatal(err)
		}
		before, settled := commits, make(chan error, 50)
		for n := range journal.Position(50) {
			go func() { settled <- settleOne(j, n+1) }()
			time.Sleep(time.Millisecond)
			if err := appendOne(j, "next"); err != nil {
				t.Fatal(err)
			}
		}
		for range 50 {
			if err := <-settled; err != nil {
				t.Fatal(err)
			}
		}
		if n := commits - before; n != 50 {
			t.Errorf("%d commits for 50 appends with a settlement each", n)
		}
		began := time.Now()
		if err := settleOne(j, 51); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d > 10*time.Millisecond {
			t.Errorf("a settlement without company waited %v", d)
		}
		time.Sleep(time.Second)
		began = time.Now()
		if err := settleOne(j, 51); err != nil || time.Since(began) != 0 {
			t.Errorf("a settlement waited %v when nothing was appended lately (%v)", time.Since(began), err)
		}
	})
}

func TestAbandonedCopyIsWhole(t *testing.T) {
	dir, copied := t.TempDir(), t.TempDir()
	j := openIn(t, dir, journal.Options{})
	for n := range 50 {
		if err := appendOne(j, fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"journal.db", "journal.db-wal"} { // as a power cut leaves them
		copyFile(t, filepath.Join(dir, name), filepath.Join(copied, name))
	}
	k := openIn(t, copied, journal.Options{Retention: time.Hour})
	if got := len(stored(t, k)); got != 50 {
		t.Errorf("%d events of 50 are on disk", got)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	r, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := io.Copy(w, r); err != nil {
		t.Fatal(err)
	}
}
