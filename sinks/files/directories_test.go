package files

import (
	"testing"

	"github.com/syncd/syncd/engine/expr"
)

func TestDirectories(t *testing.T) {
	for path, want := range map[string]string{
		"/srv/out/a.csv":                   "/srv/out",
		"/srv/out/{{ body.id }}.csv":       "/srv/out",
		"/srv/out-{{ body.id }}/a.csv":     "/srv",
		"/srv/{{ body.id }}/{{ body.x }}/": "/srv",
	} {
		tpl, err := expr.CompileTemplate(expr.Source{Text: path}, expr.FileName, &expr.Scope{Names: []string{"body"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := (&Config{Path: tpl}).Directories(); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %v, want %s", path, got, want)
		}
	}
}
