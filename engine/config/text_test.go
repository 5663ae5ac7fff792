package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/expr"
)

// TestFilledTextStaysText: whatever ${} yields, it opens no hole and changes none,
// not even together with what stands around it.
func TestFilledTextStaysText(t *testing.T) {
	for _, c := range []struct{ value, text, want string }{
		{"x", "a-${var.v}-{{ body.id }}", "a-x-7"},
		{"{{ body.id }}", "${var.v}", "{{ body.id }}"},
		{"{{ body.id }}", "a ${var.v} b", "a {{ body.id }} b"},
		{"{ body.id }}", "{${var.v}", "{{ body.id }}"},
		{"x{", "${var.v}{{ body.id }}", "x{7"},
		{"{", "{${var.v}{{ body.id }}", "{{7"},
		{"{{{", "${var.v}{{ body.id }}${var.v}", "{{{7{{{"},
		{"}}", "{{ body.id }}${var.v}", "7}}"},
		{"x", "{{ '{' }}${var.v}{{ \"}\" }}", "{x}"},
	} {
		dir := writeFiles(t, map[string]string{"main.hcl": `
variable "v" {}
sink "files" "f" {
  path    = "/x"
  command = ["` + strings.ReplaceAll(c.text, `"`, `\"`) + `"]
}`})
		cfg, diags := Load(dir, testKinds, Options{Variables: map[string]string{"v": c.value}})
		if cfg == nil {
			t.Errorf("%s with %q:\n%s", c.text, c.value, rendered(diags))
			continue
		}
		got, err := cfg.Sinks[0].Config.(*appendConfig).Command[0].Eval(&expr.Input{Body: map[string]any{"id": int64(7)}})
		if err != nil || got != c.want {
			t.Errorf("%s with %q: %q, %v; want %q", c.text, c.value, got, err, c.want)
		}
	}
}

// TestPathsAreRelativeToTheirFile, those that templates make as well.
func TestPathsAreRelativeToTheirFile(t *testing.T) {
	cfg, _, dir := mustLoad(t, map[string]string{
		"a {{b/main.hcl": `
sink "files" "literal" {
  path   = "out/x.csv"
  lookup = abspath("t.txt")
}
sink "files" "hole" { path = "{{ body.id }}.csv" }
sink "files" "absolute" { path = "/tmp/{{ body.id }}.csv" }
sink "files" "file" { path = file("name.txt") }`,
		"a {{b/name.txt": "deep/er.csv",
	}, Options{})
	sub := filepath.Join(dir, "a {{b")
	want := []string{sub + "/out/x.csv", sub + "/7.csv", "/tmp/7.csv", sub + "/deep/er.csv"}
	for i, s := range cfg.Sinks {
		got, err := s.Config.(*appendConfig).Path.Eval(&expr.Input{Body: map[string]any{"id": int64(7)}})
		if err != nil || got != want[i] {
			t.Errorf("%s: %q, %v; want %q", s.Address, got, err, want[i])
		}
	}
	if got := cfg.Sinks[0].Config.(*appendConfig).Lookup; got != sub+"/t.txt" {
		t.Errorf("lookup %q", got)
	}
}

func TestFunctions(t *testing.T) {
	want := map[string]any{
		`base64decode("aGk=")`: "hi", `base64encode("hi")`: "aGk=", `jsondecode("{\"a\":[1,2.5]}").a`: []any{int64(1), 2.5},
		`jsonencode({ b = 1, a = "x" })`: `{"a":"x","b":1}`, `format("%s-%03d", "a", 7)`: "a-007", `join("-", ["a", "b"])`: "a-b",
		`split(",", "a,b")`: []any{"a", "b"}, `lower("A")`: "a", `upper("a")`: "A", `trimspace(" a ")`: "a", `replace("aba", "a", "x")`: "xbx",
		`concat(["a"], ["b"])`: []any{"a", "b"}, `merge({ a = 1 }, { b = 2 })`: map[string]any{"a": int64(1), "b": int64(2)},
		`keys({ b = 1, a = 2 })`: []any{"a", "b"}, `lookup({ a = 1 }, "b", 5)`: int64(5), `coalesce(null, "x")`: "x",
		`env("HOME")`: "/root", `env("NONE", "x")`: "x", `strrev("abc")`: "cba", `length([1, 2])`: int64(2),
		`123456789012345678901234567890 > 0`: true, `9007199254740993`: int64(9007199254740993), `0.1`: 0.1,
		`{ for k, v in { a = 1 } : k => v + 1 }`: map[string]any{"a": int64(2)}, `"%{if true}a%{else}b%{endif}"`: "a",
	}
	for src, value := range want {
		cfg, _, _ := mustLoad(t, map[string]string{"main.hcl": "source \"webhook\" \"orders\" {\n  path = \"/\"\n  answer = " + src + "\n  verify \"none\" {}\n}" + logFlow},
			Options{LookupEnv: environment(map[string]string{"HOME": "/root"})})
		if diff := cmp.Diff(value, cfg.Sources[0].Config.(*hookConfig).Answer); diff != "" {
			t.Errorf("%s (-want +got):\n%s", src, diff)
		}
	}
}

// TestComputedCollections: lists and maps that are not written out fill their fields too.
func TestComputedCollections(t *testing.T) {
	cfg, _, _ := mustLoad(t, map[string]string{"main.hcl": `
locals { tokens = { A = sensitive("s"), B = "{{ x" } }
connection "http" "crm" {
  base_url = "https://crm"
  headers  = merge(local.tokens, { C = "c" })
}
sink "http" "crm" {
  connection = connection.http.crm
  headers    = merge(local.tokens, { C = 5 })
  columns    = zipmap(["a"], ["b"])
}
sink "files" "x" {
  path    = "/x"
  command = concat(["/bin/x"], ["-v"])
}
source "webhook" "orders" {
  path      = "/"
  methods   = concat(["POST"], ["PUT"])
  allow_ips = split(",", "10.0.0.0/8,::1")
  labels    = { for k in ["a"] : k => "b" }
  verify "none" {}
}` + logFlow}, Options{})
	conn := cfg.Connections[0].Config.(*connConfig)
	if conn.Headers["A"].Reveal() != "s" || conn.Headers["C"].Reveal() != "c" {
		t.Errorf("connection: %d headers", len(conn.Headers))
	}
	call := cfg.Sinks[0].Config.(*callConfig)
	for name, want := range map[string]string{"A": "s", "B": "{{ x", "C": "5"} {
		if got, err := call.Headers[name].Eval(&expr.Input{}); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if v, ok := call.Columns["a"].Literal(); !ok || v != "b" {
		t.Errorf("column %v", v)
	}
	if got, _ := cfg.Sinks[1].Config.(*appendConfig).Command[1].Literal(); got != "-v" {
		t.Errorf("command %q", got)
	}
	hook := cfg.Sources[0].Config.(*hookConfig)
	if diff := cmp.Diff([]any{[]string{"POST", "PUT"}, map[string]string{"a": "b"}, "::1/128"}, []any{hook.Methods, hook.Labels, hook.AllowIPs[1].String()}); diff != "" {
		t.Error(diff)
	}
}
