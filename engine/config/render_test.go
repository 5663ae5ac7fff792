package config

import (
	"strings"
	"testing"
)

func TestHostileLines(t *testing.T) {
	_, diags := loadBytes([]byte("a = \"\x1b[31mred\x07\"\n"))
	if out := rendered(diags); strings.ContainsAny(out, "\x1b\x07") || len(diags) == 0 {
		t.Errorf("control characters pass:\n%q", out)
	}
	long := "flow \"x\" { " + strings.Repeat("/* é */", 2000) + " boddy " + strings.Repeat("/* é */", 2000) + "}\n"
	_, diags = loadBytes([]byte(long))
	for _, line := range strings.Split(rendered(diags), "\n") {
		if len(line) > 500 {
			t.Errorf("a line of %d bytes: %.100s", len(line), line)
		}
	}
	out := rendered(diags)
	lines := strings.Split(out, "\n")
	for i, line := range lines {
		if caret := strings.Index(line, "^"); caret >= 0 && strings.Trim(line, " ^") == "" {
			if marked := []rune(lines[i-1])[caret:]; !strings.HasPrefix(string(marked), "boddy") && !strings.HasPrefix(string(marked), "flow") && !strings.HasPrefix(string(marked), "}") {
				t.Errorf("the caret points at %q in\n%s", string(marked), out)
			}
		}
	}
}

func TestWideCharactersKeepTheCaretInPlace(t *testing.T) {
	d := Diagnostic{Severity: Error, Summary: "s", Source: "\t日本é́x", Range: Range{File: "/f", Start: Pos{Line: 1, Column: 6}, End: Pos{Line: 1, Column: 7}}}
	var b strings.Builder
	d.write(&b)
	if want := "  1: \t日本é́x\n     \t     ^\n"; !strings.Contains(b.String(), want) {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
