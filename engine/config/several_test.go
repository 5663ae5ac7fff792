package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSeveralFiles loads a directory with mistakes in three files: all of them are
// told, by file and line, and what two files are to blame for names both places.
func TestSeveralFiles(t *testing.T) {
	cfg, diags := Load("testdata/several", testKinds, Options{})
	if cfg != nil {
		t.Error("a configuration with mistakes is given")
	}
	var places []string
	for _, d := range diags {
		text, err := os.ReadFile(d.Range.File)
		if err != nil {
			t.Fatal(err)
		}
		checkDiagnostic(t, text, d)
		places = append(places, filepath.Base(d.Range.File)+": "+d.Summary)
	}
	want := []string{
		"20-flows.hcl: unknown name in expression",
		`20-flows.hcl: source "webhook" "shop" is declared twice`,
		"20-flows.hcl: POST /shop on listener.http.default is taken",
		`20-flows.hcl: variable "site" is declared twice`,
		"20-flows.hcl: local.tag is declared twice",
		"cl.hcl: flows call one another in a circle",
		"cl.hcl: there is no sink.log.nope",
		"cl.hcl: local.suffix refers to itself",
		"cl.hcl: single quotes",
	}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(diags, func(a, b Diagnostic) int { return strings.Compare(a.Range.File, b.Range.File) }) {
		t.Error("the files are in disorder")
	}
	compareGolden(t, "testdata/several.golden", rendered(diags))
}
