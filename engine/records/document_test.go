package records

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/format"
)

// What is written as a document is read as what it was: lists of records, also of one
// and of none, and the values that are documents themselves.
func TestDocuments(t *testing.T) {
	two := []any{map[string]any{"s": "a; b", "t": "ü"}, map[string]any{"s": `"q"`, "t": "2"}}
	texts := []any{"one", "", "drei: ü"}
	latin := &Lines{Encoding: "windows-1252"}
	for _, tt := range []struct {
		f      *Format
		values []any
	}{
		{each()[0], []any{two, two[:1]}}, {each()[1], []any{two, two[:1]}}, {each()[2], []any{two, two[:1], []any{}}},
		{each()[3], []any{two, two[:1], []any{}}}, {each()[4], []any{two, two[:1], []any{}}}, {each()[5], []any{two, two[:1], []any{}}},
		{each()[6], []any{two, two[:1]}},
		{&Format{JSON: &JSON{}}, []any{two, two[:1], []any{}, two[0], nil, "text", int64(7), []any{[]any{}}}},
		{&Format{XML: &XML{}}, []any{map[string]any{"order": map[string]any{"@id": "1", "line": []any{"a", "b"}}}}},
		{&Format{Lines: &Lines{Encoding: "utf-8"}}, []any{texts, []any{}}},
		{&Format{Lines: latin}, []any{texts, []any{}}},
		{&Format{Text: &Text{Encoding: "utf-8"}}, []any{"one\ntwo ü\n", ""}},
		{&Format{Raw: &Raw{}}, []any{"AAH/", ""}},
	} {
		for _, v := range tt.values {
			doc, err := tt.f.Encode(v)
			if err != nil {
				t.Errorf("%s: write %v: %v", tt.f.Name(), v, err)
				continue
			}
			got, err := tt.f.Decode(doc, !tt.f.IsBinary())
			if err != nil {
				t.Errorf("%s: read %q: %v", tt.f.Name(), doc, err)
				continue
			}
			if d := cmp.Diff(v, got); d != "" {
				t.Errorf("%s: %q (-want +got)\n%s", tt.f.Name(), doc, d)
			}
		}
	}
}

// A text has been decoded, whatever the format says of bytes.
func TestDocumentThatIsText(t *testing.T) {
	f := newCSV(func(c *CSV) { c.Encoding = "windows-1252" })
	want := any([]any{map[string]any{"name": "Muñoz"}})
	for text, isText := range map[string]bool{"name\nMuñoz\n": true, "\ufeffname\nMuñoz\n": true, "name\nMu\xf1oz\n": false} {
		got, err := f.Decode([]byte(text), isText)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%q: %v %s", text, err, d)
		}
	}
	xml := &Format{XML: &XML{Each: "name"}}
	got, err := xml.Decode([]byte(`<?xml version="1.0" encoding="iso-8859-1"?><a><name>Muñoz</name></a>`), true)
	if d := cmp.Diff(any([]any{"Muñoz"}), got); err != nil || d != "" {
		t.Errorf("xml: %v %s", err, d)
	}
}

func TestDocumentColumns(t *testing.T) {
	doc, err := newCSV(nil).Encode([]any{map[string]any{"b": int64(1)}, map[string]any{"a": true}})
	if err != nil || string(doc) != "a,b\n,1\ntrue,\n" {
		t.Errorf("%q, %v", doc, err)
	}
	if doc, err = newCSV(nil).Encode(map[string]any{"b": int64(1)}); err != nil || string(doc) != "b\n1\n" {
		t.Errorf("one record: %q, %v", doc, err)
	}
}

// Faults name the record, and what is read is bounded.
func TestDocumentFaults(t *testing.T) {
	for _, tt := range []struct {
		f         *Format
		doc, want string
		raw       string
	}{
		{newCSV(nil), "a,b\n1,2\n3\n", "line 3: ", "3"},
		{newCSV(func(c *CSV) { c.Types = map[string]string{"b": "number"} }), "a,b\n1,two\n", "line 2, column 3: ", "1,two"},
		{&Format{NDJSON: &NDJSON{}}, "{\"a\":1}\n{\"a\":}\n", "line 2, column 6: ", `{"a":}`},
		{&Format{JSON: &JSON{}}, `[{"a":1},{"a":tru}]`, "line 1, column ", `{"a":tru}`},
		{&Format{JSON: &JSON{}}, strings.Repeat("[", 300) + strings.Repeat("]", 300), "", "*"},
		{&Format{XML: &XML{Each: "a/b"}}, "<a><b>1</b><b>", "line 1", "*"},
		{&Format{XML: &XML{}}, strings.Repeat("<a>", 300) + strings.Repeat("</a>", 300), "", "*"},
		{each()[6], "no workbook", "", "*"},
		{newCSV(nil), "a\n" + strings.Repeat("1\n", MaxRecords+1), "there are more than 100000 records", "*"},
		{newCSV(nil), "a\n" + strings.Repeat(strings.Repeat("x", 1<<20)+"\n", 65), "record 64: up to here, the records take more than 64 MiB of memory", "*"},
	} {
		v, err := tt.f.Decode([]byte(tt.doc), true)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %.60q: %v, %v; want %s", tt.f.Name(), tt.doc, v, err, tt.want)
			continue
		}
		var fault *format.RecordError
		if errors.As(err, &fault) && tt.raw != "*" && strings.TrimSpace(string(fault.Raw)) != tt.raw {
			t.Errorf("%s: the record is %q", tt.f.Name(), fault.Raw)
		}
		if tt.raw != "*" && fault == nil {
			t.Errorf("%s: no fault of a record: %v", tt.f.Name(), err)
		}
	}
	for want, err := range map[string]error{
		`record 2: write CSV row: field "b" is not among`: errorOf(newCSV(func(c *CSV) { c.Columns = []string{"a"} }).Encode([]any{map[string]any{"a": "1"}, map[string]any{"b": "2"}})),
		"text is one record, and this is a list":          errorOf((&Format{Text: &Text{}}).Encode([]any{"a", "b"})),
		"the document is larger than 64 MiB":              errorOf((&Format{JSON: &JSON{}}).Encode(slicesOf(strings.Repeat("x", 1<<20), 65))),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func errorOf(_ []byte, err error) error { return err }

func slicesOf(v any, n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = v
	}
	return list
}

// FuzzDocument: whatever a document is, it is read or refused, and what was read can be
// written and read again.
func FuzzDocument(f *testing.F) {
	for i, doc := range []string{"s,t\n1,2\n", "s\tt\n", "{}\n[]", `{"a":{"b":[1,2]}}`, "<a><b/></a>", "1234567890", "", `[1,"x"]`, "<a/>", "a\r\nb", "text", "raw"} {
		f.Add(byte(i), []byte(doc), true)
	}
	formats := append(each(), &Format{JSON: &JSON{}}, &Format{XML: &XML{}}, &Format{Lines: &Lines{Encoding: "utf-8"}}, &Format{Text: &Text{Encoding: "utf-8"}}, &Format{Raw: &Raw{}})
	f.Fuzz(func(t *testing.T, which byte, doc []byte, isText bool) {
		x := formats[int(which)%len(formats)]
		v, err := x.Decode(doc, isText)
		if err != nil {
			return
		}
		out, err := x.Encode(v)
		if err != nil {
			return // a name that is none in XML, a place that is too narrow
		}
		again, err := x.Decode(out, !x.IsBinary())
		if x.XML != nil || x.Fixed != nil || x.XLSX != nil {
			return // empty elements, blanks and empty rows say less when they are written
		}
		if err != nil {
			t.Fatalf("%s: %q is not read again: %v", x.Name(), out, err)
		}
		if a, b := fmt.Sprint(v), fmt.Sprint(again); a != b {
			t.Fatalf("%s: %q became %s, then %s", x.Name(), doc, a, b)
		}
	})
}
