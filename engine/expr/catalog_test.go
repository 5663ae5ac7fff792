package expr

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every function is in the catalog, and nothing else.
func TestCatalogIsComplete(t *testing.T) {
	var listed []string
	for _, f := range Functions() {
		listed = append(listed, f.Name)
		if !strings.HasPrefix(f.Signature, f.Name+"(") || !strings.HasSuffix(f.Doc, ".") || f.Group == "" {
			t.Errorf("%+v is not written well", f)
		}
	}
	there := functionNames()
	slices.Sort(listed)
	slices.Sort(there)
	if diff := cmp.Diff(there, listed); diff != "" {
		t.Errorf("functions (-there +listed):\n%s", diff)
	}
}

// What the catalog says that an example yields is what it yields.
func TestCatalogExamples(t *testing.T) {
	for _, f := range Functions() {
		if f.Name == "table" { // the table it looks into is the configuration's
			continue
		}
		got, err := evalText(t, f.Example)
		if err != nil {
			t.Errorf("%s: %v", f.Example, err)
			continue
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Errorf("%s: %v", f.Example, err)
		}
		if f.Yields != "" && string(text) != f.Yields {
			t.Errorf("%s yields %s, not %s", f.Example, text, f.Yields)
		}
	}
}
