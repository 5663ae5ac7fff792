package format

import (
	"io"
	"testing"
)

func fixedOpener(o Fixed) opener {
	return func(r io.Reader) (Reader, error) { return NewFixedReader(r, o) }
}

var people = Shape{Columns: []Column{{"id", 1, 3}, {"name", 4, 9}, {"total", 11, 0}}}

func TestFixedReader(t *testing.T) {
	plain := fixedOpener(Fixed{Shapes: []Shape{people}})
	narrow := Shape{Columns: []Column{{"a", 1, 2}, {"b", 4, 5}}}
	typed := Fixed{Shapes: []Shape{{Prefix: "1", Columns: []Column{{"kind", 1, 1}, {"n", 2, 5}, {"at", 6, 13}}}, {Prefix: "9"}},
		Types: Types{Columns: map[string]string{"n": "number", "at": "time:20060102"}}}
	checkCorpus(t, []corpus{
		{"plain", plain, "  1Ana    x 12.50\r\n  2Jürgen \n\n  3", []string{
			`1 id="1" name="Ana" total="x 12.50"`, `2 id="2" name="Jürgen" total=""`, `4 id="3" name="" total=""`}},
		{"skip", fixedOpener(Fixed{Shapes: []Shape{people}, Skip: 1}), "idxnamexx\n  1Ana\n", []string{`2 id="1" name="Ana" total=""`}},
		{"windows-1252", fixedOpener(Fixed{Shapes: []Shape{people}, Encoding: "windows-1252"}), "  1J\xfcrgen x\n", []string{`1 id="1" name="Jürgen" total="x"`}},
		{"not UTF-8", plain, "  1J\xfcrgen x\n  2Ana\n", []string{
			`! line 1, column 5: byte 0xfc is not valid UTF-8; if the file is in another encoding, say so: encoding = "windows-1252" [` + "  1J\xfcrgen x]", `2 id="2" name="Ana" total=""`}},
		{"too long", fixedOpener(Fixed{Shapes: []Shape{narrow}}), "ü1 b2  \nü1 b2 x\na", []string{
			`1 a="ü1" b="b2"`, `! line 2, column 6: 7 characters where the columns end at 5 [ü1 b2 x]`, `3 a="a" b=""`}},
		{"kinds of lines", fixedOpener(typed), "1  4220261224\n1  x 20261224\n9 end\n5\n", []string{
			`1 kind="1" n=42 at="2026-12-24T00:00:00Z"`, `! line 2, column 2: column "n": "x" is not a number [1  x 20261224]`,
			`! line 4: no record begins like this; there are "1", "9" [5]`}},
	})
}

func TestParseColumn(t *testing.T) {
	for place, want := range map[string]Column{"7-26": {"x", 7, 26}, "7": {"x", 7, 7}, "27-": {"x", 27, 0}} {
		if got, err := ParseColumn("x", place); err != nil || got != want {
			t.Errorf("%s: %v, %v", place, got, err)
		}
	}
	for _, place := range []string{"", "0", "0-3", "5-4", "a", "1-2-3", "-3", "1 - 2", " 1", "1-2x"} {
		if c, err := ParseColumn("x", place); err == nil {
			t.Errorf("%q is read as %v", place, c)
		}
	}
}

func TestFixedWriter(t *testing.T) {
	w := &FixedWriter{Fixed: Fixed{Shapes: []Shape{people}}}
	got := string(finished(t, w,
		map[string]any{"id": int64(1), "name": "Jürgen", "total": 12.5}, map[string]any{"id": int64(22)}, map[string]any{"name": true, "total": "x"}))
	if want := "  1Jürgen 12.5\n 22       \n   true   x\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	kinds := &FixedWriter{CRLF: true, Fixed: Fixed{
		Shapes: []Shape{{Prefix: "H", Columns: []Column{{"k", 1, 1}, {"at", 2, 9}}}, {Prefix: "D", Columns: []Column{{"k", 1, 1}, {"n", 2, 6}}}},
		Types:  Types{Decimal: ',', Columns: map[string]string{"at": "time:20060102"}},
	}}
	got = string(finished(t, kinds, map[string]any{"k": "H", "at": "2026-12-24T01:00:00Z"}, map[string]any{"k": "D", "n": 2.5}))
	if want := "H20261224\r\nD  2,5\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, tt := range []struct {
		w      *FixedWriter
		record any
		want   string
	}{
		{w, "x", "write line: the record is a string, not an object"},
		{w, map[string]any{"id": int64(1234)}, `write line: column "id": "1234" has 4 characters, and there is room for 3`},
		{w, map[string]any{"z": "x"}, `write line: field "z" is not among the columns id, name, total`},
		{w, map[string]any{"total": "a\nb"}, `write line: column "total": the text holds a line break`},
		{kinds, map[string]any{"k": "X", "n": 1.5}, `write line: it is none of the kinds of lines; the last one: it does not begin with "D"`},
	} {
		if out, err := tt.w.Append([]byte("kept"), 0, tt.record); err == nil || err.Error() != tt.want || string(out) != "kept" {
			t.Errorf("%v: %q, %v", tt.record, out, err)
		}
	}
}

func FuzzFixedReader(f *testing.F) {
	f.Add([]byte("  1Ana    x\r\n\xff\n"), false)
	f.Add([]byte("\xff\xfe1\x00\n\x00"), true)
	f.Fuzz(func(t *testing.T, doc []byte, ansi bool) {
		if len(doc) > maxFuzzed {
			return
		}
		o := Fixed{Shapes: []Shape{{Prefix: "9"}, people}, Types: Types{Columns: map[string]string{"id": "number"}}}
		if ansi {
			o.Encoding = "windows-1252"
		}
		checkReader(t, fixedOpener(o), doc)
		checkReader(t, func(r io.Reader) (Reader, error) { return NewLinesReader(r, o.Encoding) }, doc)
		checkReader(t, func(r io.Reader) (Reader, error) { return NewTextReader(r, o.Encoding) }, doc)
	})
}
