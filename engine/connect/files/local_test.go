package files_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/connect/files/filestest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLocal(t *testing.T) {
	filestest.Run(t, func(t *testing.T) filestest.Place {
		dir := t.TempDir()
		return filestest.Place{FS: files.Local{}, Dir: dir, Disk: dir}
	})
}

// TestMoveToAnotherFileSystem is what a rename cannot do.
func TestMoveToAnotherFileSystem(t *testing.T) {
	dir := t.TempDir()
	other, err := os.MkdirTemp("/dev/shm", "syncd") //nolint:usetesting // another file system than that of t.TempDir
	if err != nil {
		t.Log("no second file system: nothing is tested")
		return
	}
	defer os.RemoveAll(other)
	from, to := filepath.Join(dir, "a"), filepath.Join(other, "b")
	if err := os.WriteFile(from, []byte("content"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(from, filepath.Join(other, "probe")); !errors.Is(err, syscall.EXDEV) {
		t.Log("no second file system: nothing is tested")
		return
	}
	at := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	if err := os.Chtimes(from, at, at); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, ".b.part"), []byte("of an earlier attempt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (files.Local{}).Rename(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(to)
	if err != nil || !info.ModTime().Equal(at) || info.Mode() != 0o640 {
		t.Errorf("moved: %v, %v", info, err)
	}
	if b, err := os.ReadFile(to); err != nil || string(b) != "content" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := os.Stat(from); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if err := os.WriteFile(from, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (files.Local{}).Rename(t.Context(), from, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	// As if killed between the copy and the removal.
	if err := os.WriteFile(from, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(from, at, at); err != nil {
		t.Fatal(err)
	}
	if err := (files.Local{}).Rename(t.Context(), from, to); err != nil {
		t.Errorf("to its own copy: %v", err)
	}
	if _, err := os.Stat(from); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("beside its copy it is still there: %v", err)
	}
	if left, err := os.ReadDir(other); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}
