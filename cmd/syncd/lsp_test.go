package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A person edits a configuration in Neovim, whose own client talks to syncd lsp.
func TestNeovim(t *testing.T) {
	nvim, err := exec.LookPath("nvim")
	if err != nil {
		t.Skip("needs Neovim: install the package neovim")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"orders.hcl": "flow \"orders\" {\n  from = source.webhook.shop\n  filter { when = \"'𝄞' == lower(boddy.x)\" }\n}\n",
		"other.hcl":  "source \"webhook\" \"shop\" {\n  path = \"/shop\"\n  verify \"none\" {}\n}\n\nsink \"log\" \"debug\" { description = \"For people.\" }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nvim, "--headless", "--clean", "-n", "-c", "luafile testdata/editor.lua", "-c", "cquit")
	cmd.Env = append(os.Environ(), "SYNCD_TEST_DIR="+dir, "SYNCD_TEST_BINARY="+binary, "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_CACHE_HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkEditing(t, dir)
}

// editing is what testdata/editor.lua writes.
type editing struct {
	Mistakes   []diagnosed `json:"mistakes"`
	Mended     []diagnosed `json:"mended"`
	Completion []string    `json:"completion"`
	Hover      string      `json:"hover"`
	Definition struct {
		URI   string `json:"uri"`
		Range struct {
			Start struct{ Line, Character int }
		}
	} `json:"definition"`
	Symbols   []string `json:"symbols"`
	Formatted string   `json:"formatted"`
	Exit      int      `json:"exit"`
}

type diagnosed struct {
	Message  string `json:"message"`
	From     [2]int `json:"from"`
	To       [2]int `json:"to"`
	Severity int    `json:"severity"`
	Source   string `json:"source"`
}

func checkEditing(t *testing.T, dir string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	got := editing{Exit: -1}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	if len(got.Mistakes) != 2 || len(got.Mended) != 1 || !strings.HasPrefix(got.Mended[0].Message, `flow "orders" leads nowhere`) {
		t.Fatalf("%s", raw)
	}
	m := got.Mistakes[1]
	want := "unknown name in expression\n\"boddy\" is not something an expression can see here: body, event, local, meta, parent, secret, var, vars.\nDid you mean \"body\"?"
	if m.Message != want || m.Severity != 1 || m.Source != "syncd" || m.From != [2]int{2, 35} || m.To != [2]int{2, 40} {
		t.Errorf("%+v", m)
	}
	if !slices.Contains(got.Completion, "sink.log.debug") || slices.Contains(got.Completion, "source.webhook.shop") {
		t.Errorf("completion: %q", got.Completion)
	}
	if !strings.Contains(got.Hover, "lower(s)") {
		t.Errorf("hover: %s", got.Hover)
	}
	if !strings.HasSuffix(got.Definition.URI, "/other.hcl") || got.Definition.Range.Start.Line != 5 {
		t.Errorf("definition: %+v", got.Definition)
	}
	if diff := cmp.Diff([]string{"flow.orders"}, got.Symbols); diff != "" {
		t.Errorf("symbols (-want +got):\n%s", diff)
	}
	if !strings.Contains(got.Formatted, "\n  to = [sink.log.debug]\n") {
		t.Errorf("formatted:\n%s", got.Formatted)
	}
	if got.Exit != 0 {
		t.Errorf("exit code %d", got.Exit)
	}
}
