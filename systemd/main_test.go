//go:build linux

// Package systemd holds the units. Its tests ask systemd's own tools about them,
// and run the program under what they allow.
package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program is the built syncd, as it is released.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "syncd-systemd")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if err := os.Chmod(dir, 0o755); err != nil { // another user runs it
			panic(err)
		}
		program = filepath.Join(dir, "syncd")
		build := exec.Command("go", "build", "-o", program, "../cmd/syncd")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Printf("build syncd: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// analyze runs systemd-analyze, which needs no running systemd for what is asked here.
func analyze(t *testing.T, args ...string) (string, error) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed: install systemd's package to check the units (it need not run)")
	}
	cmd := exec.Command(tool, args...)
	cmd.Env = append(os.Environ(), "SYSTEMD_COLORS=0", "SYSTEMD_EMOJI=0", "SYSTEMD_PAGER=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// setting is one assignment of a unit.
type setting struct{ key, value string }

// settings reads a unit of ours, which has no continued lines.
func settings(t *testing.T, file string) (list []setting) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			list = append(list, setting{key, value})
		}
	}
	return list
}

// words are all values of a key, in order.
func words(list []setting, key string) (all []string) {
	for _, s := range list {
		if s.key == key {
			all = append(all, strings.Fields(s.value)...)
		}
	}
	return all
}
