package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func template(t testing.TB, text string, place expr.Escape) expr.Template {
	t.Helper()
	tpl, err := expr.CompileTemplate(expr.Source{Text: text}, place, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

// shell is a configuration that runs a fixed script with arguments.
func shell(t testing.TB, script string, args ...string) *Config {
	t.Helper()
	cfg := newConfig()
	for _, word := range append([]string{"sh", "-c", script, "sh"}, args...) {
		cfg.Command = append(cfg.Command, template(t, word, expr.Argument))
	}
	return cfg
}

func opened(t testing.TB, cfg *Config) *sink {
	t.Helper()
	s, err := open(component.Env{}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*sink)
}

func deliver(ctx context.Context, s *sink, body any) error {
	d := component.Delivery{ID: "d1", Attempt: 1, Event: &component.Event{ID: "e1", Source: "source.webhook.a", Body: body}}
	return s.Deliver(ctx, []component.Delivery{d}).Errors[0]
}

func TestHowItEnds(t *testing.T) {
	kind := func(err error) string {
		switch {
		case err == nil:
			return "done"
		case component.IsPermanent(err):
			return "dead"
		case component.IsUnwell(err):
			return "unwell"
		}
		return "again"
	}
	for _, c := range []struct{ script, kind, message string }{
		{"exit 0", "done", ""},
		{"echo no paper; exit 75", "again", "exit status 75: no paper"},
		{"echo out; echo err >&2; exit 3", "dead", "exit status 3: out\nerr"},
		{"exit 1", "dead", "exit status 1"},
		{"kill -KILL $$", "again", "ended by somebody else, signal: killed"},
	} {
		err := deliver(t.Context(), opened(t, shell(t, c.script)), nil)
		if got := kind(err); got != c.kind || err != nil && !strings.HasSuffix(err.Error(), c.message) {
			t.Errorf("%s: %s, %v", c.script, got, err)
		}
	}
	cfg := shell(t, "exit 4")
	cfg.RetryOn = []int{4}
	if got := kind(deliver(t.Context(), opened(t, cfg), nil)); got != "again" {
		t.Errorf("retry_on 4: %s", got)
	}
}

func TestWhatItGets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seen")
	cfg := shell(t, `{ cat; echo; printf '<%s>' "$@"; echo; echo "$PRINTER $SYNCD_DELIVERY_ID $SYNCD_EVENT_ID $SYNCD_SOURCE $HIDDEN"; pwd; } > `+file,
		"{{ body.a }}", "--id={{ body.b }}")
	cfg.Stdin, _ = expr.Compile(expr.Source{Text: "body"}, nil)
	cfg.Env = map[string]expr.Template{"PRINTER": template(t, "dock-{{ body.n }}", expr.Text)}
	cfg.Dir = filepath.Dir(file)
	t.Setenv("HIDDEN", "x")
	body := map[string]any{"a": "$(id) `id`\n; rm -rf \"/\" 'é", "b": "-x", "n": int64(7)}
	if err := deliver(t.Context(), opened(t, cfg), body); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"a":"$(id) ` + "`id`" + `\n; rm -rf \"/\" 'é","b":"-x","n":7}` + "\n<" + body["a"].(string) + "><--id=-x>\ndock-7 d1 e1 source.webhook.a \n" + cfg.Dir + "\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestHostileValues(t *testing.T) {
	for name, body := range map[string]any{"leading dash": "--help", "NUL": "a\x00b", "nil": nil, "list": []any{}} {
		ran := filepath.Join(t.TempDir(), "ran")
		cfg := shell(t, "touch "+ran, "{{ body.v }}")
		cfg.Env = map[string]expr.Template{"V": template(t, "{{ body.v }}", expr.Text)}
		err := deliver(t.Context(), opened(t, cfg), map[string]any{"v": body})
		if _, missing := os.Stat(ran); name != "list" && (!component.IsPermanent(err) || missing == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	err := deliver(t.Context(), opened(t, shell(t, "yes é | head -c 20000000; exit 3")), nil)
	if !component.IsPermanent(err) || len(err.Error()) < quoted || len(err.Error()) > quoted+100 {
		t.Fatalf("%d bytes: %.100v", len(err.Error()), err)
	}
}

func TestSecretsStaySecret(t *testing.T) {
	cfg := shell(t, "echo token=$TOKEN; exit 3")
	cfg.Env = map[string]expr.Template{"TOKEN": template(t, "hunter2-hunter2", expr.Text)}
	if err := deliver(t.Context(), opened(t, cfg), nil); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "token=(sensitive)") {
		t.Fatal(err)
	}
}

func TestMissingProgram(t *testing.T) {
	cfg := newConfig()
	program := filepath.Join(t.TempDir(), "label")
	cfg.Command = []expr.Template{template(t, program, expr.Argument)}
	if _, err := open(component.Env{}, cfg); err == nil || !strings.Contains(err.Error(), program) {
		t.Fatalf("got %v", err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexit 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := opened(t, cfg)
	if err := deliver(t.Context(), s, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if err := deliver(t.Context(), s, nil); !component.IsUnwell(err) {
		t.Fatalf("got %v", err)
	}
}

// TestTimeout ends a program with all that it started.
func TestTimeout(t *testing.T) {
	scripts := map[string]string{"obeys": `sleep 1000 & echo $! > "$1"; echo began; wait`}
	if os.Getenv("SYNCD_CHECK") != "" { // takes all of grace
		scripts["does not"] = `trap '' TERM; sleep 1000 & echo $! > "$1"; echo began; while :; do wait; done`
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			pids := filepath.Join(t.TempDir(), "pids")
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := deliver(ctx, opened(t, shell(t, script, pids)), nil)
			if err == nil || component.IsPermanent(err) || !strings.HasSuffix(err.Error(), "did not end in time and was ended: began") {
				t.Fatalf("got %v", err)
			}
			gone(t, pids)
		})
	}
}

// TestLeftBehind ends what a program that ended well left in the background.
func TestLeftBehind(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	if err := deliver(t.Context(), opened(t, shell(t, `sleep 1000 >/dev/null 2>&1 & echo $! > "$1"`, pids)), nil); err != nil {
		t.Fatal(err)
	}
	gone(t, pids)
}

// A program that has done its work is not run again because something that it started
// holds its output open beyond the timeout.
func TestLeftBehindWithItsOutput(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := deliver(ctx, opened(t, shell(t, `sleep 1000 & echo $! > "$1"`, pids)), nil); err != nil {
		t.Fatal(err)
	}
	gone(t, pids)
}

func gone(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d still runs", pid)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		command []string
		attr    string
	}{
		{nil, "command"},
		{[]string{"/bin/lp"}, ""},
		{[]string{"{{ body.x }}"}, "command[0]"},
		{[]string{"lp -d x"}, "command[0]"},
		{[]string{"bin/lp"}, "command[0]"},
		{[]string{"sh", "-c", "echo {{ body.x }}"}, "command[2]"},
		{[]string{"/bin/bash", "-ec", "{{ body.x }}"}, "command[2]"},
		{[]string{"env", "A=1", "python3", "-c", "print({{ body.x }})"}, "command[4]"},
		{[]string{"sh", "-c", `echo "$1"`, "sh", "{{ body.x }}"}, ""},
		{[]string{"lp", "-c", "{{ body.x }}"}, ""},
		{[]string{"python3.11", "-c", "{{ body.x }}"}, "command[2]"},
		{[]string{"python3", "-c{{ body.x }}"}, "command[1]"},
		{[]string{"perl", "-we{{ body.x }}"}, "command[1]"},
		{[]string{"node", "--eval={{ body.x }}"}, "command[1]"},
		{[]string{"node", "--eval", "{{ body.x }}"}, "command[2]"},
		{[]string{"python3", "--config={{ body.x }}", "-"}, ""},
		{[]string{"python3", "report.py", "{{ body.x }}"}, ""},
	} {
		cfg := newConfig()
		for _, word := range c.command {
			cfg.Command = append(cfg.Command, template(t, word, expr.Argument))
		}
		var p component.Problems
		cfg.Validate(&p)
		got := ""
		if len(p.List) > 0 {
			got = p.List[0].Attr
		}
		if got != c.attr {
			t.Errorf("%q: %+v", c.command, p.List)
		}
	}
}
