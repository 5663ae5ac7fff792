package layout

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/syncd/syncd/engine/config"
)

// Each file holds a text, in.hcl, and its canonical form, out.hcl.
func TestFormat(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 4 {
		t.Fatalf("%v, %d files", err, len(paths))
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil || len(a.Files) != 2 {
				t.Fatalf("%v, %d parts", err, len(a.Files))
			}
			in, want := a.Files[0].Data, a.Files[1].Data
			// White space that editors and git would not keep is written out.
			in = []byte(strings.NewReplacer("·", " ", "→", "\t").Replace(string(in)))
			want = []byte(strings.NewReplacer("·", " ", "→", "\t").Replace(string(want)))
			if d := cmp.Diff(string(want), string(Format(in))); d != "" {
				t.Error(d)
			}
			checkFormat(t, in)
		})
	}
}

func TestLineEnds(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "",
		"\n\n":                               "",
		"\uFEFFa=1":                          "a = 1\n",
		"a=1":                                "a = 1\n",
		"a=1\r\nb = 2":                       "a = 1\r\nb = 2\r\n",
		"a=1\r\n# x \r\n\r\n\r\nb=2\n":       "a = 1\r\n# x\r\n\r\nb = 2\r\n",
		"a=1\nb=2\r\n":                       "a = 1\nb = 2\n",
		"a=<<E\n x \r\n y\nE":                "a = <<E\n x \r\n y\nE\n",
		"a=<<E\r\nx \r\n  E \r\n\r\nb=2\r\n": "a = <<E\r\nx \r\n  E\r\n\r\nb = 2\r\n",
		"/* x \r\n y */\r\na=<<E\r\n x\nE\n": "/* x\r\n y */\r\na = <<E\r\n x\nE\r\n",
	} {
		if d := cmp.Diff(want, string(Format([]byte(in)))); d != "" {
			t.Errorf("%q: %s", in, d)
		}
		checkFormat(t, []byte(in))
	}
}

// checkFormat holds the canonical form of src, if that has no mistakes in its
// syntax, to what Format promises.
func checkFormat(t *testing.T, src []byte) {
	t.Helper()
	if config.CheckSyntax("a.hcl", src, nil).HasErrors() {
		return
	}
	out := Format(src)
	if d := config.CheckSyntax("a.hcl", out, nil); d.HasErrors() {
		t.Fatalf("%s\nof\n%q\nis\n%q", d[0].Summary, src, out)
	}
	if d := cmp.Diff(meaning(t, src), meaning(t, out), byMeaning...); d != "" {
		t.Fatalf("%q becomes %q: %s", src, out, d)
	}
	if d := cmp.Diff(texts(src), texts(out)); d != "" {
		t.Fatalf("texts of %q: %s", src, d)
	}
	if d := cmp.Diff(comments(src), comments(out)); d != "" {
		t.Fatalf("comments of %q: %s", src, d)
	}
	if again := Format(out); !bytes.Equal(out, again) {
		t.Fatalf("%q\nbecomes\n%q\nand that\n%q", src, out, again)
	}
}
