package records

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// each is one of every format, with what it needs for writing.
func each() []*Format {
	tsv := &TSV{}
	tsv.SetDefaults()
	xlsx := &XLSX{}
	xlsx.SetDefaults()
	return []*Format{
		newCSV(func(c *CSV) { c.Delimiter, c.Encoding, c.BOM = ";", "utf-16le", true }), {TSV: tsv}, {NDJSON: &NDJSON{}}, {JSON: &JSON{Records: "a.b"}},
		{XML: &XML{Each: "a/b"}}, newFixed(func(f *Fixed) { f.Columns = map[string]string{"s": "1-9", "t": "10-"} }), {XLSX: xlsx},
	}
}

// What a format writes, it reads; what it has begun can be ended by its name and layout.
func TestWrittenIsRead(t *testing.T) {
	want := map[string]any{"s": "a; b", "t": "ü"}
	for _, f := range each() {
		columns, table := f.Layout()
		if table {
			columns = []string{"s", "t"}
		}
		w, err := f.NewWriter(columns)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := w.Append(w.Begin(nil), 0, want)
		if err != nil {
			t.Fatalf("%s: %v", f.Name(), err)
		}
		doc = append(doc, tail(t, w, doc)...)
		if later := Ending(f.Name(), columns); f.HasEnd() {
			if again := tail(t, later, doc[:len(doc)-len(tail(t, w, doc))]); !bytes.HasSuffix(doc, again) || len(again) == 0 {
				t.Errorf("%s ends otherwise: %q", f.Name(), again)
			}
		}
		r, err := f.NewReader(bytes.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		rec, err := r.Next()
		if err != nil {
			t.Fatalf("%s: %q: %v", f.Name(), doc, err)
		}
		got := body(rec)
		if rec.Raw != nil {
			if got, err = format.DecodeJSON(rec.Raw); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Errorf("%s: %s", f.Name(), diff)
		}
	}
}

// tail is what stands behind the records of doc.
func tail(t *testing.T, w format.Writer, doc []byte) []byte {
	t.Helper()
	f, ok := w.(format.Finisher)
	if !ok {
		return w.End(nil)
	}
	out, err := f.Finish(bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDirections(t *testing.T) {
	attrs := func(p component.Problems) (list []string) {
		for _, problem := range p.List {
			list = append(list, problem.Attr)
		}
		return list
	}
	for _, f := range each() {
		var reading, writing component.Problems
		f.ForWriting(&writing, "format")
		if len(writing.List) > 0 {
			t.Errorf("%s: %v", f.Name(), writing.List)
		}
		if f.ForReading(&reading, "format"); len(reading.List) > 0 && f.CSV == nil {
			t.Errorf("%s: %v", f.Name(), reading.List)
		}
	}
	table := newCSV(func(c *CSV) {
		c.Skip, c.Comment, c.LazyQuotes, c.Ragged, c.Thousands = 1, "#", true, true, "."
		c.FormulaGuard, c.BOM, c.CRLF = true, true, true
	})
	var reading, writing component.Problems
	table.ForReading(&reading, "format")
	table.ForWriting(&writing, "format")
	if diff := cmp.Diff("format.csv.formula_guard format.csv.bom format.csv.crlf", strings.Join(attrs(reading), " ")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("format.csv.comment format.csv.skip format.csv.lazy_quotes format.csv.ragged format.csv.thousands", strings.Join(attrs(writing), " ")); diff != "" {
		t.Error(diff)
	}
}

// A workbook that cannot be read in the middle is copied first, and not left behind.
func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	f := each()[6]
	w, err := f.NewWriter([]string{"s"})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := w.Append(w.Begin(nil), 0, map[string]any{"s": "x"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.NewReader(bytes.NewBuffer(append(doc, tail(t, w, doc)...)))
	if err != nil {
		t.Fatal(err)
	}
	rec, err := r.Next()
	if err != nil || rec.Values[0] != "x" {
		t.Errorf("%v, %v", rec, err)
	}
	if err := r.(*spooled).Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.NewReader(bytes.NewBufferString("PK and no workbook")); err == nil {
		t.Error("no error")
	}
}
