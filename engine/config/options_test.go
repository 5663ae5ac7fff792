package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

const logFlow = `
sink "log" "debug" {}
flow "all" {
  from = source.webhook.orders
  to   = sink.log.debug
}
`

func summaries(d Diagnostics) []string {
	var list []string
	for _, x := range d {
		list = append(list, string(x.Severity)+": "+x.Summary)
	}
	return list
}

func TestVariablesComeFromFlagThenEnvironmentThenDefault(t *testing.T) {
	const text = `
variable "a" { default = "default" }
variable "b" { default = "default" }
variable "c" { default = "default" }
variable "n" { default = 1 }
variable "on" { default = false }
variable "list" { default = ["x"] }
variable "hidden" { default = sensitive("s") }
source "webhook" "orders" {
  path   = "/${var.a}/${var.b}/${var.c}/${var.n + 1}"
  answer = [var.n, var.on, var.list]
  verify "hmac" {
    header = "X"
    secret = var.hidden
  }
}` + logFlow
	cfg, _, _ := mustLoad(t, map[string]string{"main.hcl": text}, Options{
		Variables: map[string]string{"a": "flag", "n": "41", "list": `["y", 2]`, "hidden": "given"},
		LookupEnv: environment(map[string]string{"SYNCD_VAR_a": "env", "SYNCD_VAR_b": "env", "SYNCD_VAR_on": "true"}),
	})
	hook := cfg.Sources[0].Config.(*hookConfig)
	if want := "/flag/env/default/42"; hook.Path != want {
		t.Errorf("path %q, want %q", hook.Path, want)
	}
	if diff := cmp.Diff([]any{int64(41), true, []any{"y", int64(2)}}, hook.Answer); diff != "" {
		t.Error(diff)
	}
	if got := hook.Verify[0].HMAC.Secret.Reveal(); got != "given" {
		t.Errorf("secret %q", got)
	}
}

func TestWrongVariables(t *testing.T) {
	dir := writeFiles(t, map[string]string{"main.hcl": `
variable "n" { default = 1 }
variable "l" { default = [] }
variable "hidden" { default = sensitive("s") }
source "webhook" "orders" { path = "/${var.hidden}" }` + logFlow})
	_, diags := Load(dir, testKinds, Options{Variables: map[string]string{"n": "many", "l": "[", "m": "1", "hidden": "x"}})
	want := []string{
		`error: no variable "m"`,
		"error: --var n is not a number",
		"error: --var l is not a list",
		"error: sensitive value not allowed in path",
	}
	if diff := cmp.Diff(want, summaries(diags)); diff != "" {
		t.Error(diff)
	}
}

const needsSecrets = `
variable "open" {}
source "webhook" "orders" {
  path     = "/${var.open}"
  max_body = env("MAX_BODY")
  verify "hmac" {
    header = env("HEADER")
    secret = credential("shop")
  }
  id = "meta.header['x-id'] + var.open"
}
sink "http" "crm" {
  connection = connection.http.crm
  path       = env("CRM_PATH")
  headers    = { Authorization = "Bearer ${credential("crm")}" }
}
connection "http" "crm" {
  base_url = env("CRM")
}
flow "all" {
  from = source.webhook.orders
  to   = sink.http.crm
}`

func TestPlaceholders(t *testing.T) {
	_, diags, dir := mustLoad(t, map[string]string{"main.hcl": needsSecrets}, Options{Placeholders: true})
	want := []string{
		"warning: variable open has no value",
		"warning: environment variable MAX_BODY is not set",
		"warning: environment variable HEADER is not set",
		`warning: no credential "shop"`,
		"warning: environment variable CRM_PATH is not set",
		`warning: no credential "crm"`,
		"warning: environment variable CRM is not set",
	}
	if diff := cmp.Diff(want, summaries(diags)); diff != "" {
		t.Error(diff)
	}
	if got, want := diags[3].Range.Start, (Pos{Line: 8, Column: 14, Byte: 163}); got != want {
		t.Errorf("credential at %+v, want %+v", got, want)
	}
	_, diags = Load(dir, testKinds, Options{Placeholders: true, Strict: true})
	for i, w := range want {
		want[i] = strings.Replace(w, "warning", "error", 1)
	}
	if diff := cmp.Diff(want, summaries(diags)); diff != "" {
		t.Error(diff)
	}
}

func TestCredentialsAndEnvironment(t *testing.T) {
	creds := writeFiles(t, map[string]string{"shop": "hunter2\n", "crm": "multi\nline\n\n"})
	cfg, _, _ := mustLoad(t, map[string]string{"main.hcl": needsSecrets}, Options{
		CredentialsDir: creds,
		LookupEnv: environment(map[string]string{
			"SYNCD_VAR_open": "x", "MAX_BODY": "1KiB", "HEADER": "X-Sig", "CRM": "https://crm", "CRM_PATH": "/{{ not a hole }}",
		}),
	})
	hook := cfg.Sources[0].Config.(*hookConfig)
	if hook.MaxBody != 1024 || hook.Verify[0].HMAC.Secret.Reveal() != "hunter2" || hook.Verify[0].HMAC.Header != "X-Sig" {
		t.Errorf("%+v", hook)
	}
	call := cfg.Sinks[0].Config.(*callConfig)
	if got, err := call.Headers["Authorization"].Eval(&expr.Input{}); err != nil || got != "Bearer multi\nline\n" {
		t.Errorf("header %q, %v", got, err)
	}
	if got, err := call.Path.Eval(&expr.Input{}); err != nil || got != "/%7B%7B not a hole }}" {
		t.Errorf("path %q, %v", got, err)
	}
}

// TestSecretsStaySecret plants secrets and looks for them in all that a load gives back.
func TestSecretsStaySecret(t *testing.T) {
	creds := writeFiles(t, map[string]string{"shop": "planted1", "crm": "planted2"})
	dir := writeFiles(t, map[string]string{"main.hcl": `
locals {
  bad  = jsondecode(credential("shop"))
  list2 = credential("shop")
  num  = parseint(credential("crm"), 10)
  list = [for c in credential("crm") : c]
}
source "webhook" "orders" {
  path     = credential("shop")
  max_body = credential("shop")
  methods  = [credential("shop")]
  labels   = { (credential("crm")) = "x" }
  weight   = credential("crm")
  limits { depth = credential("crm") }
  verify "hmac" {
    header = format("%d", credential("shop"))
    secret = credential("shop")
  }
}
connection "http" "crm" {
  base_url = file(credential("crm"))
  password = env(credential("shop"))
  headers  = { A = credential(local.list2) }
  timeout  = credential("crm")
}`})
	_, diags := Load(dir, testKinds, Options{CredentialsDir: creds})
	if len(diags) < 10 {
		t.Errorf("%d diagnostics:\n%s", len(diags), rendered(diags))
	}
	if all := rendered(diags) + string(diags.JSON()); strings.Contains(all, "planted") {
		t.Errorf("a secret shows:\n%s", all)
	}
}

func TestDirectories(t *testing.T) {
	files := map[string]string{
		"b.hcl":          `sink "log" "b" {}`,
		"a/z.hcl":        `sink "log" "z" {}`,
		"a/x.test.hcl":   `nonsense {`,
		"a/notes.txt":    `nonsense {`,
		".hidden/h.hcl":  `nonsense {`,
		"a/.h.hcl":       `nonsense {`,
		"a/.#z.hcl":      `nonsense {`,
		"sub/deep/c.hcl": "source \"webhook\" \"orders\" {\n  path = \"/x\"\n  verify \"none\" {}\n}\nflow \"x\" {\n from = source.webhook.orders\n to = [sink.log.b, sink.log.z]\n}",
	}
	cfg, diags, dir := mustLoad(t, files, Options{})
	var got []string
	for _, f := range cfg.Files {
		rel, _ := filepath.Rel(dir, f)
		got = append(got, rel)
	}
	if diff := cmp.Diff([]string{"a/z.hcl", "b.hcl", "sub/deep/c.hcl"}, got); diff != "" || len(diags) > 0 {
		t.Errorf("%s\n%s", diff, rendered(diags))
	}
	if p := cfg.Flows[0].Place; p != "sub/deep/c.hcl:5" {
		t.Errorf("place %s", p)
	}
}

func TestUnreadablePaths(t *testing.T) {
	dir := t.TempDir()
	if _, diags := Load(filepath.Join(dir, "none"), nil, Options{}); len(diags) != 1 || !strings.Contains(diags[0].Detail, "does not exist. Name the file") {
		t.Errorf("%+v", diags)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "a.hcl")); err != nil {
		t.Fatal(err)
	}
	if _, diags := Load(dir, nil, Options{}); len(diags) == 0 || !diags.HasErrors() {
		t.Errorf("a dangling link passes: %+v", diags)
	}
	if cfg, diags := Load(t.TempDir(), nil, Options{}); cfg == nil || len(diags) != 1 || diags[0].Severity != Warning {
		t.Errorf("an empty directory: %+v", diags)
	}
}

func TestImpliedListener(t *testing.T) {
	cfg, diags, _ := mustLoad(t, map[string]string{"main.hcl": `
source "webhook" "orders" { 
  path = "/x" 
  verify "none" {}
}` + logFlow}, Options{})
	if len(diags) > 0 {
		t.Errorf("%s", rendered(diags))
	}
	want := []*Listener{{Address: "listener.http.default", Listen: "127.0.0.1:8080", Place: "no listener is declared"}}
	if diff := cmp.Diff(want, cfg.Listeners); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]component.Address{"listener.http.default"}, cfg.Sources[0].Refs); diff != "" {
		t.Error(diff)
	}
}

func TestStateDirectory(t *testing.T) {
	for env, want := range map[string]string{"": ".syncd", "/var/lib/syncd": "/var/lib/syncd", "/a:/b": "/a"} {
		vars := map[string]string{}
		if env != "" {
			vars["STATE_DIRECTORY"] = env
		}
		cfg, _, _ := mustLoad(t, map[string]string{"a.hcl": ""}, Options{LookupEnv: environment(vars)})
		if cfg.Daemon.StateDir != want {
			t.Errorf("%q: state directory %q, want %q", env, cfg.Daemon.StateDir, want)
		}
	}
}

func TestJSON(t *testing.T) {
	dir := writeFiles(t, map[string]string{"main.hcl": "flow \"é\" {}\nsink \"log\" \"x\" {}\n"})
	_, diags := Load(dir, testKinds, Options{})
	var got map[string]any
	if err := json.Unmarshal(diags.JSON(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"format_version": "1.0", "valid": false, "error_count": 1.0, "warning_count": 0.0,
		"diagnostics": []any{map[string]any{
			"severity": "error", "summary": `invalid name "é"`,
			"detail": "A name begins with a small letter and goes on with small letters, digits and _. Write \"e\".",
			"range": map[string]any{
				"filename": filepath.Join(dir, "main.hcl"),
				"start":    map[string]any{"line": 1.0, "column": 6.0, "byte": 5.0},
				"end":      map[string]any{"line": 1.0, "column": 9.0, "byte": 9.0},
			},
			"snippet": map[string]any{
				"context": nil, "code": `flow "é" {}`, "start_line": 1.0,
				"highlight_start_offset": 5.0, "highlight_end_offset": 9.0, "values": []any{},
			},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if valid := Diagnostics(nil).JSON(); !strings.Contains(string(valid), `"diagnostics": []`) || !strings.Contains(string(valid), `"valid": true`) {
		t.Errorf("%s", valid)
	}
}

func TestCheckKinds(t *testing.T) {
	if err := CheckKinds(testKinds); err != nil {
		t.Error(err)
	}
	type bad struct {
		NoDoc  string          `hcl:"no_doc"`
		Option string          `hcl:"option,sometimes" doc:"x"`
		Type   chan int        `hcl:"type" doc:"x"`
		Nested struct{ A int } `hcl:"nested,block" doc:"x"`
	}
	type undecodable struct {
		NoDoc string   `hcl:"no_doc"`
		Type  chan int `hcl:"type" doc:"x"`
	}
	err := CheckKinds([]component.Kind{
		component.SinkKind("bad", "A sentence.", func() *bad { return &bad{} }, openSink[bad]),
		component.SinkKind("ugly", "no sentence", func() *undecodable { return &undecodable{} }, openSink[undecodable]),
		component.SinkKind("ugly", "Twice.", func() *undecodable { return &undecodable{} }, openSink[undecodable]),
	})
	if err == nil {
		t.Fatal("passes")
	}
	for _, want := range []string{`unknown option "sometimes"`, `sink "ugly" is declared twice`, "its doc is no sentence", "no_doc: no doc", "no way to decode a chan int"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
