package files

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReads(t *testing.T) {
	w := newWorld(t)
	w.config.Match = "**/*.csv"
	w.write("b.csv", table(10, 2))
	w.write("a/z.csv", table(20, 1))
	w.write("a.csv", table(1, 2))
	w.write("c.txt", "x\n1\n")
	w.write("empty.csv", "")
	w.write("header.csv", "id\n")
	s := w.source()
	for range 3 {
		if err := w.again(s); err != nil {
			t.Fatal(err)
		}
	}
	w.read() // after a restart
	w.wants("a.csv:1 1", "a.csv:2 2", "a/z.csv:1 20", "b.csv:1 10", "b.csv:2 11")
	w.tree("in/a.csv", "in/b.csv", "in/a/z.csv", "in/c.txt", "in/empty.csv", "in/header.csv")
}

func TestChangedFilesAreNew(t *testing.T) {
	w := newWorld(t)
	w.write("a.csv", table(1, 2))
	w.read()
	w.wants("a.csv:1 1", "a.csv:2 2")

	w.touch("a.csv", time.Now().Add(time.Hour))
	w.read()
	w.wants()

	w.write("a.csv", table(3, 2)) // the same size
	w.touch("a.csv", time.Now().Add(2*time.Hour))
	w.read()
	w.wants("a.csv:1 3", "a.csv:2 4")

	info, err := os.Stat(w.path("a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	w.write("new", table(5, 2)) // another file, of the same size and time
	w.touch("new", info.ModTime())
	if err := os.Rename(w.path("new"), w.path("a.csv")); err != nil {
		t.Fatal(err)
	}
	w.read()
	w.wants("a.csv:1 5", "a.csv:2 6")

	w.write("new", table(5, 3)) // another file, with more rows
	if err := os.Rename(w.path("new"), w.path("a.csv")); err != nil {
		t.Fatal(err)
	}
	w.read()
	w.wants("a.csv:1 5", "a.csv:2 6", "a.csv:3 7")
}

// A file that goes on growing after all of it has been read: only what is new is.
func TestGrowsForEver(t *testing.T) {
	w := newWorld(t)
	w.write("a.csv", "id\n1\n")
	w.append("b.csv", "id\n")
	w.read()
	for n := 2; n < 6; n++ {
		w.append("a.csv", fmt.Sprintf("%d\n", n))
		w.append("b.csv", fmt.Sprintf("%d\n", n))
		w.read()
	}
	w.wants("a.csv:1 1", "a.csv:2 2", "b.csv:1 2", "a.csv:3 3", "b.csv:2 3", "a.csv:4 4", "b.csv:3 4", "a.csv:5 5", "b.csv:4 5")

	w.append("a.csv", "6") // half a line, perhaps
	w.read()
	w.append("a.csv", "6\n")
	w.read() // then it was, and all is read anew
	w.wants("a.csv:6 6", "a.csv:1 1", "a.csv:2 2", "a.csv:3 3", "a.csv:4 4", "a.csv:5 5", "a.csv:6 66")
}

func TestAfter(t *testing.T) {
	w := newWorld(t)
	w.config.DoneMarker = w.template("{{ meta.file.name }}.ok")
	w.config.After.Move = w.template(w.dir + "/done/{{ meta.file.name }}")
	w.config.After.Failed = w.template(w.dir + "/failed/{{ meta.file.name }}")
	w.config.Match = "**"
	w.config.MaxErrors = 1
	w.write("a.csv", table(1, 1))
	s := w.source()
	for range 2 {
		if err := w.again(s); err != nil {
			t.Fatal(err)
		}
	}
	w.wants()
	if note := s.Report().Note; note != "1 file without done_marker" {
		t.Error(note)
	}
	w.write("a.csv.ok", "")
	w.write("bad.csv", "id\n1\n2,3\n4\n")
	w.write("bad.csv.ok", "")
	if err := w.again(s); err != nil {
		t.Fatal(err)
	}
	w.wants("a.csv:1 1", "bad.csv:1 1")
	w.tree("in/done/a.csv", "in/failed/bad.csv")
	if w.failed != 1 || len(w.dead) != 1 || !strings.Contains(w.dead[0].Fault.Error(), "bad.csv: line 3") || string(w.dead[0].Raw) != "2,3\n" && string(w.dead[0].Raw) != "2,3" {
		t.Errorf("%d failed, dead: %+v", w.failed, w.dead)
	}
	if note := s.Report().Note; !strings.HasPrefix(note, `1 file failed, the last: "bad.csv": 1 records could not be read`) {
		t.Error(note)
	}

	w.write("a.csv", table(1, 1)) // the same once more
	w.write("a.csv.ok", "")
	if err := w.again(s); err != nil {
		t.Fatal(err)
	}
	w.wants("a.csv:1 1")
	w.tree("in/done/a.csv", "in/done/a-2.csv", "in/failed/bad.csv")
	if left := w.ledger(); left != nil {
		t.Errorf("entries left: %v", left)
	}
}

func TestDelete(t *testing.T) {
	w := newWorld(t)
	w.config.After.Delete = true
	w.write("a.csv", table(1, 1))
	w.write("bad.csv", "id,id\n1,2\n") // stays: what failed is not deleted
	w.read()
	w.read()
	w.wants("a.csv:1 1")
	w.tree("in/bad.csv")
	if w.failed != 1 {
		t.Errorf("%d failed", w.failed)
	}
}

func TestAtomic(t *testing.T) {
	w := newWorld(t)
	w.config.Atomic = true
	w.write("a.csv", table(1, 3))
	w.write("b.csv", "id\n1\n2,3\n4\n5,6\n")
	w.read()
	w.wants("a.csv:1 1", "a.csv:2 2", "a.csv:3 3")
	if len(w.dead) != 0 || w.failed != 1 {
		t.Errorf("%d dead, %d failed", len(w.dead), w.failed)
	}
	if !strings.Contains(w.log.String(), "2 of its records cannot be read: b.csv: line 3") {
		t.Error(w.log.String())
	}
}

func TestMaxErrors(t *testing.T) {
	w := newWorld(t)
	w.config.MaxErrors = 2
	w.write("a.csv", "id\n1\n2,x\n3\n4,x\n5\n")
	w.write("b.csv", "id\n1\n2,x\n3\n")
	w.read()
	w.read()
	w.wants("a.csv:1 1", "a.csv:3 3", "b.csv:1 1", "b.csv:3 3")
	if len(w.dead) != 3 || w.failed != 1 {
		t.Errorf("%d dead, %d failed", len(w.dead), w.failed)
	}
	w.config.MaxErrors = 0
	w.write("c.csv", "id\n"+strings.Repeat("x,y\n", 500)+"1\n")
	w.read()
	w.wants("c.csv:501 1")
}

var errCrash = errors.New("the world ended")

// TestCrashAnywhere ends the process before each thing that is done to files or to
// the journal; a new one goes on. Whenever that is, each row is accepted once.
func TestCrashAnywhere(t *testing.T) {
	tests := []struct {
		name   string
		set    func(*world)
		files  map[string]string
		want   []string
		leaves []string
	}{
		{name: "move", set: func(w *world) { w.config.After.Move = w.template("./done/{{ meta.file.name }}") },
			leaves: []string{"done/a.csv", "done/b.csv"}},
		{name: "delete with marker", set: func(w *world) {
			w.config.After.Delete = true
			w.config.DoneMarker = w.template("{{ meta.file.name }}.ok")
		}},
		{name: "stay", leaves: []string{"in/a.csv", "in/b.csv"}},
		{name: "atomic", set: func(w *world) { w.config.Atomic = true; w.config.After.Delete = true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			steps := 0
			for crashed := true; crashed; steps++ {
				crashed = crashRun(t, steps, tt.set, tt.leaves)
			}
			if steps < 10 {
				t.Errorf("only %d steps to crash before", steps)
			}
			t.Logf("%d crashes", steps-1)
		})
	}
}

func crashRun(t *testing.T, at int, set func(*world), leaves []string) (crashed bool) {
	t.Helper()
	w := newWorld(t)
	w.config.Match = "*.csv"
	if set != nil {
		set(w)
	}
	w.write("a.csv", table(1, 8))
	w.write("b.csv", table(9, 2))
	if w.config.DoneMarker.IsSet() {
		w.write("a.csv.ok", "")
		w.write("b.csv.ok", "")
	}
	n := 0
	w.before = func(op, path string) error {
		if n++; n > at {
			crashed = true
			return fmt.Errorf("%s %s: %w", op, path, errCrash)
		}
		return nil
	}
	small := func() *source {
		s := w.source()
		s.chunkRows = 3
		return s
	}
	if err := w.again(small()); err != nil && !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	w.before = nil
	for range 2 {
		if err := w.again(small()); err != nil {
			t.Fatalf("crash before step %d: %v", at, err)
		}
	}
	var want []string
	for i := range 8 {
		want = append(want, fmt.Sprintf("a.csv:%d %d", i+1, i+1))
	}
	want = append(want, "b.csv:1 9", "b.csv:2 10")
	if diff := cmp.Diff(want, w.rows); diff != "" {
		t.Fatalf("crash before step %d: %s", at, diff)
	}
	w.tree(leaves...)
	return crashed
}
