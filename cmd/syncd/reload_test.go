package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/admin"
)

const mistakeText = "Error: unknown name in expression\n\n  on orders.hcl line 14, in flow \"orders\":\n"

var taken = admin.Reload{
	OK: true, Generation: 7, Kept: 12, Daemon: []string{"log"}, ReadMS: 3.2, SwapMS: 1.25,
	Changes: []admin.Change{
		{Address: "source.webhook.returns", Action: "start", Reasons: []string{"new"}},
		{Address: "sink.http.erp", Action: "restart", Reasons: []string{"timeout changed", "path changed"}, State: "what waits for it goes to the new one"},
		{Address: "flow.old\x1b[31m", Action: "stop", Reasons: []string{"gone"}},
	},
}

const takenText = `  +  start    source.webhook.returns  new
  ~  restart  sink.http.erp           timeout changed, path changed; what waits for it goes to the new one
  -  stop     flow.old\x1b[31m        gone
  ~  adjust   daemon                  log changed
  =  keep     12 components
`

func TestReloadText(t *testing.T) {
	back := "The old configuration comes back at " + time.Unix(300, 0).Format(time.TimeOnly) + " unless you say: syncd reload --keep\n"
	refused := admin.Reload{Generation: 6, Error: "orders.hcl:14:20: unknown name in expression", Diagnostics: mistakeText}
	inTheWay := admin.Reload{Generation: 6, Error: "conf.hcl:3: 127.0.0.1:80 is taken", Diagnostics: "Warning: unused local\n"}
	for _, tc := range []struct {
		name, args  string
		outcome     admin.Reload
		code        int
		out, errors string
	}{
		{"taken", "", taken, exitOK, takenText + "\nGeneration 7 runs: read in 3 ms, swapped in 1.2 ms.\n", ""},
		{"with a net", "--confirm 5m", taken, exitOK, takenText + "\nGeneration 7 runs: read in 3 ms, swapped in 1.2 ms.\n" + back, ""},
		{"nothing new", "", admin.Reload{OK: true, Generation: 6, Kept: 4}, exitOK, "Nothing to do: generation 6 runs.\n", ""},
		{"refused", "", refused, exitWrong, "", mistakeText + "\nNothing has changed: generation 6 goes on.\n"},
		{"cannot be opened", "", inTheWay, exitWrong, "", "Warning: unused local\nError: conf.hcl:3: 127.0.0.1:80 is taken\n\nNothing has changed: generation 6 goes on.\n"},
		{"keep without any", "--keep", taken, exitWrong, "", "Error: no reload waits to be kept\n"},
		{"no time", "--confirm=0", taken, exitUsage, "", "Error: --confirm 0s is no time to wait: say 5m, for example\nSee 'syncd reload --help'.\n"},
		{"no time either", "--confirm=-5m", taken, exitUsage, "", "Error: --confirm -5m0s is no time to wait: say 5m, for example\nSee 'syncd reload --help'.\n"},
		{"both", "--keep --confirm 5m", taken, exitUsage, "", "Error: --keep goes alone: it keeps what runs\nSee 'syncd reload --help'.\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			at := serve(t, &fake{outcome: tc.outcome})
			code, out, errs := syncd(strings.Fields("reload " + at + " " + tc.args)...)
			if diff := cmp.Diff([]any{tc.code, tc.out, tc.errors}, []any{code, out, errs}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Scripts get the whole outcome on standard output, and the same exit code.
func TestReloadJSON(t *testing.T) {
	for _, want := range []admin.Reload{taken, {Generation: 6, Error: "no", Diagnostics: mistakeText, Changes: []admin.Change{}, Daemon: []string{}}} {
		code, out, errs := syncd("reload", "--json", serve(t, &fake{outcome: want}))
		var got admin.Reload
		if err := json.Unmarshal([]byte(out), &got); err != nil || errs != "" || (code == exitOK) != want.OK {
			t.Errorf("code %d, %v, stderr %q", code, err, errs)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPlanText(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	changes := admin.Plan{Changes: taken.Changes, Daemon: taken.Daemon, Kept: 12}
	for _, tc := range []struct {
		name, args  string
		plan        admin.Plan
		code        int
		out, errors string
	}{
		{"changes", "", changes, exitChanges, takenText, ""},
		{"none", "", admin.Plan{Kept: 4}, exitOK, "A reload would change nothing.\n", ""},
		{"a warning", "", admin.Plan{Kept: 4, Diagnostics: "Warning: unused local\n"}, exitOK, "Warning: unused local\nA reload would change nothing.\n", ""},
		{"refused", "", admin.Plan{Error: "x", Diagnostics: mistakeText}, exitWrong, "", mistakeText},
		{"another path", "-c new.hcl", changes, exitWrong, "", "Error: planned for " + filepath.Join(dir, "new.hcl") + "\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			at := serve(t, &fake{plan: tc.plan})
			code, out, errs := syncd(strings.Fields("plan " + at + " " + tc.args)...)
			if diff := cmp.Diff([]any{tc.code, tc.out, tc.errors}, []any{code, out, errs}); diff != "" {
				t.Error(diff)
			}
			code, out, errs = syncd(strings.Fields("plan --json " + at + " " + tc.args)...)
			if code != tc.code || errs != "" || !json.Valid([]byte(out)) {
				t.Errorf("--json: code %d, %q %q", code, out, errs)
			}
		})
	}
}

func TestConfigCommands(t *testing.T) {
	at := time.Now().Add(-3 * time.Minute)
	old := admin.Generation{Number: 1, Time: at.Add(-2 * time.Hour), Origin: "start", Files: []admin.File{
		{Name: "a.hcl", Text: "one\ntwo\n"}, {Name: "gone.hcl", Text: "x = (sensitive)\n"}, {Name: "same.hcl", Text: "same\n"},
	}}
	next := admin.Generation{Number: 2, Time: at, Origin: "reload", Running: true, Files: []admin.File{
		{Name: "a.hcl", Text: "one\nthree\x1b[31m"}, {Name: "new.hcl", Text: "y = 1\n"}, {Name: "same.hcl", Text: "same\n"},
	}}
	where := serve(t, &fake{generations: []admin.Generation{next, old}, outcome: taken})
	diff := "--- generation 1: a.hcl\n+++ generation 2: a.hcl\n@@ -1,2 +1,2 @@\n one\n-two\n+three\\x1b[31m\n" +
		"--- generation 1: gone.hcl\n+++ generation 2: no gone.hcl\n@@ -1,1 +0,0 @@\n-x = (sensitive)\n" +
		"--- generation 1: no new.hcl\n+++ generation 2: new.hcl\n@@ -0,0 +1,1 @@\n+y = 1\n"
	usage := func(command, wrong string) string {
		return "Error: \"" + wrong + "\" is not the number of a generation; 'syncd config history' lists them\nSee 'syncd config " + command + " --help'.\n"
	}
	for _, tc := range []struct {
		args        string
		code        int
		out, errors string
	}{
		{"history", exitOK, "GENERATION  FROM    ORIGIN\n         2  3m ago  reload  runs\n         1  2h ago  start\n", ""},
		{"show", exitOK, "# a.hcl\none\nthree\\x1b[31m\n\n# new.hcl\ny = 1\n\n# same.hcl\nsame\n", ""},
		{"show 1", exitOK, "# a.hcl\none\ntwo\n\n# gone.hcl\nx = (sensitive)\n\n# same.hcl\nsame\n", ""},
		{"show 9", exitWrong, "", "Error: no such entry\n"},
		{"show 0", exitUsage, "", usage("show", "0")},
		{"show x", exitUsage, "", usage("show", "x")},
		{"show 1 2", exitUsage, "", "Error: accepts at most 1 arg(s), received 2\nSee 'syncd config show --help'.\n"},
		{"diff", exitOK, diff, ""},
		{"diff 1", exitOK, diff, ""},
		{"diff 2 2", exitOK, "Generations 2 and 2 have the same text; secrets in it may differ.\n", ""},
		{"diff 1 9", exitWrong, "", "Error: no such entry\n"},
		{"diff -- -1", exitUsage, "", usage("diff", "-1")},
		{"rollback nope", exitUsage, "", usage("rollback", "nope")},
		{"rollback 1", exitOK, takenText + "\nGeneration 1 runs: read in 3 ms, swapped in 1.2 ms.\nThe files are as they were, and this goes on, also after a restart, until you change them or say: syncd reload\n", ""},
	} {
		command, rest, _ := strings.Cut(tc.args, " ")
		code, out, errs := syncd(append([]string{"config", command, where}, strings.Fields(rest)...)...)
		if d := cmp.Diff([]any{tc.code, tc.out, tc.errors}, []any{code, out, errs}); d != "" {
			t.Errorf("config %s: %s", tc.args, d)
		}
	}
}

// A rollback that is refused says so and nothing else.
func TestRollbackRefused(t *testing.T) {
	code, out, errs := syncd("config", "rollback", "3", serve(t, &fake{outcome: admin.Reload{Error: "port is taken"}}))
	if code != exitWrong || out != "" || errs != "Error: port is taken\n\nNothing has changed: generation 3 goes on.\n" {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
}

func TestStatusOfReloads(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	by := now.Add(4*time.Minute + 30*time.Second)
	var b strings.Builder
	s := admin.Status{
		Version: "1.0", PID: 7, Started: now.Add(-time.Hour), Config: "/etc/syncd", StateDir: "/var/lib/syncd", Generation: 4,
		Stale: &admin.Stale{Since: now.Add(-12 * time.Second), Reason: "orders.hcl:14:20: unknown\nname \x1b[31m"}, KeepBy: &by,
	}
	if err := writeStatus(&b, s, now); err != nil {
		t.Fatal(err)
	}
	want := `syncd 1.0, pid 7, started 1h ago, configuration 4
config /etc/syncd, state /var/lib/syncd, journal 0 B of 0 B
NOT WHAT THE FILES SAY, since 12s ago: orders.hcl:14:20: unknown name \x1b[31m
GOES BACK in 4m unless kept: syncd reload --keep
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// In a unit's environment the socket is found by $RUNTIME_DIRECTORY.
func TestReloadFindsSocket(t *testing.T) {
	where := serve(t, &fake{outcome: admin.Reload{OK: true, Generation: 2}})
	t.Setenv("RUNTIME_DIRECTORY", filepath.Dir(strings.TrimPrefix(where, "--socket=")))
	if code, out, errs := syncd("reload"); code != exitOK || out != "Nothing to do: generation 2 runs.\n" {
		t.Errorf("code %d, %s %s", code, out, errs)
	}
	for _, command := range []string{"reload", "plan", "config history", "config diff", "config show", "config rollback", "status"} {
		t.Setenv("RUNTIME_DIRECTORY", t.TempDir())
		code, _, errs := syncd(append(strings.Fields(command), "--state-dir=/nonexistent")...)
		if code != exitUnreachable || !strings.Contains(errs, "Start it with 'syncd run'") {
			t.Errorf("%s without a daemon: code %d, %s", command, code, errs)
		}
	}
}
