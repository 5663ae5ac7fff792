package sftp

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
)

// TestRenameCutInTwo: OpenSSH gives the new name before it takes the old one away. A
// server that is killed between leaves both, and the next attempt ends it.
func TestRenameCutInTwo(t *testing.T) {
	c := connect(t, to(sshdtest.Start(t)))
	dir := fast(t)
	at := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	write := func(name, text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(dir+name, []byte(text), 0o600), os.Chtimes(dir+name, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	write("/a", "one")
	if err := os.Link(dir+"/a", dir+"/b"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rename(t.Context(), dir+"/a", dir+"/b"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir + "/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name is still there: %v", err)
	}
	if i, err := os.Lstat(dir + "/b"); err != nil || !i.ModTime().Equal(at) {
		t.Errorf("got %v, %v", i, err)
	}

	write("/a", "one") // in all that can be seen the same, and yet another
	if err := c.Rename(t.Context(), dir+"/a", dir+"/b"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"/a", "/b"} {
		if i, err := os.Lstat(dir + name); err != nil || !i.ModTime().Equal(at) {
			t.Errorf("got %v, %v", i, err)
		}
	}
}

// TestRenameToItself: two paths may lead to one name, which stays.
func TestRenameToItself(t *testing.T) {
	c := connect(t, to(sshdtest.Start(t)))
	dir := fast(t)
	if err := errors.Join(os.Mkdir(dir+"/in", 0o700), os.WriteFile(dir+"/in/a", []byte("one"), 0o600), os.Symlink("in", dir+"/also")); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"/in/a", "/also/a"} {
		if err := c.Rename(t.Context(), dir+"/in/a", dir+to); !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v", err)
		}
		if b, err := os.ReadFile(dir + "/in/a"); err != nil || string(b) != "one" {
			t.Errorf("got %q, %v", b, err)
		}
	}
}
