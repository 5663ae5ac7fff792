package examples

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fence is a block of code in Markdown.
var fence = regexp.MustCompile("(?ms)^```hcl\n(.*?)^```$")

// Every configuration in the documentation can be run as it stands.
func TestSnippets(t *testing.T) {
	countries, err := os.ReadFile("route-by-country/countries.csv") // in which snippets look things up
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, doc := range pages(t) {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range fence.FindAllSubmatch(text, -1) {
			n++
			t.Run(fmt.Sprintf("%s_%d", filepath.Base(doc), i+1), func(t *testing.T) {
				dir := t.TempDir()
				file := filepath.Join(dir, "snippet.hcl")
				for path, content := range map[string][]byte{file: m[1], filepath.Join(dir, "countries.csv"): countries} {
					if err := os.WriteFile(path, content, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				validate(t, file)
			})
		}
	}
	if n == 0 {
		t.Error("no snippets found")
	}
}

// pages are all files of Markdown in the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case filepath.Ext(path) == ".md":
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// shown is a file of an example in a page: a comment that names it, and its fence.
var shown = regexp.MustCompile("(?ms)^<!-- (examples/[^ ]+) -->\n```([a-z]*)\n(.*?)^```$")

// What the recipes show of an example is what stands there, and none is left out.
func TestRecipes(t *testing.T) {
	const page = "../docs/recipes.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	got := shown.ReplaceAllFunc(text, func(block []byte) []byte {
		m := shown.FindSubmatch(block)
		files[string(m[1])] = true
		content, err := os.ReadFile(filepath.Join("..", string(m[1])))
		if err != nil {
			t.Fatal(err)
		}
		content = headComment.ReplaceAll(content, nil)
		return fmt.Appendf(nil, "<!-- %s -->\n```%s\n%s\n```", m[1], m[2], bytes.TrimRight(content, "\n"))
	})
	rewrite(t, page, text, got)
	there, err := filepath.Glob("*/*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range there {
		if dir := filepath.Dir(file); !files["examples/"+file] && !strings.Contains(string(text), "../examples/"+file) && dir != "quickstart" && dir != "starter" {
			t.Errorf("%s has nothing of examples/%s", page, file)
		}
	}
}

// rewrite holds a page to what is generated for it, or writes that with -update.
func rewrite(t *testing.T, page string, text, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(text), string(want)); d != "" {
		t.Errorf("%s is not what there is; 'make docs' writes it anew (-there +generated):\n%s", page, d)
	}
}
