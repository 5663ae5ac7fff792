package files

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/records"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		want []string
	}{
		{"defaults", Config{Path: template(t, "/x")}, nil},
		{"json without roll", Config{Path: template(t, "/x"), Format: records.Format{JSON: &records.JSON{}}}, []string{"format.json"}},
		{"roll by nothing", Config{Path: template(t, "/x"), Roll: &Roll{}}, []string{"roll"}},
		{"never complete", Config{Path: template(t, "/{{ body.id }}"), Roll: &Roll{Rows: 1}}, []string{"roll"}},
		{"xlsx without roll", Config{Path: template(t, "/x"), Format: records.Format{XLSX: &records.XLSX{}}}, []string{"format.xlsx"}},
		{"about reading", Config{Path: template(t, "/x"), Format: records.Format{CSV: &records.CSV{Table: records.Table{Skip: 1}}}}, []string{"format.csv.skip"}},
		{"xml without a root", Config{Path: template(t, "/x"), Format: records.Format{XML: &records.XML{Each: "a"}}, Roll: &Roll{Rows: 1}}, []string{"format.xml"}},
		{"marker", Config{Path: template(t, "/x"), Roll: &Roll{Rows: 1}, DoneMarker: template(t, "done/{{ meta.file.name }}")}, nil},
		{"marker without roll", Config{Path: template(t, "/x"), DoneMarker: template(t, "{{ meta.file.name }}.ok")}, []string{"done_marker"}},
		{"marker of an event", Config{Path: template(t, "/x"), Roll: &Roll{Rows: 1}, DoneMarker: template(t, "{{ body.id }}.ok")}, []string{"done_marker"}},
		{"marker of what is not known", Config{Path: template(t, "/x"), Roll: &Roll{Rows: 1}, DoneMarker: template(t, "{{ meta.header.x }}.ok")}, []string{"done_marker"}},
		{"marker is the file", Config{Path: template(t, "/x"), Roll: &Roll{Rows: 1}, DoneMarker: template(t, "./{{ meta.file.name }}")}, []string{"done_marker"}},
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
	there := (&Config{Path: template(t, "/out/a.csv"), Connection: component.Ref{Address: "connection.sftp.a"}}).Claims()
	if len(there) != 1 || there[0].What != "the file /out/a.csv at connection.sftp.a" {
		t.Errorf("at a connection: %v", there)
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
