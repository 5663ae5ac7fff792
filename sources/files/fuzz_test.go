package files

import (
	"io"
	"testing"
)

// Whatever stands in a packed file: it is read or it fails, and is known afterwards.
func FuzzPacked(f *testing.F) {
	text := func(out io.Writer) { io.WriteString(out, table(1, 3)) }
	t := &testing.T{}
	for kind, seed := range map[string]string{"gz": pack(t, "gz", text), "zst": pack(t, "zst", text), "zip": zipped(t, "x.csv", table(1, 3), "d/y.csv", table(4, 1))} {
		f.Add(kind, []byte(seed))
		f.Add(kind, []byte(seed[:len(seed)/2]))
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		if kind != "gz" && kind != "zst" && kind != "zip" {
			return
		}
		w := newWorld(t)
		w.config.MaxUnpacked = 1 << 20
		w.write("a."+kind, string(data))
		w.read()
		rows, commits := len(w.rows)+len(w.dead), w.commit
		w.read()
		if len(w.rows)+len(w.dead) != rows || w.commit != commits {
			t.Errorf("read again: %d rows, then %d", rows, len(w.rows)+len(w.dead))
		}
	})
}
