//go:build linux

package faults

import (
	"os"
	"path/filepath"
	"testing"
)

// Without columns, a CSV file has those of the flow's last map, in its order, and
// then what later steps have added.
func TestColumnsInTheOrderOfTheMap(t *testing.T) {
	dir := t.TempDir()
	configure(t, dir, acceptConf+`
sink "files" "out" {
  path = "out.csv"
  format "csv" {}
}
flow "f" {
  from = source.webhook.in
  map {
    zebra = "body.n"
    apple = "body.n + 1"
    mango = "body.n + 2"
  }
  set { banana = "'yes'" }
  to = sink.files.out
}
`)
	d := launch(t, dir)
	if code, answer, _ := once(t, d.url+"/in"); code != 202 {
		t.Fatalf("answered %d %s", code, answer)
	}
	d.drained()
	d.stop()
	got, err := os.ReadFile(filepath.Join(dir, "out.csv"))
	if want := "zebra,apple,mango,banana\n7,8,9,yes\n"; err != nil || string(got) != want {
		t.Errorf("the file holds %q (%v), want %q", got, err, want)
	}
}
