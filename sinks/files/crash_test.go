package files

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCrashAnywhere ends the process before each change of the file system or the
// journal in turn; whenever that is, each row is there once, in order.
func TestCrashAnywhere(t *testing.T) {
	tests := []struct {
		name, file string
		format     Format
		roll       *Roll
	}{
		{"ndjson", "rows.ndjson", Format{}, nil},
		{"csv", "rows.csv", Format{CSV: &CSV{Delimiter: ",", Header: true}}, nil},
		{"csv, rolled within batches", "rows.csv", Format{CSV: &CSV{Delimiter: ",", Header: true}}, &Roll{Rows: 3, Every: time.Minute}},
		{"ndjson, rolled across batches", "rows.ndjson", Format{NDJSON: &NDJSON{}}, &Roll{Rows: 7, Every: time.Minute}},
		{"json, rolled", "rows.json", Format{JSON: &JSON{}}, &Roll{Size: 40, Every: time.Minute}},
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
