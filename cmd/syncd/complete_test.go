package main

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/syncd/syncd/engine/admin"
)

// completions are the words offered for the last of args, with what is said of
// them, and the directive that tells the shell what else to offer.
func completions(t *testing.T, args ...string) (words []string, directive string) {
	t.Helper()
	code, out, _ := syncd(append([]string{"__complete"}, args...)...)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if code != exitOK || len(lines) == 0 {
		t.Fatalf("code %d: %q", code, out)
	}
	return lines[:len(lines)-1], lines[len(lines)-1]
}

const (
	noFiles = ":4"
	noSpace = ":6"
	byExt   = ":8"
	dirs    = ":16"
)

func TestCompleteFromTheDaemon(t *testing.T) {
	f := twoDead()
	f.status = admin.Status{
		Sources: []admin.SourceStatus{{Address: "source.webhook.orders"}, {Address: `source.poll.shop["cl"]`}},
		Flows:   []admin.FlowStatus{{Address: "flow.orders"}, {Address: "flow.other"}},
		Lanes: []admin.LaneStatus{
			{Flow: "flow.orders", State: admin.Running},
			{Flow: "flow.orders", Sink: "sink.http.erp", State: admin.Running},
			{Flow: "flow.other", Sink: "sink.http.erp", State: admin.Stopped},
			{Flow: "flow.old", Sink: "sink.http.erp", State: admin.Orphaned},
			{Flow: "flow.old", Sink: "sink.log.gone", State: admin.Orphaned},
			{Flow: "flow.older", Sink: "sink.log.look", State: admin.Orphaned},
		},
	}
	at := serve(t, f)
	filter := "18\tflow.orders, filter: orders.hcl:14:20: body.total is nil"
	for _, tc := range []struct{ args, want []string }{
		{[]string{"lane", "drop", ""}, []string{"flow.old", "flow.older"}},
		{[]string{"lane", "drop", "olde"}, []string{"older"}},
		{[]string{"lane", "drop", "flow.orders", ""}, nil},
		{[]string{"lane", "drop", "flow.old", ""}, []string{"sink.http.erp", "sink.log.gone"}},
		{[]string{"lane", "drop", "old", "sink.l"}, []string{"sink.log.gone"}},
		{[]string{"lane", "drop", "flow.old", "sink.log.gone", ""}, nil},
		{[]string{"dead", "list", "--flow", ""}, []string{"flow.orders", "flow.other"}},
		{[]string{"dead", "list", "--flow=flow.ot"}, []string{"flow.other"}},
		{[]string{"dead", "list", "--sink", "http"}, []string{"http.erp"}},
		{[]string{"dead", "retry", "--all", "--sink", "sink.h"}, []string{"sink.http.erp"}},
		{[]string{"dead", "drop", "--all", "--source", "source"}, []string{`source.poll.shop["cl"]`, "source.webhook.orders"}},
		{[]string{"dead", "show", ""}, []string{`17` + "\t" + `flow.orders to sink.http.erp: answered 422:\x1b[31m <no>`, filter}},
		{[]string{"dead", "show", "18"}, []string{filter}},
		{[]string{"dead", "show", "or"}, nil},
		{[]string{"dead", "show", "18", ""}, nil},
		{[]string{"dead", "retry", "17", ""}, []string{filter}},
		{[]string{"dead", "drop", "17", "18", ""}, nil},
		{[]string{"dead", "list", ""}, nil},
	} {
		got, directive := completions(t, slices.Insert(tc.args, 2, at)...)
		if d := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); d != "" || directive != noFiles {
			t.Errorf("%q: %s %s", tc.args, directive, d)
		}
	}
}

// Where no daemon answers, a hint is shown and nothing is offered.
func TestCompleteWithoutADaemon(t *testing.T) {
	words, directive := completions(t, "dead", "show", "--socket", "/nonexistent", "")
	if len(words) != 1 || !strings.HasPrefix(words[0], "_activeHelp_ no running syncd") || directive != noFiles {
		t.Errorf("%q %s", words, directive)
	}
}

func TestCompleteFromTheConfiguration(t *testing.T) {
	tree(t, map[string]string{"c/a.hcl": "variable \"site\" {}\nvariable \"zone\" { default = 1 }\n", "c/b.hcl": "variable \"broken\" { default =\n"})
	for _, tc := range []struct {
		args      []string
		words     []string
		directive string
	}{
		{[]string{"run", "-c", "c", "--var", ""}, []string{"broken=", "site=", "zone="}, noSpace},
		{[]string{"validate", "-c", "none", "--var", ""}, nil, noSpace},
		{[]string{"run", "-c", ""}, []string{"hcl"}, byExt},
		{[]string{"run", ""}, nil, noFiles},
		{[]string{"fmt", ""}, []string{"hcl"}, byExt},
		{[]string{"graph", "--format", ""}, []string{"dot", "mermaid"}, noFiles},
		{[]string{"init", ""}, nil, dirs},
		{[]string{"init", "a", ""}, nil, noFiles},
		{[]string{"status", "--state-dir", ""}, nil, dirs},
		{[]string{"completion", ""}, []string{"bash", "zsh", "fish"}, noFiles},
	} {
		words, directive := completions(t, tc.args...)
		if d := cmp.Diff(tc.words, words, cmpopts.EquateEmpty()); d != "" || directive != tc.directive {
			t.Errorf("%q: %s %s", tc.args, directive, d)
		}
	}
}

// No more is offered than somebody can read.
func TestCompleteManyDead(t *testing.T) {
	f := &fake{}
	for id := range int64(3 * maxOffered) {
		f.dead = append(f.dead, admin.DeadLetter{ID: id + 1, Error: strconv.FormatInt(id, 10)})
	}
	if words, _ := completions(t, "dead", "retry", serve(t, f), ""); len(words) != maxOffered {
		t.Errorf("%d words", len(words))
	}
}

// The scripts are ones that the shells can read, those shells that are installed.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		code, out, says := syncd("completion", shell)
		if code != exitOK || says != "" || !strings.Contains(out, "__complete") {
			t.Errorf("%s: code %d: %s", shell, code, says)
		}
		if path, err := exec.LookPath(shell); err == nil {
			cmd := exec.CommandContext(t.Context(), path, "-n")
			cmd.Stdin = strings.NewReader(out)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", shell, err, out)
			}
		}
	}
	if code, _, says := syncd("completion", "tcsh"); code != exitUsage || !strings.Contains(says, "tcsh") {
		t.Errorf("code %d: %s", code, says)
	}
}
