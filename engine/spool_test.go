package engine

import (
	"os"
	"path/filepath"
	"testing"
)

// A file has no name, is no other's, and takes the place of what a kill has left.
func TestSpool(t *testing.T) {
	e := &engine{dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(e.dir, spoolName), []byte("left"), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []*os.File
	for _, text := range []string{"one", "two"} {
		f, err := e.spool()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	for i, want := range []string{"one", "two"} {
		got := make([]byte, 8)
		if n, _ := all[i].ReadAt(got, 0); string(got[:n]) != want {
			t.Errorf("file %d holds %q, want %q", i, got[:n], want)
		}
	}
	if left, err := os.ReadDir(e.dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
