package filestest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/connect/files"
)

func testWrite(t *testing.T, p Place) {
	p.write(t, "a", "one\n")
	p.want(t, "a", "one\n")
	p.write(t, "empty", "")
	p.want(t, "empty", "")
	info, err := p.FS.Stat(t.Context(), p.path("a"))
	must(t, err)
	if info.Name != "a" || info.Size != 4 || !info.Mode.IsRegular() || time.Since(info.ModTime).Abs() > time.Hour {
		t.Errorf("got %+v", info)
	}
	listed := p.names(t)["a"]
	if listed.Size != 4 || !listed.Mode.IsRegular() || !listed.ModTime.Equal(info.ModTime) || listed.ID != info.ID {
		t.Errorf("listed as %+v, stat says %+v", listed, info)
	}
}

func testCreateIsExclusive(t *testing.T, p Place) {
	p.write(t, "a", "old")
	must(t, p.FS.MakeDir(t.Context(), p.path("dir")))
	for _, name := range []string{"a", "dir"} {
		_, err := p.FS.Create(t.Context(), p.path(name))
		wantError(t, "create "+name, err, fs.ErrExist)
	}
	p.want(t, "a", "old")
}

func testAppendCuts(t *testing.T, p Place) {
	p.write(t, "a", "0123456789")
	for _, c := range []struct {
		offset       int64
		add, content string
	}{
		{10, "ab", "0123456789ab"},
		{4, "x", "0123x"},
		{5, "", "0123x"},
		{2, "", "01"},
		{0, "new", "new"},
	} {
		w, err := p.FS.Append(t.Context(), p.path("a"), c.offset)
		must(t, err)
		finish(t, w, c.add)
		p.want(t, "a", c.content)
	}
	_, err := p.FS.Append(t.Context(), p.path("a"), 4)
	var short *files.ShortError
	if !errors.As(err, &short) || short.Size != 3 || short.Offset != 4 {
		t.Errorf("append beyond the end: %v", err)
	}
	p.want(t, "a", "new")
	_, err = p.FS.Append(t.Context(), p.path("b"), 0)
	wantError(t, "append to what is missing", err, fs.ErrNotExist)
	p.wantGone(t, "b")
}

func testOffsets(t *testing.T, p Place) {
	p.write(t, "a", "0123456789")
	for offset, want := range map[int64]string{0: "0123456789", 4: "456789", 9: "9", 10: "", 11: "", 1 << 40: ""} {
		if got := p.read(t, "a", offset); got != want {
			t.Errorf("from %d: got %q, want %q", offset, got, want)
		}
	}
}

// numbers are n bytes of which every part tells where it stood.
func numbers(n int) []byte {
	b := make([]byte, 0, n+8)
	for i := 0; len(b) < n; i += 8 {
		b = fmt.Appendf(b, "%07x\n", i)
	}
	return b[:n]
}

func testReadsInOrder(t *testing.T, p Place) {
	all := numbers(5<<20 + 12345)
	w, err := p.FS.Create(t.Context(), p.path("large"))
	must(t, err)
	for rest := all; len(rest) > 0; {
		n := min(len(rest), 700_001)
		_, err := w.Write(rest[:n])
		must(t, err)
		rest = rest[n:]
	}
	must(t, errors.Join(w.Sync(), w.Close()))
	for _, offset := range []int64{0, 1, 256 << 10, 3<<20 + 17} {
		if got := p.read(t, "large", offset); got != string(all[offset:]) {
			t.Errorf("from %d: %d bytes that differ from the %d written", offset, len(got), len(all)-int(offset))
		}
	}
	f, err := p.FS.Open(t.Context(), p.path("large"), 0)
	must(t, err)
	head := make([]byte, 10)
	_, err = io.ReadFull(f, head)
	if must(t, err); !bytes.Equal(head, all[:10]) {
		t.Errorf("head: %q", head)
	}
	must(t, f.Close()) // with the rest unread
}

// testGrows: what is appended while a file is read is read as well, and nothing is left out.
func testGrows(t *testing.T, p Place) {
	all := numbers(900_000)
	p.write(t, "a", string(all[:300_001]))
	f, err := p.FS.Open(t.Context(), p.path("a"), 0)
	must(t, err)
	got := make([]byte, 250_000)
	_, err = io.ReadFull(f, got)
	must(t, err)
	w, err := p.FS.Append(t.Context(), p.path("a"), 300_001)
	must(t, err)
	finish(t, w, string(all[300_001:]))
	rest, err := io.ReadAll(f)
	must(t, errors.Join(err, f.Close()))
	if got = append(got, rest...); len(got) < 300_001 || !bytes.Equal(got, all[:len(got)]) {
		t.Errorf("read %d bytes, not what was written", len(got))
	}
}

func testReplacedWhileOpen(t *testing.T, p Place) {
	p.write(t, "a", "old content")
	before, err := p.FS.Stat(t.Context(), p.path("a"))
	must(t, err)
	f, err := p.FS.Open(t.Context(), p.path("a"), 0)
	must(t, err)
	must(t, p.FS.Rename(t.Context(), p.path("a"), p.path("b")))
	p.write(t, "a", "new")
	info, err := f.Info()
	must(t, err)
	if info.Size != 11 || info.ID != before.ID {
		t.Errorf("the open file is %+v, was %+v", info, before)
	}
	b, err := io.ReadAll(f)
	must(t, errors.Join(err, f.Close()))
	if string(b) != "old content" {
		t.Errorf("read %q", b)
	}
	after, err := p.FS.Stat(t.Context(), p.path("a"))
	must(t, err)
	if before.ID != "" && after.ID == before.ID {
		t.Errorf("old and new have one id, %s", after.ID)
	}
}

func testConcurrent(t *testing.T, p Place) {
	content := strings.Repeat("concurrent ", 40_000)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			name := fmt.Sprint("file", n)
			w, err := p.FS.Create(t.Context(), p.path(name))
			if err != nil {
				t.Error(err)
				return
			}
			_, err = io.WriteString(w, content)
			if err := errors.Join(err, w.Sync(), w.Close()); err != nil {
				t.Error(err)
			}
			f, err := p.FS.Open(t.Context(), p.path(name), 0)
			if err != nil {
				t.Error(err)
				return
			}
			b, err := io.ReadAll(f)
			if err := errors.Join(err, f.Close()); err != nil || string(b) != content {
				t.Errorf("%s: %d bytes, %v", name, len(b), err)
			}
		})
	}
	all.Wait()
}
