package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	untidy  = "sink \"log\" \"a\" {\ndescription=\"x\"\n}\n"
	tidy    = "sink \"log\" \"a\" {\n  description = \"x\"\n}\n"
	mistake = "sink \"log\" \"a\" {\ndescription=\"x\n}\n"
)

// tree writes files and makes their directory the working directory.
func tree(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFmt(t *testing.T) {
	files := map[string]string{
		"a.hcl": untidy, "b.hcl": tidy, "sub/c.test.hcl": untidy, "sub/.hidden.hcl": untidy, ".git/d.hcl": untidy, "e.txt": untidy,
	}
	for _, tc := range []struct {
		args, stdin string
		code        int
		out, says   string
		changed     []string
	}{
		{"", untidy, exitOK, tidy, "", nil},
		{"-", untidy, exitOK, tidy, "", nil},
		{"", "", exitOK, "", "", nil},
		{"- --check", untidy, exitWrong, "<standard input>\n", "", nil},
		{"- --check", tidy, exitOK, "", "", nil},
		{"-", mistake, exitWrong, "", "on <standard input> line 2:\n", nil},
		{"- -w", untidy, exitUsage, "", "- is standard input", nil},
		{"- a.hcl", untidy, exitUsage, "", "- is standard input", nil},
		{"-w --check", "", exitUsage, "", "not both", nil},
		{"a.hcl", "", exitOK, tidy, "", nil},
		{"b.hcl", "", exitOK, tidy, "", nil},
		{"e.txt", "", exitOK, tidy, "", nil},
		{".", "", exitOK, "a.hcl\nsub/c.test.hcl\n", "2 files to lay out: the same command with -w does it.\n", nil},
		{"sub a.hcl ./a.hcl", "", exitOK, "a.hcl\nsub/c.test.hcl\n", "2 files to lay out: the same command with -w does it.\n", nil},
		{"--check", untidy, exitWrong, "a.hcl\nsub/c.test.hcl\n", "", nil},
		{"--check b.hcl", "", exitOK, "", "", nil},
		{"--check --diff a.hcl", "", exitWrong, "a.hcl\n" + patch, "", nil},
		{"--diff a.hcl", "", exitOK, patch, "", nil},
		{"-w", untidy, exitOK, "a.hcl\nsub/c.test.hcl\n", "", []string{"a.hcl", "sub/c.test.hcl"}},
		{"-w b.hcl sub", "", exitOK, "sub/c.test.hcl\n", "", []string{"sub/c.test.hcl"}},
		{"-w none b.hcl a.hcl", "", exitWrong, "a.hcl\n", "none", []string{"a.hcl"}},
	} {
		t.Run(tc.args, func(t *testing.T) {
			tree(t, files)
			code, out, says := syncdWith(tc.stdin, append([]string{"fmt"}, strings.Fields(tc.args)...)...)
			if code != tc.code || !strings.Contains(says, tc.says) || tc.says == "" && says != "" {
				t.Errorf("code %d, stderr %q", code, says)
			}
			if d := cmp.Diff(tc.out, out); d != "" {
				t.Error(d)
			}
			var changed []string
			for _, name := range []string{"a.hcl", "b.hcl", "sub/c.test.hcl", "sub/.hidden.hcl", ".git/d.hcl", "e.txt"} {
				if content(t, name) != files[name] {
					changed = append(changed, name)
				}
			}
			if d := cmp.Diff(tc.changed, changed); d != "" {
				t.Error(d)
			}
		})
	}
}

const patch = `diff a.hcl.orig a.hcl
--- a.hcl.orig
+++ a.hcl
@@ -1,3 +1,3 @@
 sink "log" "a" {
-description="x"
+  description = "x"
 }
`

// A mistake in one file is told as validate tells it, and the others are laid out.
func TestFmtWithMistakes(t *testing.T) {
	tree(t, map[string]string{"a.hcl": mistake, "b.hcl": untidy})
	_, _, validated := syncd("validate", "-c", "a.hcl")
	code, out, says := syncd("fmt", "-w", ".")
	if code != exitWrong || out != "b.hcl\n" || content(t, "a.hcl") != mistake || content(t, "b.hcl") != tidy {
		t.Errorf("code %d, stdout %q", code, out)
	}
	if d := cmp.Diff(validated, says); d != "" {
		t.Error(d)
	}
}

// What is written is what the symlink leads to; its mode and owner stay, and nothing
// else is left in the directory. A file that is laid out well is not touched.
func TestFmtKeepsTheFile(t *testing.T) {
	tree(t, map[string]string{"real/a.conf": untidy, "b.hcl": tidy})
	if err := errors.Join(os.Chmod("real/a.conf", 0o640), os.Symlink("real/a.conf", "a.hcl")); err != nil {
		t.Fatal(err)
	}
	owner := os.Getuid()
	if owner == 0 { // only root may give files away
		owner = 1
		if err := os.Chown("real/a.conf", owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Stat("b.hcl")
	if err != nil {
		t.Fatal(err)
	}
	if code, out, says := syncd("fmt", "-w"); code != exitOK || out != "a.hcl\n" || says != "" {
		t.Errorf("code %d: %q %q", code, out, says)
	}
	info, err := os.Lstat("real/a.conf")
	if err != nil || info.Mode() != 0o640 || content(t, "a.hcl") != tidy {
		t.Errorf("%v, %v: %q", err, info.Mode(), content(t, "a.hcl"))
	}
	if got := info.Sys().(*syscall.Stat_t).Uid; got != uint32(owner) {
		t.Errorf("it belongs to %d now", got)
	}
	if link, err := os.Readlink("a.hcl"); link != "real/a.conf" {
		t.Errorf("%q, %v", link, err)
	}
	after, err := os.Stat("b.hcl")
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("b.hcl was written anew: %v", err)
	}
	for dir, n := range map[string]int{".": 3, "real": 1} {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != n {
			t.Errorf("in %s: %v, %v", dir, entries, err)
		}
	}
}

// Where nothing can be written, nothing is lost.
func TestFmtCannotWrite(t *testing.T) {
	tree(t, map[string]string{"a.hcl": untidy, "d/b.hcl": untidy})
	if err := os.Mkdir("pipe.hcl", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile("pipe.hcl", nil); err == nil || !strings.Contains(err.Error(), "ordinary file") {
		t.Error(err)
	}
	if os.Getuid() == 0 {
		return // root may write everywhere
	}
	if err := os.Chmod("d", 0o555); err != nil {
		t.Fatal(err)
	}
	code, out, says := syncd("fmt", "-w")
	os.Chmod("d", 0o755)
	if code != exitWrong || out != "a.hcl\n" || !strings.Contains(says, "write d/b.hcl") || content(t, "d/b.hcl") != untidy {
		t.Errorf("code %d: %q %q", code, out, says)
	}
}
