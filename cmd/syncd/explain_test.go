package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/config"
)

func explainText(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	if code := execute(append([]string{"explain"}, args...), strings.NewReader(""), &out, &errs); code != exitOK {
		t.Fatalf("explain %q: exit code %d: %s", args, code, errs.String())
	}
	return out.String()
}

func TestExplainListsAll(t *testing.T) {
	out := explainText(t)
	for _, k := range kinds() {
		if !strings.Contains(out, k.Doc) {
			t.Errorf("%s %s is not listed", k.Class, k.Name)
		}
	}
}

func TestExplainOne(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"source", "webhook"}, []string{`source "webhook" "NAME" {`, "max_body", `size, default "5MiB", at least 1B`, `verify "hmac" { … }   any number`, "What every source takes:", "dedupe_window", "reference to listener.http.NAME", `    verify "hmac" {`}},
		{[]string{"webhook"}, []string{`source "webhook" "NAME" {`}},
		{[]string{"filter"}, []string{"when  expression that yields true or false, required"}},
		{[]string{"route"}, []string{`case "NAME" { … }   any number`, "reference to sink.KIND.NAME or flow.NAME", "Steps, in the order"}},
		{[]string{"sink"}, []string{`sink "files"`, `sink "http"`, `sink "log"`}},
		{[]string{"function", "trim"}, []string{"trim(s, chars?)", "trim(s, chars)"}},
		{[]string{"--markdown", "sink", "http"}, []string{"# sink \"http\"", "| `success` | expression that yields true or false | `\"response.status < 300\"` |"}},
	} {
		out := explainText(t, c.args...)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("explain %q says nothing of %q:\n%s", c.args, want, out)
			}
		}
	}
}

func TestExplainJSON(t *testing.T) {
	var all struct {
		config.Language
		Functions []struct{ Name, Signature string }
	}
	if err := json.Unmarshal([]byte(explainText(t, "--json")), &all); err != nil {
		t.Fatal(err)
	}
	path := all.Block("source", "webhook").Attribute("path")
	if path == nil || !path.Required || path.Evaluated != "value" || path.Type != "text" {
		t.Errorf("source webhook path: %+v", path)
	}
	when := all.Block("filter", "").Attribute("when")
	if when == nil || when.Yields != "bool" || !slices.Contains(when.Scope, "body") {
		t.Errorf("filter when: %+v", when)
	}
	if len(all.Functions) < 70 {
		t.Errorf("%d functions", len(all.Functions))
	}
}

func TestExplainUnknown(t *testing.T) {
	for args, want := range map[string]string{
		"source webhok":   "Did you mean 'syncd explain source webhook'?",
		"fliter":          "Did you mean 'syncd explain filter'?",
		"webhok":          "Did you mean 'syncd explain webhook'?",
		"source telegram": "'syncd explain source' tells all that there is of it",
		"nope":            "'syncd explain' lists what there is",
		"validation":      "validation stands in variable: 'syncd explain variable'",
		"hmac":            `hmac stands in source "webhook", sink "http": 'syncd explain source webhook'`,
		"for_each":        "and others: 'syncd explain flow'",
		"function lowr":   "Did you mean 'syncd explain function lower'?",
		"function zzzz":   "'syncd explain function' lists them",
	} {
		var out, errs strings.Builder
		if code := execute(append([]string{"explain"}, strings.Fields(args)...), strings.NewReader(""), &out, &errs); code != exitWrong {
			t.Errorf("%s: exit code %d", args, code)
		}
		if !strings.Contains(errs.String(), want) {
			t.Errorf("%s: %q, want %q", args, errs.String(), want)
		}
	}
}

// TestExplainFunction asks for a function that is there in expressions and at load.
func TestExplainFunction(t *testing.T) {
	for _, args := range [][]string{{"lower"}, {"function", "lower"}} {
		out := explainText(t, args...)
		for _, want := range []string{"In expressions", "lower('ANA')", "In values", `lower("ANA")`} {
			if !strings.Contains(out, want) {
				t.Errorf("%q says nothing of %q:\n%s", args, want, out)
			}
		}
	}
	if out := explainText(t, "function", "uuid", "--markdown"); !strings.Contains(out, "| `uuid()` |") || strings.Contains(out, "In values") {
		t.Errorf("no Markdown of uuid alone:\n%s", out)
	}
}
