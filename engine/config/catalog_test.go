package config

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Every function at load is in the catalog, and what the catalog says that an
// example yields is what it yields.
func TestLoadFunctions(t *testing.T) {
	l := newLoader(nil, Options{})
	l.add(newFile("/x.hcl", "x.hcl", nil))
	l.globals.shared = l.prepareFunctions()
	there := slices.AppendSeq(slices.Collect(maps.Keys(l.files[0].eval.Functions)), maps.Keys(l.globals.shared.Functions))
	var listed []string
	for _, f := range LoadFunctions() {
		listed = append(listed, f.Name)
		if f.Yields == "" {
			continue
		}
		e, diags := hclsyntax.ParseExpression([]byte(f.Example), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(f.Example, diags)
		}
		v, diags := e.Value(l.files[0].eval)
		got, err := json.Marshal(goValue(v))
		if diags.HasErrors() || err != nil || string(got) != f.Yields {
			t.Errorf("%s yields %s, not %s (%v)", f.Example, got, f.Yields, diags)
		}
	}
	slices.Sort(there)
	slices.Sort(listed)
	if diff := cmp.Diff(there, listed); diff != "" {
		t.Errorf("functions (-there +listed):\n%s", diff)
	}
}
