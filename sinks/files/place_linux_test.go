package files

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/syncd/syncd/engine/component"
)

// mountTmpfs gives a file system of its own, or skips.
func mountTmpfs(t *testing.T, options string) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("no permission to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestReadOnly(t *testing.T) {
	dir := mountTmpfs(t, "size=1m")
	e := newEngine(t, &Config{Path: template(t, dir+"/new dir/a.ndjson")})
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("no permission to remount: %v", err)
	}
	t.Setenv("INVOCATION_ID", "")
	err := e.deliver(id(1)).Errors[0]
	if want := "cannot write to " + dir + "/new dir: "; !component.IsUnwell(err) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "ReadWritePaths") {
		t.Errorf("got %v, want %s…", err, want)
	}
	t.Setenv("INVOCATION_ID", "4a7b")
	err = e.deliver(id(1)).Errors[0]
	if want := "add this line to its [Service] section (systemctl edit syncd) and restart: ReadWritePaths=" + dir; !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want …%s", err, want)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=1m"); err != nil {
		t.Fatal(err)
	}
	e.send(id(1))
	wantTree(t, dir, map[string]string{"new dir/a.ndjson": "{\"id\":1}\n"})
}

func TestDiskFull(t *testing.T) {
	dir := mountTmpfs(t, "size=64k")
	e := newEngine(t, &Config{Path: template(t, dir+"/a.ndjson")})
	e.send(id(1))
	ballast := dir + "/ballast"
	if err := os.WriteFile(ballast, make([]byte, 40<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	large := map[string]any{"s": strings.Repeat("x", 30<<10)}
	err := e.deliver(id(2), large).Errors[1]
	if !errors.Is(err, syscall.ENOSPC) || component.IsPermanent(err) || component.IsUnwell(err) || !strings.HasPrefix(err.Error(), "no room in "+dir) {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	e.send(id(2), large)
	wantTree(t, dir, map[string]string{"a.ndjson": "{\"id\":1}\n{\"id\":2}\n{\"s\":\"" + strings.Repeat("x", 30<<10) + "\"}\n"})
}

func TestExplain(t *testing.T) {
	t.Setenv("INVOCATION_ID", "4a7b")
	dir := t.TempDir() + `/100% "x"`
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	err := explain(dir, &os.PathError{Op: "open", Path: dir, Err: syscall.EACCES})
	if !component.IsUnwell(err) || !strings.HasSuffix(err.Error(), `ReadWritePaths="`+strings.ReplaceAll(strings.TrimSuffix(dir, ` "x"`), "%", "%%")+` \"x\""`) {
		t.Errorf("got %v", err)
	}
	if err := explain(dir, syscall.ENAMETOOLONG); !component.IsPermanent(err) {
		t.Errorf("a long name: %v", err)
	}
}

func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(dir+"/pipe", 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/dir", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/pipe", "/dir"} {
		err := newEngine(t, &Config{Path: template(t, dir+name)}).deliver(id(1)).Errors[0]
		if err == nil || component.IsPermanent(err) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
