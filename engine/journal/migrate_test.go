package journal_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/journal"
)

// unpack puts a database that an older program wrote into a directory.
func unpack(t *testing.T, name string) (dir string) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journal.db"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestFromSchema1 opens what the program with schema 1 wrote: five events of shop,
// of which orders has delivered some, has one dead and one waiting, and has given
// up a lane; and moves all of it at once, as the first start after an upgrade may.
func TestFromSchema1(t *testing.T) {
	dir := unpack(t, "schema1.db.gz")
	openIn(t, dir, journal.Options{Retention: 1e6 * time.Hour}).Close()
	j := openIn(t, dir, journal.Options{Retention: 1e6 * time.Hour})
	equal := func(what string, got, want any) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	known, err := j.Origins(t.Context())
	equal("origins", []any{known, err}, []any{map[string]string{"orders": "orders", "crm": "crm", "erp": "erp"}, error(nil)})
	equal("events", stored(t, j), []string{"a", "b", "c", "d", "e"})

	p, err := j.Configure(t.Context(), journal.Topology{
		Generation: 2, Record: &journal.Generation{Origin: "start", Files: []journal.ConfigFile{{Name: "a.hcl", Text: "# a"}}},
		Moved: []journal.Move{{From: "shop", To: "store"}, {From: "orders", To: "sales"}, {From: "crm", To: "desk"}},
		Flows: []journal.Flow{{Name: "sales", Sources: []string{"store"}, Sinks: []string{"desk", "erp"}}},
	})
	desk := journal.Lane{Flow: "sales", Sink: "desk"}
	equal("progress", []any{p, err}, []any{[]journal.Progress{
		{Lane: journal.Lane{Flow: "sales"}, Source: "store", Low: 4},
		{Lane: desk, Source: "store", Low: 3, Beyond: []journal.Position{5}},
		{Lane: journal.Lane{Flow: "sales", Sink: "erp"}, Source: "store", Low: 2},
	}, error(nil)})
	s, err := j.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal("source", []int64{s.Sources[0].Accepted, s.Sources[0].Refused, s.Sources[0].Dead}, []int64{5, 3, 1})
	equal("account", s.Flows, []journal.FlowStats{{Flow: "sales", Accepted: 5, Dropped: 1, Dead: 1, Pending: 3}})
	for scope, want := range map[[2]string]string{{"store", "cursor"}: `"e"`, {"desk", "length"}: "120"} {
		v, _, err := j.Get(t.Context(), scope[0], scope[1])
		equal("state", []any{string(v), err}, []any{want, error(nil)})
	}
	list, err := j.Exceptions(t.Context(), journal.ExceptionQuery{Lane: &desk})
	equal("exceptions", []any{len(list), err}, []any{2, error(nil)})
	now := time.Now()
	got, err := j.Append(t.Context(), journal.Append{Source: "store", DedupeWindow: time.Hour, Records: []journal.Record{{ID: journal.NewID(now), Time: now, Dedupe: "id-a"}}})
	equal("a known id", []any{got[0].Duplicate, err}, []any{true, error(nil)})
	g, err := j.Generation(t.Context(), 2)
	equal("generation", []any{g.Files, err}, []any{[]journal.ConfigFile{{Name: "a.hcl", Text: "# a"}}, error(nil)})
	known, err = j.Origins(t.Context())
	equal("origins", []any{known, err}, []any{map[string]string{"sales": "orders", "desk": "crm", "erp": "erp"}, error(nil)})
}

// TestFromSchema2 opens what the program with schema 2 wrote, which had payloads of any
// size in the database: three events, the first settled, the second of 3 MiB.
func TestFromSchema2(t *testing.T) {
	dir := unpack(t, "schema2.db.gz")
	large := strings.Repeat("b", 3<<20)
	openIn(t, dir, journal.Options{Retention: 1e6 * time.Hour}).Close()
	j := openIn(t, dir, journal.Options{Retention: 1e6 * time.Hour})
	if got := stored(t, j); !slices.Equal(got, []string{"a", large, "c"}) {
		t.Errorf("%d events", len(got))
	}
	p, err := j.Configure(t.Context(), shopFlow("crm"))
	if err != nil || p[1].Low != 1 {
		t.Errorf("progress %v, %v", p, err)
	}
	if err := appendOne(j, large); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, j); !slices.Equal(got, []string{"a", large, "c", large}) {
		t.Errorf("%d events after one more", len(got))
	}
	hasFiles(t, dir, large)
}
