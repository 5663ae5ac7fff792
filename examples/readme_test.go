package examples

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write into the pages what is really there and printed")

const readme = "../README.md"

// The README shows the quickstart, less its first comment, and what it writes.
func TestReadmeShowsTheQuickstart(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"quickstart.hcl", "want/orders.csv", "want/orders.ndjson"} {
		b, err := os.ReadFile(filepath.Join("quickstart", name))
		if err != nil {
			t.Fatal(err)
		}
		shown := headComment.ReplaceAllString(string(b), "")
		if !strings.Contains(string(text), shown) {
			t.Errorf("the README does not show examples/quickstart/%s as it is", name)
		}
	}
}

var headComment = regexp.MustCompile(`\A(#.*\n)+\n`)

// What the README says that a command prints is what it prints, but for ids,
// times and the like, which usual makes the same everywhere.
func TestReadmePrints(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	printed := session(t)
	seen := 0
	got := console.ReplaceAllStringFunc(string(text), func(block string) string {
		command := console.FindStringSubmatch(block)[1]
		out, ok := printed[command]
		if !ok {
			return block
		}
		seen++
		return "```console\n$ " + command + "\n" + usual(anyPort.ReplaceAllString(out, usualPort)) + "```\n"
	})
	if seen != len(printed) {
		t.Errorf("the README shows %d of %d commands", seen, len(printed))
	}
	rewrite(t, readme, text, []byte(got))
}

// The picture in the README is the one of the quickstart.
func TestReadmeDraws(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(picture.FindAll(text, -1)); n != 1 {
		t.Fatalf("the README has %d pictures, not one", n)
	}
	drawn := "```mermaid\n" + output(t, ".", "graph", "-c", "quickstart") + "```\n"
	got := picture.ReplaceAllLiteral(text, []byte(drawn))
	rewrite(t, readme, text, got)
}

// picture is a block of Markdown that is drawn.
var picture = regexp.MustCompile("(?m)^```mermaid\n(?:[^`\n].*\n)*```\n")

// console is a block of Markdown with one command and what it prints.
var console = regexp.MustCompile("(?m)^```console\n\\$ (.*)\n((?:[^`\n].*\n|\n)*)```\n")

// session does what the README tells to do, and gives what each command printed.
func session(t *testing.T) map[string]string {
	dir := t.TempDir()
	const quickstart = "examples/quickstart"
	if err := os.CopyFS(filepath.Join(dir, quickstart), os.DirFS("quickstart")); err != nil {
		t.Fatal(err)
	}
	freePort(t, filepath.Join(dir, quickstart))
	d := start(t, dir, quickstart)
	post(t, dir, d.curls[0])
	waitForFiles(t, "quickstart/want", filepath.Join(dir, quickstart, "out"))
	printed := map[string]string{
		"go run ./cmd/syncd run -c examples/quickstart": d.stdout.String(),
		"go run ./cmd/syncd status":                     waitForOutput(t, dir, delivered, "status"),
	}
	post(t, dir, order.ReplaceAllString(d.curls[0], `-d '{"id":1043}' `))
	printed["syncd dead list"] = waitForOutput(t, dir, "ATTEMPTS", "dead", "list")
	d.stop(t)

	file := filepath.Join(dir, quickstart, "quickstart.hcl")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(b), `"body.total > 0"`, `"boddy.total > 0"`, 1)
	if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	printed["syncd validate -c examples/quickstart"] = output(t, dir, "validate", "-c", quickstart)
	return printed
}

// delivered is what status says of the flow when the order has arrived.
const delivered = "flow.orders  running         1          1"

var order = regexp.MustCompile(`-d '.*' `)

// output is what a command prints, wherever it does.
func output(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RUNTIME_DIRECTORY=")
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// waitForOutput runs the command until it prints what is looked for.
func waitForOutput(t *testing.T, dir, want string, args ...string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		out := output(t, dir, args...)
		if strings.Contains(out, want) {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("syncd %v does not print %q:\n%s", args, want, out)
		}
	}
}

var anyPort = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// usual puts the same in place of what differs from run to run.
func usual(out string) string {
	for _, r := range []struct{ pattern, with string }{
		{`syncd \S+ is ready after \S+`, "syncd dev is ready after 12ms"},
		{`syncd \S+, pid \d+`, "syncd dev, pid 4711"},
		{`/\S*/\.syncd`, "/home/ana/syncd/.syncd"},
		{`\d+s ago`, "2s ago"},
		{`\b20\d\d-\d\d-\d\dT[\d:.]+Z`, "2026-11-22T09:30:00Z"},
		{`\d+(\.\d+)? [KM]iB of`, "4.1 MiB of"},
		{`\b[0-9a-f]{32}\b`, "019aa8a0c3f47d21b6e05c9f1e7a2d48"},
		{`(?m)[ \t]+$`, ""},
	} {
		out = regexp.MustCompile(r.pattern).ReplaceAllString(out, r.with)
	}
	return out
}
