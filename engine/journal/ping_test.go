package journal_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

func ping(t *testing.T, j *journal.SQLite) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return j.Ping(ctx)
}

func TestPing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		hang := false
		j := openIn(t, dir, journal.Options{Hooks: journal.Hooks{BeforeCommit: func() error {
			if hang {
				<-release
			}
			return nil
		}}})
		if err := ping(t, j); err != nil {
			t.Fatal(err)
		}
		hang = true
		go appendOne(j, "a")
		synctest.Wait()
		for range 3 { // the first may be taken, the others wait in the queue
			if err := ping(t, j); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("while the writer hangs: %v", err)
			}
		}
		hang = false
		close(release)
		if err := ping(t, j); err != nil {
			t.Errorf("when it goes on: %v", err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if err := ping(t, j); !errors.Is(err, journal.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// The ping itself is in the transaction that hangs.
func TestPingInHangingCommit(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		j := openIn(t, dir, journal.Options{Hooks: journal.Hooks{BeforeCommit: func() error { <-release; return nil }}})
		if err := ping(t, j); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(release)
		if err := ping(t, j); err != nil {
			t.Error(err)
		}
	})
}

// Trouble is not death.
func TestPingOnFullDisk(t *testing.T) {
	j := openIn(t, t.TempDir(), journal.Options{Ballast: -1, Hooks: journal.Hooks{BeforeCommit: func() error { return syscall.ENOSPC }}})
	later(t, appendOne(j, "a"), "disk full")
	if err := ping(t, j); err != nil {
		t.Error(err)
	}
}
