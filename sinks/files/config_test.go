package files

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		want []string
	}{
		{"defaults", Config{Path: template(t, "/x")}, nil},
		{"json without roll", Config{Path: template(t, "/x"), Format: Format{JSON: &JSON{}}}, []string{"format.json"}},
		{"roll by nothing", Config{Path: template(t, "/x"), Roll: &Roll{}}, []string{"roll"}},
		{"never complete", Config{Path: template(t, "/{{ body.id }}"), Roll: &Roll{Rows: 1}}, []string{"roll"}},
		{"delimiters", Config{Path: template(t, "/x"), Format: Format{CSV: &CSV{Delimiter: "||"}}}, []string{"format.csv.delimiter"}},
		{"no delimiter", Config{Path: template(t, "/x"), Format: Format{CSV: &CSV{}}}, []string{"format.csv.delimiter"}},
		{"tab", Config{Path: template(t, "/x"), Format: Format{CSV: &CSV{Delimiter: "\t"}}}, nil},
		{"twice", Config{Path: template(t, "/x"), Format: Format{CSV: &CSV{Delimiter: ",", Columns: []string{"a", "b", "a"}}}}, []string{"format.csv.columns"}},
	}
	for _, tt := range tests {
		var p component.Problems
		tt.cfg.Validate(&p)
		var got []string
		for _, problem := range p.List {
			got = append(got, problem.Attr)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestClaims(t *testing.T) {
	a := (&Config{Path: template(t, "/out/./a.csv")}).Claims()
	b := (&Config{Path: template(t, "/out/a.csv")}).Claims()
	if diff := cmp.Diff(a, b); diff != "" || len(a) != 1 {
		t.Errorf("%d claims: %s", len(a), diff)
	}
	if c := (&Config{Path: template(t, "/out/{{ body.id }}.csv")}).Claims(); c != nil {
		t.Errorf("a template claims %v", c)
	}
}

func TestNumbered(t *testing.T) {
	for name, want := range map[string]string{"a.csv": "a-2.csv", "a": "a-2", ".hidden": ".hidden-2", "a.tar.gz": "a.tar-2.gz"} {
		if got := numbered(name, 2); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
