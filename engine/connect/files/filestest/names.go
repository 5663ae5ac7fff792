package filestest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/connect/files"
)

func testRenameNeverOverwrites(t *testing.T, p Place) {
	p.write(t, "a", "a")
	p.write(t, "b", "b")
	must(t, p.FS.MakeDir(t.Context(), p.path("dir")))
	for _, to := range []string{"b", "dir"} {
		wantError(t, "rename to "+to, p.FS.Rename(t.Context(), p.path("a"), p.path(to)), fs.ErrExist)
	}
	p.want(t, "a", "a")
	p.want(t, "b", "b")
	must(t, p.FS.Rename(t.Context(), p.path("a"), p.path("dir/c")))
	p.want(t, "dir/c", "a")
	p.wantGone(t, "a")
	wantError(t, "rename what is missing", p.FS.Rename(t.Context(), p.path("a"), p.path("d")), fs.ErrNotExist)
	wantError(t, "rename what is missing to what is there", p.FS.Rename(t.Context(), p.path("a"), p.path("b")), fs.ErrNotExist)
	wantError(t, "rename into nothing", p.FS.Rename(t.Context(), p.path("b"), p.path("none/d")), fs.ErrNotExist)
	p.want(t, "b", "b")
}

func testRemove(t *testing.T, p Place) {
	p.write(t, "a", "a")
	must(t, p.FS.Remove(t.Context(), p.path("a")))
	p.wantGone(t, "a")
	wantError(t, "remove twice", p.FS.Remove(t.Context(), p.path("a")), fs.ErrNotExist)
	must(t, p.FS.MakeDir(t.Context(), p.path("dir")))
	if err := p.FS.Remove(t.Context(), p.path("dir")); err == nil {
		t.Error("a directory was removed")
	}
}

func testMakeDir(t *testing.T, p Place) {
	for range 2 {
		must(t, p.FS.MakeDir(t.Context(), p.path("a/b/c")))
	}
	must(t, p.FS.MakeDir(t.Context(), p.path("a/b/d")))
	p.write(t, "a/b/c/file", "x")
	info, err := p.FS.Stat(t.Context(), p.path("a/b"))
	if must(t, err); !info.Mode.IsDir() {
		t.Errorf("got %v", info.Mode)
	}
	for _, below := range []string{"a/b/c/file", "a/b/c/file/dir"} {
		if err := p.FS.MakeDir(t.Context(), p.path(below)); err == nil {
			t.Errorf("%s was made, where a file is", below)
		}
	}
}

func testMissing(t *testing.T, p Place) {
	none := p.path("none")
	_, err := p.FS.Stat(t.Context(), none)
	wantError(t, "stat", err, fs.ErrNotExist)
	_, err = p.FS.ReadDir(t.Context(), none)
	wantError(t, "list", err, fs.ErrNotExist)
	_, err = p.FS.Open(t.Context(), none, 0)
	wantError(t, "open", err, fs.ErrNotExist)
	_, err = p.FS.RealPath(t.Context(), none)
	wantError(t, "resolve", err, fs.ErrNotExist)
	_, err = p.FS.Create(t.Context(), path.Join(none, "a"))
	wantError(t, "create below", err, fs.ErrNotExist)
	if err == nil || !strings.Contains(err.Error(), none) {
		t.Errorf("the error does not name the path: %v", err)
	}
}

// hostile are names that a file may have.
var hostile = []string{
	"line\nbreak", "tab\t", " space ", "-rf", "..a", "...", `back\slash`, `"quoted"`, "'single'", "$(id)", "%s%d", "*?[a]",
	"ñandú", "日本語.csv", "bad\xff\xfeutf8", "\x01\x1b[31m", "a" + strings.Repeat("b", 250), ".hidden", "{{ body }}", "~", "~root",
}

func testHostileNames(t *testing.T, p Place) {
	for _, name := range hostile {
		p.write(t, name, "content of "+name)
	}
	listed := p.names(t)
	if len(listed) != len(hostile) {
		t.Errorf("%d files listed, %d written", len(listed), len(hostile))
	}
	must(t, p.FS.MakeDir(t.Context(), p.path("dir")))
	for _, name := range hostile {
		if _, ok := listed[name]; !ok {
			t.Errorf("%q is not listed", name)
		}
		must(t, p.FS.Rename(t.Context(), p.path(name), p.path("dir/"+name)))
		p.want(t, "dir/"+name, "content of "+name)
		must(t, p.FS.Remove(t.Context(), p.path("dir/"+name)))
	}
}

func testManyFiles(t *testing.T, p Place) {
	p.onDisk(t)
	const n = 10_000
	for i := range n {
		must(t, os.WriteFile(filepath.Join(p.Disk, fmt.Sprintf("order-%05d.csv", i)), []byte("x"), 0o644))
	}
	start := time.Now()
	if listed := p.names(t); len(listed) != n {
		t.Errorf("%d files listed, %d are there", len(listed), n)
	}
	t.Logf("%d files in %v", n, time.Since(start))
}

func testNotFiles(t *testing.T, p Place) {
	p.onDisk(t)
	must(t, syscall.Mkfifo(filepath.Join(p.Disk, "fifo"), 0o644))
	must(t, os.Mkdir(filepath.Join(p.Disk, "dir"), 0o755))
	modes := map[string]fs.FileMode{"fifo": fs.ModeNamedPipe, "dir": fs.ModeDir}
	for name, mode := range modes {
		if got := p.names(t)[name].Mode.Type(); got != mode {
			t.Errorf("%s is listed as %v", name, got)
		}
		var not *files.NotRegularError
		if _, err := p.FS.Open(t.Context(), p.path(name), 0); !errors.As(err, &not) || not.Mode.Type() != mode {
			t.Errorf("open %s: %v", name, err)
		}
		if _, err := p.FS.Append(t.Context(), p.path(name), 0); !errors.As(err, &not) || not.Mode.Type() != mode {
			t.Errorf("append to %s: %v", name, err)
		}
	}
}

func testLinks(t *testing.T, p Place) {
	p.onDisk(t)
	must(t, os.MkdirAll(filepath.Join(p.Disk, "inside/deep"), 0o755))
	must(t, os.Mkdir(filepath.Join(p.Disk, "outside"), 0o755))
	p.write(t, "outside/secret", "secret")
	for name, to := range map[string]string{
		"inside/file": "../outside/secret", "inside/dir": filepath.Join(p.Dir, "outside"), "inside/deep/up": "../dir/secret",
		"inside/loop": "loop", "inside/dangling": "nothing",
	} {
		must(t, os.Symlink(to, filepath.Join(p.Disk, name)))
	}
	info, err := p.FS.Stat(t.Context(), p.path("inside/file"))
	if must(t, err); info.Mode.Type() != fs.ModeSymlink {
		t.Errorf("stat follows the link: %v", info.Mode)
	}
	root, err := p.FS.RealPath(t.Context(), p.Dir)
	must(t, err)
	for name, real := range map[string]string{
		"inside/file": "outside/secret", "inside/dir": "outside", "inside/dir/secret": "outside/secret", "inside/deep/up": "outside/secret", "inside/deep": "inside/deep",
	} {
		got, err := p.FS.RealPath(t.Context(), p.path(name))
		if must(t, err); got != path.Join(root, real) {
			t.Errorf("%s leads to %s, want %s", name, got, path.Join(root, real))
		}
	}
	if _, err := p.FS.RealPath(t.Context(), p.path("inside/loop")); err == nil {
		t.Error("a loop was resolved")
	}
	_, err = p.FS.RealPath(t.Context(), p.path("inside/dangling"))
	wantError(t, "resolve a dangling link", err, fs.ErrNotExist)
	if f, err := p.FS.Open(t.Context(), p.path("inside/file"), 0); err == nil {
		f.Close()
		t.Error("open follows a link")
	}
	_, err = p.FS.Create(t.Context(), p.path("inside/dangling"))
	wantError(t, "create what is a link", err, fs.ErrExist)
	must(t, p.FS.Remove(t.Context(), p.path("inside/file")))
	p.want(t, "outside/secret", "secret")
}

func testPermission(t *testing.T, p Place) {
	p.onDisk(t)
	if isRoot() {
		t.Log("as root nothing is forbidden; only what needs no permission is tested")
		return
	}
	p.write(t, "secret", "x")
	must(t, os.Chmod(filepath.Join(p.Disk, "secret"), 0))
	_, err := p.FS.Open(t.Context(), p.path("secret"), 0)
	wantError(t, "open", err, fs.ErrPermission)
	must(t, os.Mkdir(filepath.Join(p.Disk, "closed"), 0o555))
	_, err = p.FS.Create(t.Context(), p.path("closed/a"))
	wantError(t, "create", err, fs.ErrPermission)
	wantError(t, "rename", p.FS.Rename(t.Context(), p.path("secret"), p.path("closed/a")), fs.ErrPermission)
}

func testCancelled(t *testing.T, p Place) {
	p.write(t, "a", "a")
	ctx := ended(t)
	cause := ctx.Err()
	_, err := p.FS.ReadDir(ctx, p.Dir)
	wantError(t, "list", err, cause)
	_, err = p.FS.Stat(ctx, p.path("a"))
	wantError(t, "stat", err, cause)
	_, err = p.FS.RealPath(ctx, p.path("a"))
	wantError(t, "resolve", err, cause)
	_, err = p.FS.Open(ctx, p.path("a"), 0)
	wantError(t, "open", err, cause)
	_, err = p.FS.Create(ctx, p.path("b"))
	wantError(t, "create", err, cause)
	_, err = p.FS.Append(ctx, p.path("a"), 0)
	wantError(t, "append", err, cause)
	wantError(t, "rename", p.FS.Rename(ctx, p.path("a"), p.path("b")), cause)
	wantError(t, "remove", p.FS.Remove(ctx, p.path("a")), cause)
	wantError(t, "mkdir", p.FS.MakeDir(ctx, p.path("dir")), cause)
	p.want(t, "a", "a")
	p.wantGone(t, "b")
	p.wantGone(t, "dir")
	testCancelledOpen(t, p)
}

// testCancelledOpen: a context ends what was opened under it.
func testCancelledOpen(t *testing.T, p Place) {
	ctx, cancel := context.WithCancel(t.Context())
	f, err := p.FS.Open(ctx, p.path("a"), 0)
	must(t, err)
	w, err := p.FS.Create(ctx, p.path("c"))
	must(t, err)
	cancel()
	_, err = f.Read(make([]byte, 1))
	wantError(t, "read", err, ctx.Err())
	_, err = w.Write([]byte("x"))
	wantError(t, "write", err, ctx.Err())
	f.Close()
	w.Close()
}
