package format

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
)

// table has 100 bytes a row, in ten columns.
func table(rows int) []byte {
	var b bytes.Buffer
	b.WriteString("id,customer,email,country,city,total,currency,quantity,created_at,note\n")
	for i := range rows {
		fmt.Fprintf(&b, "%07d,c%05d,ana.%05d@example.com,CL,Santiago,%d.50,EUR,%d,2026-01-02T03:04:05Z,as agreed\n", i, i%99991, i%99991, 100+i%900, 1+i%9)
	}
	return b.Bytes()
}

func benchmarkReader(b *testing.B, doc []byte, open func(io.Reader) (Reader, error)) {
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := open(bytes.NewReader(doc))
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for {
			_, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n == 0 {
			b.Fatal("no record")
		}
	}
}

func BenchmarkReadCSV(b *testing.B) {
	doc := table(100_000)
	for _, bm := range []struct {
		name string
		doc  []byte
		o    Table
	}{
		{"plain", doc, Table{}},
		{"quoted", bytes.ReplaceAll(doc, []byte("Santiago"), []byte(`"San, go"`)), Table{}},
		{"windows-1252", doc, Table{Encoding: "windows-1252"}},
		{"typed", doc, Table{Types: Types{Columns: map[string]string{"total": "number", "quantity": "number", "created_at": "time:2006-01-02T15:04:05Z07:00"}}}},
	} {
		b.Run(bm.name, func(b *testing.B) { benchmarkReader(b, bm.doc, csvOpener(bm.o)) })
	}
	// What it takes with the standard library: its strings alone, and as values.
	for name, boxed := range map[string]bool{"encoding_csv": false, "encoding_csv, values": true} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				readStandard(b, doc, boxed)
			}
		})
	}
}

func readStandard(b *testing.B, doc []byte, boxed bool) {
	r := csv.NewReader(bytes.NewReader(doc))
	for {
		row, err := r.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		if boxed {
			lastValues = cells(row)
		}
	}
}

var lastValues []any

// BenchmarkRead and BenchmarkWrite take the same 20,000 rows in each format.
func BenchmarkRead(b *testing.B) {
	for _, f := range formats() {
		doc := finished(b, f.writer, rows(20_000)...)
		b.Run(f.name, func(b *testing.B) { benchmarkReader(b, doc, f.open) })
	}
}

func BenchmarkWrite(b *testing.B) {
	records := rows(20_000)
	for _, f := range formats() {
		if strings.HasSuffix(f.name, ", decoded") {
			continue // is written like the other
		}
		b.Run(f.name, func(b *testing.B) {
			var doc []byte
			b.ReportAllocs()
			for b.Loop() {
				doc = finished(b, f.writer, records...)
			}
			b.SetBytes(int64(len(doc)))
		})
	}
}

type benchmarked struct {
	name   string
	writer Writer
	open   opener
}

func formats() []benchmarked {
	columns := []string{"created_at", "customer", "email", "id", "note", "total"}
	fixed := Fixed{Shapes: []Shape{{Columns: []Column{{"created_at", 1, 20}, {"customer", 21, 26}, {"email", 27, 50}, {"id", 51, 58}, {"note", 59, 70}, {"total", 71, 80}}}}}
	utf16, _ := Encode(&CSVWriter{Columns: columns}, "utf-16le", true)
	rawOnly := func(r io.Reader) (Reader, error) { return NewJSONReader(r, Array{RawOnly: true}) }
	return []benchmarked{
		{"csv", &CSVWriter{Columns: columns}, csvOpener(Table{})},
		{"csv, utf-16", utf16, csvOpener(Table{})},
		{"ndjson", NDJSONWriter{}, func(r io.Reader) (Reader, error) { return NewNDJSONReader(r, true) }},
		{"ndjson, decoded", NDJSONWriter{}, ndjsonOpener},
		{"json", JSONWriter{}, rawOnly},
		{"json, decoded", JSONWriter{}, arrayOpener()},
		{"xml", &XMLWriter{Each: "rows/row"}, xmlOpener("row")},
		{"fixed", &FixedWriter{Fixed: fixed}, func(r io.Reader) (Reader, error) { return NewFixedReader(r, fixed) }},
		{"xlsx", &XLSXWriter{Columns: columns}, xlsxOpener(Sheet{})},
	}
}

func rows(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = map[string]any{
			"id": int64(i), "customer": fmt.Sprintf("c%05d", i), "email": fmt.Sprintf("ana.%05d@example.com", i),
			"total": float64(i) / 4, "created_at": "2026-01-02T03:04:05Z", "note": "as agreed",
		}
	}
	return list
}
