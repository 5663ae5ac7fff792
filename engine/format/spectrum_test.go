package format

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/npmtest"
)

// TestSpectrum reads the corpus of csv-spectrum, and writes it so that it is read alike.
func TestSpectrum(t *testing.T) {
	dir := filepath.Join(npmtest.Dir(t, "csv-spectrum"), "csv-spectrum")
	names, err := filepath.Glob(filepath.Join(dir, "csvs", "*.csv"))
	if err != nil || len(names) < 12 {
		t.Fatalf("%d documents: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			doc, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "json", strings.TrimSuffix(filepath.Base(name), ".csv")+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var expected any
			if err := json.Unmarshal(text, &expected); err != nil {
				t.Fatal(err)
			}
			want, ok := expected.([]any)
			if !ok {
				want = []any{expected}
			}
			var table Table
			if filepath.Base(name) == "location_coordinates.csv" {
				table.Lazy = true                                               // 37°36'37.8"N, unquoted, is no RFC 4180
				want[0].(map[string]any)["Contact Phone Number"] = "2095257564" // the two files disagree
			}
			checkReader(t, csvOpener(table), doc)
			got, columns := objects(t, doc, table)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			again, _ := objects(t, finished(t, &CSVWriter{Columns: columns}, got...), Table{})
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("written and read again: %s", diff)
			}
		})
	}
}

// objects are the rows of a table, and the names of its columns.
func objects(t testing.TB, doc []byte, table Table) (list []any, columns []string) {
	t.Helper()
	r, err := NewCSVReader(bytes.NewReader(doc), table)
	if err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return list, columns
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, record(rec))
		columns = rec.Names
	}
}

// record is a record as its body.
func record(rec Record) any {
	if rec.Names == nil {
		return rec.Body
	}
	m := make(map[string]any, len(rec.Names))
	for i, name := range rec.Names {
		m[name] = rec.Values[i]
	}
	return m
}
