package files

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
)

func TestOddNames(t *testing.T) {
	w := newWorld(t)
	w.config.Match = "**/*.csv"
	w.config.After.Move = w.template("./done/{{ meta.file.name }}")
	w.mkdir("dir.csv")
	w.write("dir.csv/in.csv", table(1, 1))
	w.write("two\nlines.csv", table(2, 1))
	w.write("-rf.csv", table(3, 1))
	w.write("ärger 'x' $(y).csv", table(4, 1))
	w.write(".hidden.csv", table(5, 1))
	w.write(".git/a.csv", table(6, 1))
	w.write("bad\xff.csv", table(7, 1))
	w.write("../secret.csv", table(8, 1))
	for name, to := range map[string]string{"link.csv": "../secret.csv", "loop": ".", "inside.csv": "dir.csv/in.csv", "nowhere.csv": "gone"} {
		if err := os.Symlink(to, w.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(w.path("pipe.csv"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.read()
	w.wants("-rf.csv:1 3", "dir.csv/in.csv:1 1", "two\nlines.csv:1 2", "ärger 'x' $(y).csv:1 4")
	w.tree("done/-rf.csv", "done/in.csv", "done/two\nlines.csv", "done/ärger 'x' $(y).csv",
		"in/.hidden.csv", "in/.git/a.csv", "in/bad\xff.csv", "in/inside.csv", "in/link.csv", "in/loop", "in/nowhere.csv", "in/pipe.csv", "secret.csv")
	for _, want := range []string{"pipe.csv", "a FIFO", "a symbolic link", "is not UTF-8"} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("nothing about %s in %s", want, w.log.String())
		}
	}
}

// liar is a server that names files as it likes.
type liar struct{ files.FS }

func (l liar) ReadDir(ctx context.Context, dir string) ([]files.Info, error) {
	infos, err := l.FS.ReadDir(ctx, dir)
	for _, name := range []string{"../secret.csv", "a/b.csv", "..", "nul\x00.csv"} {
		infos = append(infos, files.Info{Name: name, Size: 5})
	}
	return infos, err
}

func TestNamesThatAServerMakesUp(t *testing.T) {
	w := newWorld(t)
	w.config.Match = "**"
	w.write("../secret.csv", table(1, 1))
	w.write("a.csv", table(2, 1))
	s := w.source()
	s.fs = liar{s.fs}
	if err := w.again(s); err != nil {
		t.Fatal(err)
	}
	w.wants("a.csv:1 2")
}

func TestMoveThatWouldBeReadAgain(t *testing.T) {
	w := newWorld(t)
	w.config.After.Move = w.template(w.dir + "/{{ meta.file.name }}.done")
	w.write("a.csv", table(1, 1))
	if err := w.run(); err == nil || !strings.Contains(err.Error(), "would be read again") {
		t.Errorf("got %v", err)
	}
	w.config.Match = "*.csv"
	w.read()
	w.wants("a.csv:1 1")
	w.tree("in/a.csv.done")
}

// A file that cannot be moved does not hold up the others, and is read once.
func TestMoveFails(t *testing.T) {
	w := newWorld(t)
	w.config.After.Move = w.template("./done/{{ meta.file.name }}")
	w.write("a.csv", table(1, 1))
	w.write("b.csv", table(2, 1))
	w.before = func(op, path string) error {
		if op == "rename" && strings.HasSuffix(path, "a.csv") {
			return &fs.PathError{Op: op, Path: path, Err: fs.ErrPermission}
		}
		return nil
	}
	for range 2 {
		if err := w.run(); err == nil || !strings.Contains(err.Error(), "a.csv: it has been read, but cannot be moved to") {
			t.Errorf("got %v", err)
		}
	}
	w.tree("in/a.csv", "done/b.csv")
	w.before = nil
	w.read()
	w.wants("a.csv:1 1", "b.csv:1 2")
	w.tree("done/a.csv", "done/b.csv")
}

// A file that cannot be read for a reason of the place does not starve the others; a
// place that is gone is not asked for each.
func TestTroubleOfOneAndOfAll(t *testing.T) {
	w := newWorld(t)
	for n := range 9 {
		w.write(fmt.Sprintf("%d.csv", n), table(n, 1))
	}
	opened, bad := 0, "1.csv"
	w.before = func(op, path string) error {
		if op == "open" && strings.HasSuffix(path, bad) {
			opened++
			return &fs.PathError{Op: op, Path: path, Err: syscall.EIO}
		}
		return nil
	}
	if err := w.run(); !errors.Is(err, syscall.EIO) || opened != 1 || len(w.rows) != 8 {
		t.Errorf("%v; %d opened, %d rows", err, opened, len(w.rows))
	}
	bad, w.state = "", map[string]json.RawMessage{}
	if err := w.run(); !errors.Is(err, syscall.EIO) || opened != 4 || len(w.rows) != 8 {
		t.Errorf("%v; %d opened, %d rows", err, opened, len(w.rows))
	}
}

// The server renames, and the connection ends before it says so. Meanwhile a new
// file has the old name.
func TestMoveOfWhichNobodyHears(t *testing.T) {
	w := newWorld(t)
	w.config.After.Move = w.template("./done/{{ meta.file.name }}")
	w.write("a.csv", table(1, 1))
	w.touch("a.csv", time.Now().Add(-time.Hour))
	w.before = func(op, path string) error {
		if op == "renamed" {
			return errCrash
		}
		return nil
	}
	if err := w.run(); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	w.before = nil
	w.write("a.csv", table(2, 1))
	w.read()
	w.read()
	w.wants("a.csv:1 1", "a.csv:1 2")
	w.tree("done/a.csv", "done/a-2.csv")
}

// A file that is replaced between reading and moving is not moved unread.
func TestReplacedBeforeTheMove(t *testing.T) {
	for _, when := range []string{"accept", "rename"} {
		w := newWorld(t)
		w.config.After.Move = w.template("./done/{{ meta.file.name }}")
		w.write("a.csv", table(1, 1))
		w.before = func(op, _ string) error {
			if op == when {
				w.before = nil
				w.write("new", table(20, 1))
				return os.Rename(w.path("new"), w.path("a.csv"))
			}
			return nil
		}
		s := w.source()
		for range 3 {
			if err := w.again(s); err != nil {
				t.Fatal(err)
			}
		}
		w.wants("a.csv:1 1", "a.csv:1 20")
		w.tree("done/a.csv")
	}
}

func TestReplacedBeforeItIsDeleted(t *testing.T) {
	w := newWorld(t)
	w.config.After.Delete = true
	w.write("a.csv", table(1, 1))
	w.before = func(op, _ string) error {
		if op == "accept" {
			w.before = nil
			w.write("a.csv", table(20, 2))
		}
		return nil
	}
	for range 2 {
		w.read()
	}
	w.wants("a.csv:1 1", "a.csv:1 20", "a.csv:2 21")
	w.tree()
}

func TestGrowsWhileRead(t *testing.T) {
	w := newWorld(t)
	w.write("a.csv", "id\n1\n2\n3\n4\n5\n6\n7") // the last line is half
	s := w.source()
	s.chunkRows = 3
	reads := 0
	w.before = func(op, _ string) error {
		if reads++; op == "read" && reads > 1 {
			w.before = nil
			f, err := os.OpenFile(w.path("a.csv"), os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString("7\n8\n")
			}
			return errors.Join(err, f.Close())
		}
		return nil
	}
	for range 3 {
		if err := w.again(s); err != nil {
			t.Fatal(err)
		}
	}
	w.wants("a.csv:1 1", "a.csv:2 2", "a.csv:3 3", "a.csv:4 4", "a.csv:5 5", "a.csv:6 6", "a.csv:7 77", "a.csv:8 8")
}

func TestShrinksOrVanishesWhileRead(t *testing.T) {
	for name, spoil := range map[string]func(*world) error{
		"shrinks":  func(w *world) error { return os.Truncate(w.path("a.csv"), 0) },
		"vanishes": func(w *world) error { return os.Remove(w.path("a.csv")) },
	} {
		w := newWorld(t)
		w.write("a.csv", table(1, 3))
		w.write("b.csv", table(4, 1))
		w.before = func(op, path string) error {
			if op == "open" && strings.HasSuffix(path, "a.csv") {
				w.before = nil
				return spoil(w)
			}
			return nil
		}
		s := w.source()
		for range 2 {
			if err := w.again(s); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		w.wants("b.csv:1 4")
	}
}

// What was read of a file before it was replaced stays; the new one is read whole.
func TestReplacedHalfRead(t *testing.T) {
	w := newWorld(t)
	w.write("a.csv", table(1, 5))
	w.interrupted(3)
	w.wants("a.csv:1 1", "a.csv:2 2", "a.csv:3 3")
	w.write("a.csv", table(11, 5))
	w.read()
	w.wants("a.csv:1 11", "a.csv:2 12", "a.csv:3 13", "a.csv:4 14", "a.csv:5 15")
}

// Growth between two runs, in the middle of a file: it goes on where it was.
func TestGrownHalfRead(t *testing.T) {
	w := newWorld(t)
	w.write("a.csv", table(1, 5))
	w.interrupted(3)
	w.write("a.csv", table(1, 7))
	w.read()
	w.wants("a.csv:1 1", "a.csv:2 2", "a.csv:3 3", "a.csv:4 4", "a.csv:5 5", "a.csv:6 6", "a.csv:7 7")
}

// interrupted ends a run after its first chunk, of so many rows.
func (w *world) interrupted(rows int) {
	w.Helper()
	s := w.source()
	s.chunkRows = rows
	accepts := 0
	w.before = func(op, _ string) error {
		if op == "accept" {
			if accepts++; accepts > 1 {
				return &component.LaterError{Reason: "full", After: time.Second}
			}
		}
		return nil
	}
	if err := w.again(s); !errors.As(err, new(*component.LaterError)) {
		w.Fatal(err)
	}
	w.before = nil
}

func pack(t *testing.T, kind string, content func(io.Writer)) string {
	t.Helper()
	var b bytes.Buffer
	var out io.WriteCloser
	switch kind {
	case "gz":
		out = gzip.NewWriter(&b)
	case "zst":
		var err error
		if out, err = zstd.NewWriter(&b); err != nil {
			t.Fatal(err)
		}
	}
	content(out)
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipped(t *testing.T, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		m, err := z.Create(members[i])
		if err == nil {
			_, err = io.WriteString(m, members[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPacked(t *testing.T) {
	for _, kind := range []string{"gz", "zst"} {
		w := newWorld(t)
		w.write("a.csv."+kind, pack(t, kind, func(out io.Writer) { io.WriteString(out, table(1, 5)) }))
		w.interrupted(2)
		w.read()
		w.touch("a.csv."+kind, time.Now().Add(time.Hour))
		w.read()
		var want []string
		for i := range 5 {
			want = append(want, fmt.Sprintf("a.csv.%s:%d %d", kind, i+1, i+1))
		}
		w.wants(want...)
	}
}

func TestZip(t *testing.T) {
	w := newWorld(t)
	text := zipped(t, "x.csv", table(1, 3), "d/", "", "d/../../y.csv", table(4, 2), "__MACOSX/x.csv", "junk", "e.csv", "")
	w.write("a.zip", text)
	w.interrupted(2)
	w.read()
	w.touch("a.zip", time.Now().Add(time.Hour))
	w.read()
	w.wants("a.zip/x.csv:1 1", "a.zip/x.csv:2 2", "a.zip/x.csv:3 3", "a.zip/d/../../y.csv:1 4", "a.zip/d/../../y.csv:2 5")
	w.tree("in/a.zip")
}

func TestBombs(t *testing.T) {
	zeros := func(out io.Writer) {
		row := []byte("id\n" + strings.Repeat("0", 1<<20-1) + "\n")
		for range 120 {
			out.Write(row)
		}
	}
	w := newWorld(t)
	w.write("a.gz", pack(t, "gz", zeros))
	w.write("b.zst", pack(t, "zst", zeros))
	w.config.MaxErrors = 0
	w.read()
	if n := strings.Count(w.log.String(), "this looks like a bomb"); n != 2 || w.failed != 2 {
		t.Errorf("%d of 2 refused: %s", n, w.log.String())
	}
	w.rows = nil
	w.config.MaxUnpacked = 1 << 20
	w.write("c.gz", pack(t, "gz", func(out io.Writer) { io.WriteString(out, "id\n"+strings.Repeat("12345\n", 1<<18)) }))
	w.read()
	if !strings.Contains(w.log.String(), "larger than 1 MiB, which max_unpacked allows") {
		t.Error(w.log.String())
	}
}

// What a directory says of offsets is not believed.
func TestArchiveThatLeadsOutOfItself(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", "12345")
	f := &file{path: "a.zip", full: w.path("a.zip")}
	f.info.Size = 5
	s := &sections{run: &run{source: w.source(), in: w}, ctx: t.Context(), file: f, budget: -1}
	for _, offset := range []int64{-1, 6} {
		if _, err := s.ReadAt(make([]byte, 1), offset); !errors.As(err, new(contentError)) || s.raw.err != nil {
			t.Errorf("%d: %v", offset, err)
		}
	}
}

func TestBrokenArchives(t *testing.T) {
	w := newWorld(t)
	whole := pack(t, "gz", func(out io.Writer) { io.WriteString(out, table(1, 50)) })
	w.write("cut.gz", whole[:len(whole)-12])
	w.write("none.gz", "id\n1\n")
	w.write("none.zst", "id\n1\n")
	w.write("none.zip", "id\n1\n")
	z := zipped(t, "x.csv", table(1, 3))
	w.write("cut.zip", z[:len(z)-30])
	w.write("whole.csv", table(1, 1))
	w.read()
	w.read()
	if w.failed != 5 {
		t.Errorf("%d failed: %s", w.failed, w.log.String())
	}
}

// A directory that may not be looked into keeps nobody from the others, and what was
// known of files in it stays known.
func TestLockedDirectory(t *testing.T) {
	w := newWorld(t)
	w.config.Match = "**/*.csv"
	w.write("b/b.csv", table(1, 1))
	s := w.source()
	if err := w.again(s); err != nil {
		t.Fatal(err)
	}
	w.write("a.csv", table(2, 1))
	w.write("c.csv", table(3, 1))
	w.before = func(op, path string) error {
		if op == "readdir" && path == w.path("b") {
			return &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
		}
		return nil
	}
	if err := w.again(s); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), w.path("b")) {
		t.Errorf("got %v", err)
	}
	w.wants("b/b.csv:1 1", "a.csv:1 2", "c.csv:1 3")
	if left := time.Until(w.until["file/b/b.csv"]); left < keepGone+time.Hour {
		t.Errorf("what is known is kept for %s", left)
	}
}
