package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		hcl    string
		code   int
		stdout string
		stderr string
	}{
		"valid":   {`sink "log" "l" {}`, exitOK, "The configuration is valid: 0 sources, 0 flows, 1 sink.", ""},
		"wrong":   {"flow \"f\" {\n  frm = 1\n}\n", exitWrong, "", "line 2"},
		"warning": {``, exitOK, "valid", "Warning"},
	} {
		file := filepath.Join(t.TempDir(), "c.hcl")
		if err := os.WriteFile(file, []byte(tc.hcl), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := syncd("validate", "-c", file)
		if code != tc.code || !strings.Contains(out, tc.stdout) || !strings.Contains(errs, tc.stderr) {
			t.Errorf("%s: code %d\n%s\n%s", name, code, out, errs)
		}
		_, out, _ = syncd("validate", "-c", file, "--json")
		var r struct {
			Valid      bool `json:"valid"`
			ErrorCount int  `json:"error_count"`
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil || r.Valid != (tc.code == exitOK) || r.Valid != (r.ErrorCount == 0) {
			t.Errorf("%s: %v in %s", name, err, out)
		}
	}
}

// What is set only where the daemon runs must not stop a check elsewhere, unless asked to.
func TestValidateStrict(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.hcl")
	if err := os.WriteFile(file, []byte("locals { a = env(\"SYNCD_TEST_UNSET\") }\nsink \"log\" \"l\" {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := syncd("validate", "-c", file); code != exitOK || !strings.Contains(errs, "SYNCD_TEST_UNSET") {
		t.Errorf("code %d: %s", code, errs)
	}
	if code, _, errs := syncd("validate", "--strict", "-c", file); code != exitWrong || !strings.Contains(errs, "SYNCD_TEST_UNSET") {
		t.Errorf("strict: code %d: %s", code, errs)
	}
}

func TestRunRefusesABrokenConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.hcl")
	if err := os.WriteFile(file, []byte("sink \"log\" \"l\" {\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := syncd("run", "-c", file)
	if code != exitWrong || out != "" || !strings.Contains(errs, "c.hcl line") {
		t.Errorf("code %d\n%s\n%s", code, out, errs)
	}
}

// TestConfigByFlag gives the path where an argument would stand.
func TestConfigByFlag(t *testing.T) {
	for _, name := range []string{"validate", "run", "graph", "doctor", "lsp"} {
		var out, errs strings.Builder
		code := execute([]string{name, "shop"}, strings.NewReader(""), &out, &errs)
		if want := "the configuration is named by -c: syncd " + name + " -c shop"; code != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit code %d, %q, want %q", name, code, errs.String(), want)
		}
	}
}
