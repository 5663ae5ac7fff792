package files

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/records"
)

// faultyTable has a row of two cells where one belongs.
const faultyTable = "id\n1\n2\nx,y\n3\n"

// TestFailedIsTouched: what was accepted of a file that failed is not read again when
// the file gets another time, or more.
func TestFailedIsTouched(t *testing.T) {
	w := newWorld(t)
	w.config.MaxErrors = 1
	w.write("a.csv", faultyTable)
	w.read()
	w.wants("a.csv:1 1", "a.csv:2 2")
	w.touch("a.csv", time.Now().Add(time.Hour))
	w.read()
	w.append("a.csv", "4\n")
	w.read()
	w.wants()
	w.config.MaxErrors = 2
	w.read()
	w.wants() // a file is not looked at for a new configuration alone
	w.touch("a.csv", time.Now().Add(2*time.Hour))
	w.read()
	w.wants("a.csv:4 3", "a.csv:5 4")
	if len(w.dead) != 1 || w.failed != 1 {
		t.Errorf("%d dead, %d failed", len(w.dead), w.failed)
	}
	w.write("a.csv", "id\n7\nx,y\n8\n")
	w.read()
	w.wants("a.csv:1 7", "a.csv:3 8")
}

// TestGrowsOutOfFailure: an upload that stalled for longer than settle, and goes on.
func TestGrowsOutOfFailure(t *testing.T) {
	w := newWorld(t)
	whole := pack(t, "gz", func(out io.Writer) { io.WriteString(out, table(1, 50000)) })
	w.write("a.csv.gz", whole[:len(whole)/2])
	w.read()
	w.mu.Lock()
	got := len(w.rows)
	w.rows = nil
	w.mu.Unlock()
	if w.failed != 1 || got == 0 {
		t.Fatalf("%d rows, %d failed", got, w.failed)
	}
	w.write("a.csv.gz", whole)
	w.read()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got += len(w.rows); got != 50000 || w.rows[len(w.rows)-1] != "a.csv.gz:50000 50000" {
		t.Errorf("%d rows", got)
	}
}

// TestFaultsOfOneReading: a table that grows for years may have a fault now and then.
func TestFaultsOfOneReading(t *testing.T) {
	w := newWorld(t)
	w.config.MaxErrors = 2
	w.write("a.csv", "id\nx,y\n1\n")
	w.read()
	w.append("a.csv", "x,y\n2\n")
	w.read()
	w.append("a.csv", "x,y\n3\n")
	w.read()
	w.wants("a.csv:2 1", "a.csv:4 2", "a.csv:6 3")
}

// TestFormatChangesMidway: the configuration is corrected while a file is half read.
func TestFormatChangesMidway(t *testing.T) {
	w := newWorld(t)
	w.config.MaxErrors = 0
	w.write("a.csv", "id\n"+table(1, 3000)[3:])
	commits := 0
	w.before = func(op, _ string) error {
		if op == "accept" {
			if commits++; commits == 2 {
				return errCrash
			}
		}
		return nil
	}
	if err := w.run(); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	w.rows, w.before = nil, nil
	w.config.Format = records.Format{XML: &records.XML{Each: "r"}}
	w.read()
	if w.failed != 1 && len(w.dead) == 0 {
		t.Errorf("neither failed nor dead: %s", w.log.String())
	}
	if len(w.rows) > 0 {
		t.Errorf("read again: %v", w.rows[0])
	}
}
