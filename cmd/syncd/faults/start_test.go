//go:build linux

package faults

import (
	"database/sql"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite"
)

// refuse runs the daemon where it cannot start and gives what it said.
func refuse(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.Command(program, "run", "-c", filepath.Join(dir, "conf.hcl")).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("ended with %v, want exit code 1:\n%s", err, out)
	}
	return string(out)
}

func wantSaid(t *testing.T, said string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(said, p) {
			t.Errorf("the message does not say %q:\n%s", p, said)
		}
	}
	if strings.Contains(said, "goroutine ") {
		t.Errorf("a stack is no message:\n%s", said)
	}
}

func TestRefusesToStart(t *testing.T) {
	t.Run("state directory not writable", func(t *testing.T) {
		dir, ro := t.TempDir(), smallDisk(t, 1<<20)
		if err := syscall.Mount("", ro, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Skipf("cannot mount read-only: %v", err)
		}
		configure(t, dir, "daemon { state_dir = \""+ro+"/state\" }\n"+acceptConf)
		wantSaid(t, refuse(t, dir), ro, "read-only")
	})
	t.Run("database of a newer version", func(t *testing.T) {
		dir := t.TempDir()
		configure(t, dir, acceptConf)
		launch(t, dir).stop()
		makeNewer(t, database(t, dir))
		wantSaid(t, refuse(t, dir), "newer", "999")
	})
	t.Run("corrupt database", func(t *testing.T) {
		dir := t.TempDir()
		configure(t, dir, acceptConf)
		launch(t, dir).stop()
		path := database(t, dir)
		rubbish := []byte(strings.Repeat("no database at all ", 1000))
		if err := os.WriteFile(path, rubbish, 0o600); err != nil {
			t.Fatal(err)
		}
		wantSaid(t, refuse(t, dir), path)
		if kept, err := os.ReadFile(path); err != nil || string(kept) != string(rubbish) {
			t.Errorf("the corrupt file was changed (%v)", err)
		}
	})
	t.Run("port taken", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		dir := t.TempDir()
		addr := l.Addr().String()
		configure(t, dir, "daemon { state_dir = \""+dir+"/state\" }\nlistener \"http\" \"in\" { address = \""+addr+"\" }\n"+acceptConf)
		wantSaid(t, refuse(t, dir), addr, "is taken")
	})
	t.Run("second daemon", func(t *testing.T) {
		dir := t.TempDir()
		configure(t, dir, acceptConf)
		d := launch(t, dir)
		wantSaid(t, refuse(t, dir), filepath.Join(dir, "state"), "another")
		if code, answer, err := post(client(), d.url+"/in", `{}`); err != nil || code != 202 {
			t.Errorf("the first one answers %d %s %v", code, answer, err)
		}
		d.stop()
	})
}

// database is the journal's file.
func database(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "state", "*.db"))
	if err != nil || len(found) != 1 {
		t.Fatalf("database files: %v %v", found, err)
	}
	return found[0]
}

// makeNewer gives the database the version of a program to come.
func makeNewer(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
}
