package files

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/records"
)

// TestCrashAnywhere ends the process before each change of the file system or the
// journal in turn; whenever that is, each row is there once, in order.
func TestCrashAnywhere(t *testing.T) {
	tests := []struct {
		name, file string
		format     records.Format
		roll       *Roll
	}{
		{"ndjson", "rows.ndjson", records.Format{}, nil},
		{"csv", "rows.csv", records.Format{CSV: &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`, Header: true}}}, nil},
		{"csv, rolled within batches", "rows.csv", records.Format{CSV: &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`, Header: true}}}, &Roll{Rows: 3, Every: time.Minute}},
		{"ndjson, rolled across batches", "rows.ndjson", records.Format{NDJSON: &records.NDJSON{}}, &Roll{Rows: 7, Every: time.Minute}},
		{"json, rolled", "rows.json", records.Format{JSON: &records.JSON{}}, &Roll{Size: 40, Every: time.Minute}},
		{"xml, rolled", "rows.xml", records.Format{XML: &records.XML{Each: "rows/row"}}, &Roll{Rows: 7, Every: time.Minute}},
		{"xlsx, rolled", "rows.xlsx", records.Format{XLSX: &records.XLSX{Header: true}}, &Roll{Rows: 7, Every: time.Minute}},
	}
	const rows, batch = 17, 5
	var want []string
	for n := range rows {
		want = append(want, fmt.Sprint(n))
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			steps := 0
			for crashed := true; crashed; steps++ {
				dir := fast(t)
				e := newEngine(t, &Config{Path: template(t, filepath.Join(dir, "out", tt.file)), Format: tt.format, Roll: tt.roll, OnShrunk: "error"})
				crashed = e.crashRun(rows, batch, steps, func(n int) any { return id(n) })
				got := rowsIn(t, filepath.Join(dir, "out"), "rows", filepath.Ext(tt.file))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("crash before step %d: %s", steps, diff)
				}
			}
			if steps < 20 {
				t.Errorf("only %d steps to crash before", steps)
			}
			t.Logf("%d crashes", steps-1)
		})
	}
}

// TestMarkerComesAfterItsFile: wherever a crash comes, in the end each file has its
// marker, a marker never is there before its file, and nothing else is left.
func TestMarkerComesAfterItsFile(t *testing.T) {
	marker := template(t, "{{ meta.file.name }}.ok")
	steps := 0
	for crashed := true; crashed; steps++ {
		dir := fast(t)
		if err := os.WriteFile(dir+"/rows-2.ndjson", []byte("taken"), 0o644); err != nil {
			t.Fatal(err)
		}
		e := newEngine(t, &Config{Path: template(t, dir+"/rows.ndjson"), Roll: &Roll{Rows: 3, Every: time.Minute}, DoneMarker: marker})
		crashed = e.crashRun(10, 4, steps, func(n int) any { return id(n) })
		got := tree(t, dir)
		want := map[string]string{"rows-2.ndjson": "taken"}
		for n, name := range []string{"rows.ndjson", "rows-3.ndjson", "rows-4.ndjson", "rows-5.ndjson"} {
			want[name], want[name+".ok"] = fmt.Sprintf("{\"id\":%d}\n{\"id\":%d}\n{\"id\":%d}\n", 3*n, 3*n+1, 3*n+2), ""
		}
		want["rows-5.ndjson"] = "{\"id\":9}\n"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("crash before step %d: %s", steps, diff)
		}
	}
	if steps < 40 {
		t.Errorf("only %d steps to crash before", steps)
	}
}

// TestSettlementFails: what a call did is forgotten and done again.
func TestSettlementFails(t *testing.T) {
	dir := fast(t)
	e := newEngine(t, &Config{Path: template(t, filepath.Join(dir, "rows.ndjson")), OnShrunk: "error"})
	e.send(id(0))
	for range 3 {
		e.deliver(id(1), id(2))
		e.sink.Forget()
	}
	e.send(id(1), id(2))
	wantTree(t, dir, map[string]string{"rows.ndjson": "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n"})
}
