package config

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// expectation is a comment beside a mistake: "# error: text", for another line
// "# error -1: text". The text occurs in summary or detail.
var expectation = regexp.MustCompile(`# (error|warning)( [+-]\d+)?: (.*?)(?: # |$)`)

type expected struct {
	line     int
	severity Severity
	text     string
}

func expectations(t *testing.T, path string) []expected {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []expected
	for i, line := range strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n") {
		for rest := line; ; {
			m := expectation.FindStringSubmatchIndex(rest)
			if m == nil {
				break
			}
			e := expected{line: i + 1, severity: Severity(rest[m[2]:m[3]]), text: rest[m[6]:m[7]]}
			if m[4] >= 0 {
				by, _ := strconv.Atoi(strings.TrimSpace(rest[m[4]:m[5]]))
				e.line += by
			}
			list = append(list, e)
			rest = rest[m[7]:]
		}
	}
	return list
}

// TestDiagnostics loads each file of testdata/diag: every mistake that a comment
// names is found at its line, nothing else is, and all of it looks as in the
// golden file beside.
func TestDiagnostics(t *testing.T) {
	paths, err := filepath.Glob("testdata/diag/*.hcl")
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".hcl"), func(t *testing.T) {
			_, diags := Load(path, testKinds, Options{LookupEnv: environment(map[string]string{"HOME": "/root", "SYNCD_VAR_set": "other"})})
			compareExpected(t, expectations(t, path), diags)
			if strings.Contains(rendered(diags)+string(diags.JSON()), "planted") {
				t.Error("a secret shows")
			}
			checkReport(t, path, diags)
			compareGolden(t, strings.TrimSuffix(path, ".hcl")+".golden", rendered(diags))
		})
	}
}

// checkReport holds the JSON of the diagnostics to its shape: each has its place,
// whose bytes lie in the file, and what is marked lies in the code shown.
func checkReport(t *testing.T, path string, diags Diagnostics) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(diags.JSON(), &r); err != nil || len(r.Diagnostics) != len(diags) {
		t.Fatalf("%d of %d diagnostics, %v", len(r.Diagnostics), len(diags), err)
	}
	for i, d := range diags {
		checkDiagnostic(t, text, d)
		item := r.Diagnostics[i]
		if d.Range.File == "" {
			continue
		}
		if item.Range == nil || item.Snippet == nil || item.Range.Filename != path || item.Range.Start.Byte != d.Range.Start.Byte {
			t.Fatalf("no place: %+v", item)
		}
		if s := item.Snippet; s.HighlightStart < 0 || s.HighlightEnd < s.HighlightStart || s.HighlightEnd > len(s.Code) {
			t.Errorf("marked is %d to %d of %q", s.HighlightStart, s.HighlightEnd, s.Code)
		}
	}
}

func compareExpected(t *testing.T, want []expected, diags Diagnostics) {
	t.Helper()
	for _, d := range diags {
		found := false
		for i, e := range want {
			if e.line == d.Range.Start.Line && e.severity == d.Severity && strings.Contains(d.Summary+"\n"+d.Detail, e.text) {
				want = append(want[:i:i], want[i+1:]...)
				found = true
				break
			}
		}
		if !found {
			t.Errorf("unexpected:\n%s", rendered(Diagnostics{d}))
		}
	}
	for _, e := range want {
		t.Errorf("missing: line %d, %s: %s", e.line, e.severity, e.text)
	}
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
