package records

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/format"
)

// The attributes are declared as configurations must be.
func TestDeclared(t *testing.T) {
	type holder struct {
		Format Format `hcl:"format,oneof" doc:"What a record looks like."`
	}
	kind := component.SinkKind("held", "Holds a format.", func() *holder { return &holder{} }, func(component.Env, *holder) (component.Sink, error) { return nil, nil })
	if err := config.CheckKinds([]component.Kind{kind}); err != nil {
		t.Error(err)
	}
}

func newCSV(change func(*CSV)) *Format {
	c := &CSV{}
	c.SetDefaults()
	if change != nil {
		change(c)
	}
	return &Format{CSV: c}
}

func newFixed(change func(*Fixed)) *Format {
	f := &Fixed{}
	f.SetDefaults()
	change(f)
	return &Format{Fixed: f}
}

func TestValidate(t *testing.T) {
	csv := func(change func(*CSV)) interface{ Validate(*component.Problems) } { return newCSV(change).CSV }
	fixed := func(change func(*Fixed)) interface{ Validate(*component.Problems) } { return newFixed(change).Fixed }
	for _, tt := range []struct {
		name string
		c    interface{ Validate(*component.Problems) }
		want []string
	}{
		{"defaults", csv(nil), nil},
		{"delimiters", csv(func(c *CSV) { c.Delimiter = "||" }), []string{"delimiter"}},
		{"no delimiter", csv(func(c *CSV) { c.Delimiter = "" }), []string{"delimiter"}},
		{"a quote as delimiter", csv(func(c *CSV) { c.Delimiter = `"` }), []string{"delimiter"}},
		{"tab", csv(func(c *CSV) { c.Delimiter = "\t" }), nil},
		{"no quote", csv(func(c *CSV) { c.Quote = "" }), nil},
		{"quotes", csv(func(c *CSV) { c.Quote = "''" }), []string{"quote"}},
		{"comment", csv(func(c *CSV) { c.Comment = "//" }), []string{"comment"}},
		{"a column twice", csv(func(c *CSV) { c.Columns = []string{"a", "b", "a"} }), []string{"columns"}},
		{"types", csv(func(c *CSV) { c.Types = map[string]string{"a": "money", "b": "number", "c": "time:xx"} }), []string{"types", "types"}},
		{"numbers", csv(func(c *CSV) { c.Decimal, c.Thousands = ",", "," }), []string{"thousands"}},
		{"zone and encoding", csv(func(c *CSV) { c.Timezone, c.Encoding = "Mars/North", "klingon" }), []string{"timezone", "encoding"}},
		{"fixed", fixed(func(f *Fixed) { f.Columns = map[string]string{"a": "1-6", "b": "7", "c": "8-"} }), nil},
		{"no columns", fixed(func(*Fixed) {}), []string{"columns"}},
		{"no place", fixed(func(f *Fixed) { f.Columns = map[string]string{"a": "6-1"} }), []string{"columns"}},
		{"overlap", fixed(func(f *Fixed) { f.Columns = map[string]string{"a": "1-6", "b": "6-7"} }), []string{"columns"}},
		{"shapes", fixed(func(f *Fixed) {
			f.Record = []Shape{{Prefix: "1", Columns: map[string]string{"a": "1"}}, {Prefix: "2", Columns: map[string]string{"a": "0"}}}
		}), []string{"record[1].columns"}},
		{"a type of nothing", fixed(func(f *Fixed) {
			f.Columns, f.Types = map[string]string{"a": "1"}, map[string]string{"b": "number"}
		}), []string{"types"}},
		{"json", &JSON{Records: "a..b"}, []string{"records"}},
		{"xml", &XML{Each: "ns:a"}, []string{"each"}},
		{"xml path", &XML{Each: "a/b"}, nil},
		{"xlsx", &XLSX{Timezone: "nowhere"}, []string{"timezone"}},
	} {
		var p component.Problems
		tt.c.Validate(&p)
		var got []string
		for _, problem := range p.List {
			got = append(got, problem.Attr)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestNewReader(t *testing.T) {
	typed := newCSV(func(c *CSV) {
		c.Delimiter, c.Decimal, c.Timezone = ";", ",", "Europe/Berlin"
		c.Types = map[string]string{"total": "number", "at": "time:02/01/2006"}
	})
	fixed := newFixed(func(f *Fixed) {
		f.Record = []Shape{{Prefix: "0"}, {Prefix: "1", Columns: map[string]string{"name": "2-5", "n": "6-"}}}
		f.Types = map[string]string{"n": "number"}
	})
	tsv := &TSV{}
	tsv.SetDefaults()
	for _, tt := range []struct {
		f    *Format
		doc  string
		want any
	}{
		{typed, "id;total;at\n1;2,5;24/12/2026\n", map[string]any{"id": "1", "total": 2.5, "at": "2026-12-24T00:00:00+01:00"}},
		{&Format{TSV: tsv}, "a\tb\n1\t2\n", map[string]any{"a": "1", "b": "2"}},
		{&Format{}, `{"a":1}`, `{"a":1}`},
		{&Format{JSON: &JSON{Records: "a.b"}}, `{"a":{"b":[{"x":1}]}}`, `{"x":1}`},
		{&Format{XML: &XML{Each: "b"}}, `<a><b>x</b></a>`, "x"},
		{fixed, "0head\n1Ana   42\n", map[string]any{"name": "Ana", "n": int64(42)}},
		{&Format{Lines: &Lines{Encoding: "windows-1252"}}, "a\xfc\n", "aü"},
		{&Format{Text: &Text{Encoding: "utf-8"}}, "a\nb\n", "a\nb\n"},
		{&Format{Raw: &Raw{}}, "\x00\xff", "AP8="},
	} {
		r, err := tt.f.NewReader(strings.NewReader(tt.doc))
		if err != nil {
			t.Fatal(err)
		}
		rec, err := r.Next()
		if err != nil {
			t.Fatalf("%s: %v", tt.f.Name(), err)
		}
		if diff := cmp.Diff(tt.want, body(rec)); diff != "" {
			t.Errorf("%s: %s", tt.f.Name(), diff)
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("%s: %v", tt.f.Name(), err)
		}
	}
}

func body(rec format.Record) any {
	switch {
	case rec.Names != nil:
		m := map[string]any{}
		for i, name := range rec.Names {
			m[name] = rec.Values[i]
		}
		return m
	case rec.Raw != nil:
		return string(rec.Raw)
	}
	return rec.Body
}

// A dead letter is read again with what has been corrected since: the configuration.
func TestReread(t *testing.T) {
	fixed := func(prefix string) *Format {
		return newFixed(func(f *Fixed) {
			f.Skip = 1
			f.Record = []Shape{{Prefix: prefix, Columns: map[string]string{"k": "1", "n": "2-"}}}
		})
	}
	for _, tt := range []struct {
		name          string
		before, after *Format
		doc           string
		want          any
	}{
		{"lazy quotes", newCSV(nil), newCSV(func(c *CSV) { c.LazyQuotes = true }), "a,b\n1,5\" disk\n", map[string]any{"a": "1", "b": `5" disk`}},
		{"ragged", newCSV(nil), newCSV(func(c *CSV) { c.Ragged = true }), "a,b\n1\n", map[string]any{"a": "1", "b": nil}},
		{"encoding", newCSV(nil), newCSV(func(c *CSV) { c.Encoding = "windows-1252" }), "a,b\n1,M\xfcller\n", map[string]any{"a": "1", "b": "Müller"}},
		{"types, decoded before", newCSV(func(c *CSV) { c.Encoding, c.Types = "windows-1252", map[string]string{"b": "number"} }),
			newCSV(func(c *CSV) { c.Encoding = "windows-1252" }), "a,b\n\xfc,x\n", map[string]any{"a": "ü", "b": "x"}},
		{"shapes", fixed("1"), fixed("2"), "head\n2 x\n", map[string]any{"k": "2", "n": "x"}},
	} {
		r, err := tt.before.NewReader(strings.NewReader(tt.doc))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Next()
		var fault *format.RecordError
		if !errors.As(err, &fault) {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if _, err := tt.before.Reread(fault.Raw, fault.Names); !errors.As(err, new(*format.RecordError)) {
			t.Errorf("%s, as before: %v", tt.name, err)
		}
		rec, err := tt.after.Reread(fault.Raw, fault.Names)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, body(rec)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	for doc, f := range map[string]*Format{"{\"a\"}": {}, "[[1,{]]": {JSON: &JSON{}}} {
		r, err := f.NewReader(strings.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Next()
		var fault *format.RecordError
		if errors.As(err, &fault) {
			if _, err := f.Reread(fault.Raw, nil); err == nil {
				t.Errorf("%s: read again without an error", doc)
			}
		}
	}
}

// TestRereadTheHead: what has lost its end is no record.
func TestRereadTheHead(t *testing.T) {
	before := newCSV(func(c *CSV) { c.Types = map[string]string{"a": "number"} })
	r, err := before.NewReader(strings.NewReader("a,b\nx," + strings.Repeat("y", 100_000) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Next()
	var fault *format.RecordError
	if !errors.As(err, &fault) {
		t.Fatal(err)
	}
	if r, err := newCSV(nil).Reread(fault.Raw, fault.Names); err == nil || !strings.Contains(err.Error(), "64 KiB") {
		t.Errorf("got %d values, %v", len(r.Values), err)
	}
}

// TestRereadAtNoBeginning: a record stands somewhere in its file; what looks like the
// mark at the beginning of one is none.
func TestRereadAtNoBeginning(t *testing.T) {
	lines := func(encoding string) *Format { return &Format{Lines: &Lines{Encoding: encoding}} }
	r, err := lines("utf-8").Reread([]byte("\xff\xfe bad"), nil)
	var fault *format.RecordError
	if !errors.As(err, &fault) || fault.Column != 1 {
		t.Errorf("got %q, %v", r.Body, err)
	}
	if r, err := lines("windows-1252").Reread([]byte("\xff\xfe b"), nil); err != nil || r.Body != "ÿþ b" {
		t.Errorf("got %q, %v", r.Body, err)
	}
	if r, err := lines("utf-8").Reread([]byte("\ufeffb"), nil); err != nil || r.Body != "\ufeffb" {
		t.Errorf("got %q, %v", r.Body, err)
	}
}
