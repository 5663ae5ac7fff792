//go:build linux

package faults

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const killFilesConf = `
source "webhook" "unused" {
  path = "/unused"
  verify "none" {}
}
source "files" "in" {
  path   = "in"
  match  = "*.csv*"
  settle = "0s"
  format "csv" {}
  after { move = "done/{{ meta.file.name }}" }
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
flow "rows" {
  from = [source.files.in, source.webhook.unused]
  map {
    n    = "body.n"
    file = "meta.file.name"
    row  = "meta.row"
  }
  to = sink.files.out
}
`

// Killed at random moments while it reads, commits, moves: each row of each file is in
// the output once, in the order of the files, and each file is moved once.
func TestKillsWhileFilesAreRead(t *testing.T) {
	kills, rows := 6, 30_000
	if long {
		kills, rows = 30, 150_000
	}
	dir := t.TempDir()
	var want []string
	next := 0
	for _, name := range []string{"a.csv", "b.csv.gz", "c.csv"} {
		writeRows(t, filepath.Join(dir, "in", name), next, rows)
		next += rows
		want = append(want, name)
	}
	for n := range 200 { // many small ones: mostly moves
		name := fmt.Sprintf("d%03d.csv", n)
		writeRows(t, filepath.Join(dir, "in", name), next, 2)
		next += 2
		want = append(want, name)
	}
	configure(t, dir, killFilesConf)
	d := launch(t, dir)
	last := filepath.Join(dir, "done", want[len(want)-1])
	killed := 0
	for ; killed < kills; killed++ {
		<-time.After(rand.N(400 * time.Millisecond)) // the moment is the point
		if _, err := os.Stat(last); err == nil {
			break
		}
		d.kill()
		d = launch(t, dir)
	}
	until(t, "the last file is moved", func() bool {
		_, err := os.Stat(last)
		return err == nil
	})
	s := d.drained()
	d.stop()
	t.Logf("%d kills, %d rows", killed, next)
	if f := s.Flows[0]; f.Accepted != int64(next) || f.Delivered != int64(next) {
		t.Errorf("counts after all: %+v, want %d", f, next)
	}
	wantRows(t, filepath.Join(dir, "out.ndjson"), next)
	for _, name := range want {
		if _, err := os.Stat(filepath.Join(dir, "done", name)); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "done", "*-2*")); len(left) > 0 {
		t.Errorf("moved twice: %v", left)
	}
}

func writeRows(t *testing.T, path string, from, rows int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out io.Writer = f
	if filepath.Ext(path) == ".gz" {
		z := gzip.NewWriter(f)
		defer z.Close()
		out = z
	}
	text := bufio.NewWriter(out)
	fmt.Fprintln(text, "n,text")
	for n := range rows {
		fmt.Fprintf(text, "%d,\"some text, with a comma\"\n", from+n)
	}
	if err := text.Flush(); err != nil {
		t.Fatal(err)
	}
}

// wantRows wants the numbers from 0 on, each once and in order.
func wantRows(t *testing.T, path string, count int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, n := bufio.NewScanner(f), 0
	for ; lines.Scan(); n++ {
		var v struct {
			N    string
			File string
			Row  int
		}
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil || v.N != fmt.Sprint(n) {
			t.Fatalf("line %d is %s (%v)", n+1, lines.Bytes(), err)
		}
	}
	if n != count {
		t.Errorf("%d rows in the output, want %d", n, count)
	}
}
