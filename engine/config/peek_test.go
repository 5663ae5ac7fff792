package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A directory behind a symlink is read like any other: /etc/syncd may lead to a
// release.
func TestFilesBehindSymlink(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"real/sub/a.hcl", "real/b.hcl", "real/b.test.hcl", "real/.c.hcl", "real/.d/d.hcl", "real/e.txt"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("variable \"x\" { default = 1 }\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("real", "link"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"real", "link", "link/", "./link"} {
		found, err := FindFiles(filepath.Clean(path))
		dir := filepath.Clean(path)
		if d := cmp.Diff([]string{dir + "/b.hcl", dir + "/b.test.hcl", dir + "/sub/a.hcl"}, found); d != "" || err != nil {
			t.Errorf("%s: %v %s", path, err, d)
		}
		_, read, err := findFiles(path)
		if len(read) != 2 || err != nil {
			t.Errorf("%s: %v %q", path, err, read)
		}
	}
	if got := Variables("link/b.hcl"); !cmp.Equal(got, []string{"x"}) {
		t.Errorf("variables %q", got)
	}
}
