package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/syncd/syncd/examples/starter"
)

func TestInit(t *testing.T) {
	for dir, shown := range map[string]string{"": ".", "new/shop": "new/shop", "it's/": `'it'\''s'`} {
		tree(t, nil)
		args := []string{"init"}
		if dir != "" {
			args = append(args, dir)
		}
		code, out, says := syncd(args...)
		if code != exitOK || says != "" || !strings.Contains(out, "\n  syncd run -c "+shown+"\n") {
			t.Errorf("code %d: %s%s", code, out, says)
		}
		if content(t, filepath.Join(dir, "syncd.hcl")) != string(starter.Config) {
			t.Error("another file")
		}
		if code, out, says := syncd("validate", "-c", "./"+dir); code != exitOK || says != "" {
			t.Errorf("code %d: %s%s", code, out, says)
		}
		// Once is enough.
		if code, _, says := syncd(args...); code != exitWrong || !strings.Contains(says, "syncd.hcl is there already") {
			t.Errorf("again: code %d: %s", code, says)
		}
	}
}

// What is there is never touched, nor mixed with what init writes.
func TestInitRefuses(t *testing.T) {
	for _, name := range []string{"syncd.hcl", "other.hcl", "sub/x.hcl", "a.test.hcl"} {
		tree(t, map[string]string{name: "# mine\n"})
		code, out, says := syncd("init")
		if code != exitWrong || out != "" || !strings.Contains(says, name+" is there already") {
			t.Errorf("code %d: %s%s", code, out, says)
		}
		if entries, _ := os.ReadDir("."); len(entries) != 1 || content(t, name) != "# mine\n" {
			t.Errorf("beside %s: %v", name, entries)
		}
	}
	tree(t, map[string]string{"file": ""})
	if code, _, says := syncd("init", "file"); code != exitWrong || !strings.Contains(says, "file") {
		t.Errorf("code %d: %s", code, says)
	}
}

// With all that is commented out in use, the first configuration is valid, too.
func TestInitCommentedOut(t *testing.T) {
	text := regexp.MustCompile(`(?m)^( *)#(\S|  )`).ReplaceAllString(string(starter.Config), "$1$2")
	text = strings.NewReplacer("  verify \"none\" {}\n", "", "  to = sink.files.orders\n", "").Replace(text)
	text = regexp.MustCompile(`(?m)^  +syncd .*\n`).ReplaceAllString(text, "") // prose at the top
	tree(t, map[string]string{"syncd.hcl": text})
	t.Setenv("CREDENTIALS_DIRECTORY", ".")
	for _, name := range []string{"shop", "erp"} {
		if err := os.WriteFile(name, []byte("s3cret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, says := syncd("validate", "--strict", "-c", ".")
	if code != exitOK || says != "" || !strings.Contains(out, "1 source, 1 flow, 2 sinks") {
		t.Errorf("code %d: %s%s\n%s", code, out, says, text)
	}
	if code, _, _ := syncd("fmt", "--check"); code != exitOK {
		t.Error("it is not in canonical form")
	}
}
