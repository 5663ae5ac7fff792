package files

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// during runs the source while f is at work, in a bubble of time.
func during(t *testing.T, set func(*world), f func(*world, *source)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		set(w)
		ctx, stop := context.WithCancel(t.Context())
		s, done := w.source(), make(chan error, 1)
		go func() { done <- s.Run(ctx, w) }()
		f(w, s)
		stop()
		if err := <-done; ctx.Err() == nil || err != nil && ctx.Err() != err {
			t.Error(err)
		}
	})
}

func TestSlowUpload(t *testing.T) {
	during(t, func(w *world) { w.config.Settle = 10 * time.Second }, func(w *world, s *source) {
		for n := range 20 {
			f, err := os.OpenFile(w.path("a.csv"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				f.WriteString("id\n")
			}
			f.WriteString("1")
			f.Close()
			w.touch("a.csv", time.Now()) // time in the bubble
			time.Sleep(7 * time.Second)
			f, err = os.OpenFile(w.path("a.csv"), os.O_APPEND|os.O_WRONLY, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			f.WriteString("2\n")
			f.Close()
			w.touch("a.csv", time.Now())
			time.Sleep(9 * time.Second)
			w.wants()
		}
		if note := s.Report().Note; note != "1 file yet to settle" {
			t.Error(note)
		}
		time.Sleep(2 * time.Minute)
		w.mu.Lock()
		n := len(w.rows)
		w.mu.Unlock()
		if n != 20 || w.rows[19] != "a.csv:20 12" {
			t.Errorf("%d rows: %v", n, w.rows)
		}
	})
}

func TestOnSchedule(t *testing.T) {
	during(t, func(w *world) { w.config.Every = time.Hour }, func(w *world, s *source) {
		time.Sleep(time.Minute)
		w.write("a.csv", table(1, 1))
		time.Sleep(50 * time.Minute)
		w.wants()
		time.Sleep(10 * time.Minute)
		w.wants("a.csv:1 1")
		w.write("b.csv", table(2, 1))
		if err := s.Trigger(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		w.wants("b.csv:1 2")
	})
}

// The journal says "later" again and again; each row is accepted once.
func TestLater(t *testing.T) {
	during(t, func(w *world) {
		n := 0
		w.before = func(op, _ string) error {
			if n++; op == "accept" && n%2 == 0 {
				return &component.LaterError{Reason: "disk full", After: time.Minute}
			}
			return nil
		}
	}, func(w *world, s *source) {
		s.chunkRows = 1
		w.write("a.csv", table(1, 4))
		time.Sleep(30 * time.Minute)
		w.wants("a.csv:1 1", "a.csv:2 2", "a.csv:3 3", "a.csv:4 4")
	})
}

// A connection that is lost in the middle of a file: it goes on where it was.
func TestConnectionLost(t *testing.T) {
	reads := 0
	during(t, func(w *world) {
		w.write("a.csv", "id,text\n"+strings.Repeat("1,"+strings.Repeat("x", 99)+"\n", 20_000))
		w.before = func(op, _ string) error {
			if op == "read" {
				if reads++; reads%9 == 0 {
					return errCrash
				}
			}
			return nil
		}
	}, func(w *world, s *source) {
		time.Sleep(time.Hour)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.rows) != 20_000 {
			t.Errorf("%d rows", len(w.rows))
		}
		for i, r := range w.rows {
			if !strings.HasPrefix(r, fmt.Sprintf("a.csv:%d ", i+1)) {
				t.Fatalf("row %d is %s", i, r)
			}
		}
		if reads > 60 {
			t.Errorf("%d reads for 2 MB", reads)
		}
	})
}

// What the ledger keeps of files that are gone goes, and of those that are there stays.
func TestLedgerIsPruned(t *testing.T) {
	w := newWorld(t)
	w.write("a.csv", table(1, 1))
	w.write("b.csv", table(2, 1))
	s := w.source()
	if err := w.again(s); err != nil {
		t.Fatal(err)
	}
	commits := w.commit
	if err := w.again(s); err != nil || w.commit != commits {
		t.Errorf("%v; %d commits for a look at what is known", err, w.commit-commits)
	}
	if err := os.Remove(w.path("a.csv")); err != nil {
		t.Fatal(err)
	}
	if err := w.again(s); err != nil {
		t.Fatal(err)
	}
	left := func(name string) int { return int(time.Until(w.until["file/"+name]).Hours()/24 + 0.5) }
	if a, b := left("a.csv"), left("b.csv"); a != 30 || b != 400 {
		t.Errorf("%d and %d days", a, b)
	}
	w.write("c.csv", table(3, 1))
	s.env.Now = func() time.Time { return time.Now().AddDate(0, 0, 200) }
	for range 2 {
		if err := w.again(s); err != nil {
			t.Fatal(err)
		}
	}
	if b := left("b.csv"); b != 600 {
		t.Errorf("renewed for %d days", b)
	}
	w.wants("a.csv:1 1", "b.csv:1 2", "c.csv:1 3")
}

// On this machine's disk no schedule is waited for.
func TestWatched(t *testing.T) {
	w := newWorld(t)
	w.config.Connection = component.Ref{}
	w.config.Match, w.config.Every = "**/*.csv", time.Hour
	w.write("a.csv", table(1, 1))
	w.mkdir("d")
	ctx, stop := context.WithCancel(t.Context())
	s, done := w.source(), make(chan error, 1)
	go func() { done <- s.Run(ctx, w) }()
	await := func(want int) {
		t.Helper()
		for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
			w.mu.Lock()
			n := len(w.rows)
			w.mu.Unlock()
			if n >= want {
				return
			}
		}
		t.Fatalf("%d rows never came", want)
	}
	await(1)
	w.write("d/b.csv", table(2, 1))
	await(2)
	w.mkdir("e") // while it looks elsewhere
	w.write("e/c.csv", table(3, 1))
	await(3)
	stop()
	<-done
	w.wants("a.csv:1 1", "d/b.csv:1 2", "e/c.csv:1 3")
	if s.hub.watcher != nil || len(s.hub.by) != 0 {
		t.Error("directories are watched still")
	}
}
