//go:build linux

package systemd

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// installed copies the units, with the program where it is, into a directory; so
// that they can be loaded. Drop-ins go to syncd.service.
func installed(t *testing.T, dropIns ...string) string {
	t.Helper()
	dir := t.TempDir()
	units, err := filepath.Glob("syncd*.s*")
	if err != nil || len(units) != 3 {
		t.Fatal(units, err)
	}
	for _, name := range units {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		moved := strings.ReplaceAll(string(text), "/usr/local/bin/syncd", program)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(moved), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range dropIns {
		text, err := os.ReadFile(filepath.Join("drop-ins", name))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, "syncd.service.d", name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// needs are the systemd versions of drop-ins that an older one does not know.
var needs = map[string]int{"notify-reload.conf": 253, "backoff.conf": 254}

func version(t *testing.T) int {
	t.Helper()
	out, _ := analyze(t, "--version")
	m := regexp.MustCompile(`^systemd (\d+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("version: %s", out)
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

func TestVerify(t *testing.T) {
	dir := installed(t)
	for _, unit := range []string{"syncd.service", "syncd.socket", "syncd@shop.service"} {
		if out, err := analyze(t, "verify", filepath.Join(dir, unit)); err != nil || out != "" {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
}

func TestVerifyDropIns(t *testing.T) {
	have := version(t)
	all, err := filepath.Glob("drop-ins/*.conf")
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	for _, path := range all {
		name := filepath.Base(path)
		if needs[name] > have {
			t.Logf("%s is for systemd %d; this is %d", name, needs[name], have)
			continue
		}
		dir := installed(t, name)
		if out, err := analyze(t, "verify", filepath.Join(dir, "syncd.service")); err != nil || out != "" {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestExposure(t *testing.T) {
	dir := installed(t)
	for _, unit := range []string{"syncd.service", "syncd@shop.service"} {
		out, err := analyze(t, "security", "--offline=true", "--no-pager", "--threshold=15", filepath.Join(dir, unit))
		if err != nil {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
		m := regexp.MustCompile(`Overall exposure level for \S+: ([\d.]+)`).FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("%s: no exposure in\n%s", unit, out)
		}
		if level, err := strconv.ParseFloat(m[1], 64); err != nil || level > 1.5 {
			t.Errorf("%s: exposure %s, want 1.5 or lower", unit, m[1])
		}
		t.Logf("%s: exposure %s", unit, m[1])
	}
}

// An instance is the service, with places of its own.
func TestInstanceIsTheService(t *testing.T) {
	var want []setting
	for _, s := range settings(t, "syncd.service") {
		switch s.key {
		case "User":
			continue // each instance has its own
		case "Description":
			s.value += " (%i)"
		case "ExecStart", "StateDirectory", "RuntimeDirectory", "ConfigurationDirectory":
			s.value += "/%i"
		case "ExecReload":
			s.value = strings.Replace(s.value, "%t/syncd/", "%t/syncd/%i/", 1)
		}
		want = append(want, s)
	}
	if d := cmp.Diff(want, settings(t, "syncd@.service"), cmp.AllowUnexported(setting{})); d != "" {
		t.Error(d)
	}
}

// The README explains every line and names every drop-in.
func TestReadmeIsComplete(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	// `ProtectClock=` … `ProtectKernelTunables=` stands for those between.
	inBetween := []string{"ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "Description", "Documentation",
		"ExecStart", "StateDirectoryMode", "RuntimeDirectoryMode", "SystemCallErrorNumber", "WantedBy"}
	for _, s := range settings(t, "syncd.service") {
		if !strings.Contains(string(text), "`"+s.key+"=") && !slices.Contains(inBetween, s.key) {
			t.Errorf("README.md does not explain %s=", s.key)
		}
	}
	files, _ := filepath.Glob("drop-ins/*.conf")
	for _, f := range files {
		if !strings.Contains(string(text), "("+f+")") {
			t.Errorf("README.md does not name %s", f)
		}
	}
}
