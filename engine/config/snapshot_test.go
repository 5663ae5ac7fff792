package config

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestOverlay(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.hcl":     `variable "site" { default = "scl" }`,
		"sub/b.hcl": `sink "log" "disk" {}`,
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	overlay := map[string][]byte{
		at("sub/b.hcl"):         []byte(`sink "log" "held" {}`),
		at("new/c.hcl"):         []byte(`sink "log" "new" {}`),
		at(".d.hcl"):            []byte(`sink "log" "hidden" {}`),
		at("e.test.hcl"):        []byte(`sink "log" "test" {}`),
		at("../elsewhere.hcl"):  []byte(`sink "log" "elsewhere" {}`),
		filepath.Dir(dir) + "/": []byte(`sink "log" "elsewhere" {}`),
	}
	for name, tc := range map[string]struct {
		path        string
		files, sink []string
	}{
		"directory":             {dir, []string{at("a.hcl"), at("new/c.hcl"), at("sub/b.hcl")}, []string{"sink.log.held", "sink.log.new"}},
		"file":                  {at("sub/b.hcl"), []string{at("sub/b.hcl")}, []string{"sink.log.held"}},
		"file not on disk":      {at("new/c.hcl"), []string{at("new/c.hcl")}, []string{"sink.log.new"}},
		"directory not on disk": {at("new"), []string{at("new/c.hcl")}, []string{"sink.log.new"}},
	} {
		s := Read(tc.path, testKinds, Options{Overlay: overlay})
		var sinks []string
		for _, d := range s.Declarations {
			if d.Address[:4] == "sink" {
				sinks = append(sinks, d.Address)
			}
		}
		if diff := cmp.Diff(tc.files, s.Files()) + cmp.Diff(tc.sink, sinks); diff != "" || s.Diagnostics.HasErrors() {
			t.Errorf("%s: (-want +got):\n%s%s", name, diff, rendered(s.Diagnostics))
		}
	}
	if s := Read(at("nowhere"), testKinds, Options{Overlay: overlay}); len(s.Files()) != 0 || len(s.Diagnostics) == 0 {
		t.Errorf("files %q\n%s", s.Files(), rendered(s.Diagnostics))
	}
}

// What a configuration declares is told while it has mistakes, and no secret with it.
func TestSnapshot(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.hcl": `variable "site" {
  description = "Where we are."
  default     = "scl"
}
variable "token" {
  default   = "s3cret"
  sensitive = true
}
variable "unset" {}
secret "erp" { value = "s3cret" }
locals {
  tags = { a = 1, b = [var.site] }
  key  = sensitive("s3cret")
  bad  = var.nowhere
}
sink "log" "l" { description = "For people." }
sink "nonsense" "n" {}
flow "f" {
  from = `})
	s := Read(dir, testKinds, Options{Placeholders: true})
	if !s.Diagnostics.HasErrors() {
		t.Error("no errors")
	}
	want := []Declaration{
		{Address: "flow.f"},
		{Address: "local.bad"},
		{Address: "local.key", Sensitive: true},
		{Address: "local.tags", Value: "{\n  a = 1\n  b = [\"scl\"]\n}"},
		{Address: "secret.erp", Sensitive: true},
		{Address: "sink.log.l", Description: "For people."},
		{Address: "sink.nonsense.n"},
		{Address: "var.site", Description: "Where we are.", Value: `"scl"`},
		{Address: "var.token", Sensitive: true},
		{Address: "var.unset"},
	}
	if diff := cmp.Diff(want, s.Declarations, cmpopts.IgnoreFields(Declaration{}, "Range")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r := s.Find("local.key").Range; r.Start.Line != 13 || r.Start.Column != 3 || r.End.Column != 6 || r.File != filepath.Join(dir, "a.hcl") {
		t.Errorf("local.key at %+v", r)
	}
	if r := s.Find("sink.log.l").Range; r.Start.Line != 16 || r.End.Column != 15 {
		t.Errorf("sink.log.l at %+v", r)
	}
	if s.Find("sink.log.m") != nil {
		t.Error("found what is not there")
	}
}

// What is taken over from an earlier snapshot reads the same, mistakes in its syntax included.
func TestSnapshotEarlier(t *testing.T) {
	files := map[string]string{"a.hcl": `sink "log" "l" {`, "b.hcl": "flow \"f\" {\n  frm = 1\n}\n", "c.hcl": `locals { a = env("X") }`}
	dir := writeFiles(t, files)
	opts := Options{Placeholders: true}
	first := Read(dir, testKinds, opts)
	opts.Earlier = first
	again := Read(dir, testKinds, opts)
	if diff := cmp.Diff(rendered(first.Diagnostics), rendered(again.Diagnostics)); diff != "" {
		t.Errorf("(-first +again):\n%s", diff)
	}
	path := filepath.Join(dir, "b.hcl")
	opts.Earlier, opts.Overlay = again, map[string][]byte{path: []byte(`sink "log" "m" {}`)}
	third := Read(dir, testKinds, opts)
	if third.Find("sink.log.m") == nil || third.Find("flow.f") != nil || third.file(path).body == again.file(path).body {
		t.Errorf("%+v", third.Declarations)
	}
	if a := filepath.Join(dir, "a.hcl"); third.file(a).body != first.file(a).body {
		t.Error("a file that did not change was parsed again")
	}
}
