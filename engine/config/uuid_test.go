package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/syncd/syncd/engine/expr"
)

// uuid() belongs to its place: two of them differ, and lines that are added
// elsewhere in the file change neither.
func TestUUIDsOutliveEditsElsewhere(t *testing.T) {
	made := func(head string) []string {
		path := filepath.Join(t.TempDir(), "c.hcl")
		text := head + `
source "webhook" "in" { path = "/in" }
sink "log" "out" {}
flow "f" {
  from = source.webhook.in
  map {
    a = "uuid()"
    b = "uuid()"
  }
  to = sink.log.out
}
`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := Load(path, testKinds, Options{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		x := cfg.Flows[0].Body.Steps[0].Config.(*mapConfig).Fields
		var out []string
		for _, name := range []string{"a", "b"} {
			v, err := x.Field(name).Eval(&expr.Input{Seed: "event"})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, v.(string))
		}
		return out
	}
	first, later := made(""), made("# a line\n\n\n")
	if first[0] == first[1] {
		t.Errorf("two places made %s", first[0])
	}
	if first[0] != later[0] || first[1] != later[1] {
		t.Errorf("made %v, and after an edit above %v", first, later)
	}
}
