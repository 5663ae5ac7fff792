package admin

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSocketIsPrivate(t *testing.T) {
	_, path := start(t, &fake{})
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", fi.Mode())
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	c, path := start(t, &fake{})
	_, err := Listen(path)
	if err == nil || !strings.Contains(err.Error(), "another daemon answers") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("the first one does not answer any more: %v", err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	l, err = Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("socket left behind: %v", err)
	}
}

func TestOtherFileIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil {
		t.Fatal("listening in place of a file")
	}
	if b, _ := os.ReadFile(path); string(b) != "mine" {
		t.Errorf("file now holds %q", b)
	}
}

func TestLongPathSaysWhatToDo(t *testing.T) {
	_, err := Listen("/tmp/" + strings.Repeat("x", 120))
	if err == nil || !strings.Contains(err.Error(), "RUNTIME_DIRECTORY") {
		t.Errorf("got %v", err)
	}
}

func TestPlaces(t *testing.T) {
	for _, tc := range []struct {
		socket, state, runtime string
		want                   []string
	}{
		{"/s", "/d", "/r", []string{"/s"}},
		{"", "/d", "/r", []string{"/d/syncd.sock"}},
		{"", "", "/r:/q", []string{"/r/syncd.sock", "/run/syncd/syncd.sock", ".syncd/syncd.sock"}},
		{"", "", "", []string{"/run/syncd/syncd.sock", ".syncd/syncd.sock"}},
	} {
		t.Setenv("RUNTIME_DIRECTORY", tc.runtime)
		var got []string
		for _, p := range Places(tc.socket, tc.state) {
			got = append(got, p.Path)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%+v: %s", tc, d)
		}
	}
}

func TestSocketPath(t *testing.T) {
	t.Setenv("RUNTIME_DIRECTORY", "")
	if got := SocketPath("/var/lib/syncd"); got != "/var/lib/syncd/syncd.sock" {
		t.Error(got)
	}
	t.Setenv("RUNTIME_DIRECTORY", "/run/syncd")
	if got := SocketPath("/var/lib/syncd"); got != "/run/syncd/syncd.sock" {
		t.Error(got)
	}
}

func TestUnreachableTeaches(t *testing.T) {
	dir := t.TempDir()
	_, err := Dial(t.Context(), []Place{{filepath.Join(dir, "a"), "--socket"}, {filepath.Join(dir, "b"), "$RUNTIME_DIRECTORY"}})
	var u *UnreachableError
	if !errors.As(err, &u) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{dir + "/a (--socket): not there", dir + "/b ($RUNTIME_DIRECTORY)", "syncd run", "--state-dir"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}
