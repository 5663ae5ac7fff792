package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/reference"
)

var update = flag.Bool("update", false, "write what is generated anew")

// The pages below docs/reference are those that the kinds make.
func TestReferencePages(t *testing.T) {
	const dir = "../../docs/reference"
	want := reference.Pages(config.Describe(kinds()))
	if *update {
		if err := writePages(dir, want); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/reference is stale; 'make docs' writes it anew (-want +there):\n%s", diff)
	}
}

// writePages leaves nothing but pages in dir.
func writePages(dir string, pages map[string]string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
