package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/text/unicode/norm"
)

func addTestdata(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"testdata/diag/*.hcl", "testdata/good/*.hcl"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
}

func loadBytes(text []byte) (*Config, Diagnostics) {
	return loadWith(text, Options{Placeholders: len(text)%2 == 0})
}

func loadWith(text []byte, opts Options) (*Config, Diagnostics) {
	l := newLoader(testKinds, opts)
	l.add(newFile("/fuzz/main.hcl", "main.hcl", text))
	return l.finish()
}

// kept is a credential that no message may show.
const kept = "kept-9f3a"

// FuzzLoad: whatever the bytes, loading does not panic, comes to the same result
// each time, every diagnostic has a place in the file and can be printed, and none
// shows a credential.
func FuzzLoad(f *testing.F) {
	addTestdata(f)
	for _, s := range []string{
		`locals { a = jsondecode(credential("db")) }`, `locals { a = file(credential("db")) }`, `secret "a" { value = [credential("db")] }`,
		`connection "http" "a" { base_url = credential("db") }`, `connection "http" "a" { port = credential("db") }`,
		`sink "http" "a" { path = "/${credential("db")}" }`, `locals { a = upper(credential("db"), 1) }`, `locals { a = -credential("db") }`,
		`sink "log" "a" { when = credential("db") }`, `source "webhook" "a" { methods = [credential("db")] }`,
	} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "db"), []byte(kept), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		opts := Options{Placeholders: len(text)%2 == 0, CredentialsDir: dir}
		cfg, diags := loadWith(text, opts)
		if strings.Contains(rendered(diags)+string(diags.JSON()), kept) && !strings.Contains(string(text), "9f3a") {
			t.Fatalf("a credential shows:\n%s", rendered(diags))
		}
		if (cfg == nil) != diags.HasErrors() {
			t.Fatalf("configuration %v with %d diagnostics", cfg, len(diags))
		}
		for _, d := range diags {
			checkDiagnostic(t, text, d)
		}
		if !json.Valid(diags.JSON()) || len(diags) > 0 && rendered(diags) == "" {
			t.Fatal("diagnostics cannot be printed")
		}
		if _, again := loadWith(text, opts); cmp.Diff(diags, again) != "" {
			t.Fatalf("another result the second time:\n%s", cmp.Diff(diags, again))
		}
	})
}

func checkDiagnostic(t *testing.T, text []byte, d Diagnostic) {
	t.Helper()
	if d.Summary == "" {
		t.Fatalf("no summary: %+v", d)
	}
	if d.Range.File == "" {
		return
	}
	if s, e := d.Range.Start, d.Range.End; s.Line < 1 || s.Column < 1 || s.Byte < 0 || e.Byte > len(text) || e.Byte < s.Byte || e.Line < s.Line || e.Line == s.Line && e.Column < s.Column {
		t.Fatalf("no such place: %+v", d)
	}
}

// FuzzText: what a string or heredoc stands for is what HCL makes of it, and each
// byte of it is found again in the file.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		`"plain"`, `"a\tb\\\"c\u00e9\U0001F389 $${x} %%{y}"`, "<<E\n a\n  b\nE\n", "<<-E\n    a\n\n      b ${\"\"}\n  E\n",
		"<<-E\n\t\ta\n\t  b\n\tE\n", "<<E\r\na\r\nE\r\n", `"e` + "\u0301" + `"`, `"$$${1}"`, `"$$$"`, "<<E\nE\n", `""`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		src := []byte("x = " + s + "\n")
		if _, deep := tooDeep(src); deep {
			return
		}
		parsed, diags := hclsyntax.ParseConfig(src, "f", hcl.InitialPos)
		if diags.HasErrors() {
			return
		}
		attr := parsed.Body.(*hclsyntax.Body).Attributes["x"]
		e, ok := attr.Expr.(*hclsyntax.TemplateExpr)
		if !ok {
			return
		}
		value, ok := isLiteral(e)
		if !ok {
			return
		}
		file := newFile("/f", "f", src)
		text := file.literal(e.Range(), value)
		if got := text.String(); got != value && norm.NFC.String(got) != value {
			t.Fatalf("%q, want %q", got, value)
		}
		checkPlaces(t, file, text)
	})
}

func checkPlaces(t *testing.T, f *file, text *text) {
	t.Helper()
	s := text.String()
	for i, p := range text.pieces {
		end := len(s)
		if i+1 < len(text.pieces) {
			end = text.pieces[i+1].text
		}
		for at := p.text; at < end; at++ {
			if !p.fixed && f.text[text.fileOffset(at)] != s[at] {
				t.Fatalf("byte %d of %q is said to stand at %d", at, s, text.fileOffset(at))
			}
		}
	}
	src := text.source(f)
	for at := range s {
		if got, want := src.Locate(at), f.pos(text.fileOffset(at)); got.Line != want.Line || got.Column != want.Column {
			t.Fatalf("byte %d of %q: %+v, want %+v", at, s, got, want)
		}
	}
}
