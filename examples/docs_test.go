package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// fence is a block of code in Markdown.
var fence = regexp.MustCompile("(?ms)^```hcl\n(.*?)^```$")

// Every configuration in the documentation can be run as it stands.
func TestSnippets(t *testing.T) {
	docs, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, doc := range append(docs, "../README.md") {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range fence.FindAllSubmatch(text, -1) {
			n++
			t.Run(fmt.Sprintf("%s_%d", filepath.Base(doc), i+1), func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "snippet.hcl")
				if err := os.WriteFile(file, m[1], 0o600); err != nil {
					t.Fatal(err)
				}
				validate(t, file)
			})
		}
	}
	if n == 0 {
		t.Error("no snippets found")
	}
}
