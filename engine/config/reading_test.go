package config

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/google/go-cmp/cmp"
)

// What is kept of a configuration holds its text, but no secret that is written in it.
func TestMasked(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.hcl": `# a comment
source "webhook" "a" {
  path = "/planted-path"
  verify "hmac" {
    header = "X"
    secret = "planted"
  }
}
variable "site" { default = "scl" }
variable "token" {
  default   = "planted"
  sensitive = true
}
secret "s" { value = "planted" }
`,
		"b.hcl": strings.ReplaceAll(logFlow, "orders", "a"),
	})
	r := Open(dir, testKinds, Options{})
	if r.Config == nil {
		t.Fatal(rendered(r.Diagnostics))
	}
	masked := r.Masked()
	if got := string(masked[0].Text); strings.Contains(got, `"planted"`) || !strings.Contains(got, "# a comment") ||
		!strings.Contains(got, "/planted-path") || !strings.Contains(got, `default = "scl"`) || strings.Count(got, Mask) != 3 {
		t.Errorf("masked:\n%s", got)
	}
	if diff := cmp.Diff([]string{"a.hcl:6", "a.hcl:11", "a.hcl:14"}, MaskedAt(masked)); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	again := OpenTexts(masked, testKinds, Options{})
	if again.Config == nil || len(again.Config.Sources) != 1 {
		t.Errorf("a masked text does not read:\n%s", rendered(again.Diagnostics))
	}
}

// What reading took is let go of with Masked, though the configuration stays: the
// daemon has some of them in memory.
func TestMaskedLetsGo(t *testing.T) {
	r := Open(writeFiles(t, map[string]string{"a.hcl": "source \"webhook\" \"a\" { path = \"/a\" }\n" + strings.ReplaceAll(logFlow, "orders", "a")}), testKinds, Options{})
	if r.Config == nil {
		t.Fatal(rendered(r.Diagnostics))
	}
	l, f := weak.Make(r.loader), weak.Make(r.loader.files[0])
	r.Masked()
	runtime.GC()
	if l.Value() != nil || f.Value() != nil {
		t.Errorf("kept: the loader %t, the file's syntax %t", l.Value() != nil, f.Value() != nil)
	}
	runtime.KeepAlive(r)
}

// What was looked for counts, whether or not it is there and the rest is right.
func TestDepends(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.hcl": `
table "countries" {
  file = "countries.csv"
  key  = "code"
}
locals {
  there = file("there.txt")
  gone  = file("gone.txt")
}
secret "s" { value = credential("shop") }
listener "http" "x" {
  address = "127.0.0.1:0"
  tls {
    cert = "cert.pem"
    key  = "key.pem"
  }
}
`, "there.txt": "x"})
	r := Open(dir, testKinds, Options{CredentialsDir: "/nowhere"})
	want := []string{"/nowhere/shop"}
	for _, name := range []string{"cert.pem", "countries.csv", "gone.txt", "key.pem", "there.txt"} {
		want = append(want, filepath.Join(dir, name))
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(r.Depends))); diff != "" || r.Config != nil {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
