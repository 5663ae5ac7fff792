package format

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestTextReaders(t *testing.T) {
	lines := func(encoding string) opener {
		return func(r io.Reader) (Reader, error) { return NewLinesReader(r, encoding) }
	}
	text := func(r io.Reader) (Reader, error) { return NewTextReader(r, "") }
	raw := func(r io.Reader) (Reader, error) { return NewRawReader(r), nil }
	const notUTF8 = `byte 0xff is not valid UTF-8; if the file is in another encoding, say so: encoding = "windows-1252"`
	checkCorpus(t, []corpus{
		{"lines", lines(""), "a\r\n\n b", []string{"1 a", "2 ", "3  b"}},
		{"lines in utf-16", lines("utf-16be"), "\x00a\x00\r\x00\n\x00b", []string{"1 a", "2 b"}},
		{"lines, broken", lines(""), "a\nb\xff\nc", []string{"1 a", "! line 2, column 2: " + notUTF8 + " [b\xff]", "3 c"}},
		{"no lines", lines(""), "", nil},
		{"text", text, "\ufeffa\nb\n", []string{"0 a\nb\n"}},
		{"no text", text, "", []string{"0 "}},
		{"text, broken", text, "a\nb\xff", []string{"! line 2, column 2: " + notUTF8 + " [a\nb\xff]"}},
		{"raw", raw, "\x00\xff", []string{"0 AP8="}},
	})
	r, err := NewTextReader(io.LimitReader(repeated("x"), MaxRecord+1), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err == nil || err.Error() != "record 1: as one record it is longer than 16 MiB, which is the most that a record may have" {
		t.Error(err)
	}
}

// What comes in place of text is called so, though it comes byte for byte.
func TestNotText(t *testing.T) {
	for _, m := range magics {
		r, err := NewLinesReader(iotest.OneByteReader(strings.NewReader(m.magic+"\xff")), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err == nil || !strings.HasSuffix(err.Error(), "is not valid UTF-8; "+m.advice) {
			t.Errorf("%q: %v", m.magic, err)
		}
	}
}

func TestTextWriter(t *testing.T) {
	for _, tt := range []struct {
		w      Writer
		record any
		want   string // "!" and the error
	}{
		{&TextWriter{Lines: true}, "a b", "a b\n"},
		{&TextWriter{Lines: true}, int64(5), "5\n"},
		{&TextWriter{Lines: true}, "a\nb", "!write line: the text holds a line break"},
		{&TextWriter{}, "a\nb", "a\nb"},
		{&TextWriter{}, map[string]any{}, "!write text: the record is an object, not a text"},
		{&TextWriter{Raw: true}, "AP8=", "\x00\xff"},
		{&TextWriter{Raw: true}, "?", "!write bytes: the record is no base64"},
	} {
		out, err := tt.w.Append(nil, 0, tt.record)
		if err != nil {
			out = []byte("!" + err.Error())
		}
		if string(out) != tt.want {
			t.Errorf("%v: got %q, want %q", tt.record, out, tt.want)
		}
	}
}

func TestEncode(t *testing.T) {
	table := &CSVWriter{Columns: []string{"ü", "日"}}
	for _, tt := range []struct {
		name string
		mark bool
		want string
	}{
		{"utf-8", false, "ü,日\né,\n"},
		{"utf-8", true, "\ufeffü,日\né,\n"},
		{"windows-1252", false, "\xfc,?\n\xe9,\n"},
		{"utf-16le", true, "\xff\xfe\xfc\x00,\x00\xe5\x65\n\x00\xe9\x00,\x00\n\x00"},
	} {
		w, err := Encode(table, tt.name, tt.mark)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(finished(t, w, map[string]any{"ü": "é"})); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if tt.name != "windows-1252" {
			continue
		}
		if out, err := w.Append([]byte("kept"), 0, map[string]any{"ü": "a日"}); err == nil || err.Error() != "write record: '日' cannot be written in windows-1252" || string(out) != "kept" {
			t.Errorf("%q, %v", out, err)
		}
	}
	if _, err := Encode(table, "klingon", false); err == nil {
		t.Error("an encoding that nobody knows")
	}
	utf16, _ := Encode(table, "utf-16le", false)
	for w, want := range map[Writer]string{table: "\n", utf16: "\n\x00", &TextWriter{}: "", &TextWriter{Lines: true}: "\n"} {
		if got := string(LineBreak(w)); got != want {
			t.Errorf("%T: %q", w, got)
		}
	}
}

func TestCSVWriterOptions(t *testing.T) {
	zone := time.FixedZone("", 3600)
	types := Types{Decimal: ',', Zone: zone, Columns: map[string]string{"at": "time:02/01/2006 15:04", "n": "number", "b": "bool"}}
	for _, tt := range []struct {
		name   string
		w      *CSVWriter
		record map[string]any
		want   string // "!" and the error
	}{
		{"guard", &CSVWriter{Guard: true}, map[string]any{"a": "=1+1", "b": "-5", "c": "+49 30"}, "'=1+1,-5,'+49 30\n"},
		{"no guard", &CSVWriter{}, map[string]any{"a": "=1+1", "b": "@x"}, "=1+1,@x,\n"},
		{"line ends", &CSVWriter{CRLF: true}, map[string]any{"a": "x"}, "x,,\r\n"},
		{"other quote", &CSVWriter{Quote: '\''}, map[string]any{"a": "it's", "b": "x,y"}, "'it''s','x,y',\n"},
		{"no quote", &CSVWriter{Quote: NoQuote, Delimiter: ';'}, map[string]any{"a": `"x,y"`}, "\"x,y\";;\n"},
		{"no quote, and needed", &CSVWriter{Quote: NoQuote}, map[string]any{"a": "x,y"}, `!write CSV column "a": it holds a delimiter or a line break, and nothing quotes it`},
		{"types", &CSVWriter{Columns: []string{"at", "n", "b"}, Delimiter: ';', Types: types}, map[string]any{"at": "2026-12-24T23:30:00Z", "n": 1234.5, "b": true}, "25/12/2026 00:30;1234,5;true\n"},
		{"types, as texts", &CSVWriter{Columns: []string{"at", "n", "b"}, Delimiter: ',', Types: types}, map[string]any{"at": "2026-12-24", "n": "-1.5"}, "24/12/2026 00:00,\"-1,5\",\n"},
		{"no time", &CSVWriter{Columns: []string{"at"}, Types: types}, map[string]any{"at": "soon"}, `!write CSV column "at": it is no time as RFC 3339 writes it, "2026-01-02T15:04:05Z"`},
		{"no number", &CSVWriter{Columns: []string{"n"}, Types: types}, map[string]any{"n": "1,5"}, `!write CSV column "n": "1,5" is not a number`},
		{"no bool", &CSVWriter{Columns: []string{"b"}, Types: types}, map[string]any{"b": "yes"}, `!write CSV column "b": a string is not true or false`},
	} {
		tt.w.NoHeader = true
		if tt.w.Columns == nil {
			tt.w.Columns = []string{"a", "b", "c"}
		}
		tt.w.Begin(nil)
		out, err := tt.w.Append(nil, 0, tt.record)
		if err != nil {
			out = []byte("!" + err.Error())
		}
		if string(out) != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, out, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	german := Types{Decimal: ',', Thousands: '.'}
	swiss := Types{Thousands: '’'}
	for _, tt := range []struct {
		types Types
		text  string
		want  any // nil: none
	}{
		{Types{}, "42", int64(42)}, {Types{}, "-007", int64(-7)}, {Types{}, "+5", int64(5)}, {Types{}, "9223372036854775807", int64(1<<63 - 1)},
		{Types{}, "9223372036854775808", "9223372036854775808"}, {Types{}, "1.50", 1.5}, {Types{}, ".5", 0.5}, {Types{}, "5.", 5.0}, {Types{}, "1e3", 1000.0}, {Types{}, "1E-2", 0.01},
		{Types{}, "1e999", "1e999"}, {Types{}, "1,5", nil}, {Types{}, "0x10", nil}, {Types{}, "NaN", nil}, {Types{}, "Inf", nil}, {Types{}, "1_000", nil},
		{Types{}, "", nil}, {Types{}, "-", nil}, {Types{}, ".", nil}, {Types{}, "1e", nil}, {Types{}, "1e+", nil}, {Types{}, "1 2", nil}, {Types{}, "--1", nil}, {Types{}, "1e+-1", nil},
		{german, "1.234.567,89", 1234567.89}, {german, "1.234", int64(1234)}, {german, "1,5", 1.5}, {german, "1.5", nil}, {german, "1.2345", nil}, {german, ".234", nil}, {german, "-1.234,5", -1234.5},
		{swiss, "1’234.50", 1234.5},
	} {
		got, err := tt.types.number(tt.text)
		if tt.want == nil != (err != nil) || err == nil && !cmp.Equal(tt.want, got) {
			t.Errorf("%q: %#v, %v", tt.text, got, err)
		}
	}
	for typ, ok := range map[string]bool{"number": true, "text": true, "bool": true, "time:02/01/2006": true, "time": false, "time:": false, "time:soon": false, "number:2": false, "int": false} {
		if err := CheckType(typ); (err == nil) != ok {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

// FuzzWrittenAndRead: what a writer does not refuse is read as it was.
func FuzzWrittenAndRead(f *testing.F) {
	f.Add("a,b", "x\"y\n", "=1", 1.5)
	f.Add(" ", "", "ü", -1e300)
	f.Fuzz(func(t *testing.T, s, s2, s3 string, n float64) {
		if !utf8.ValidString(s + "|" + s2 + "|" + s3) {
			return
		}
		want := map[string]any{"a": s, "b": s2, "c": s3}
		texts := []Writer{&CSVWriter{Columns: []string{"a", "b", "c"}}, &CSVWriter{Columns: []string{"a", "b", "c"}, Delimiter: '\t', CRLF: true, Quote: '\''}}
		utf16, err := Encode(texts[0], "utf-16be", true)
		if err != nil {
			t.Fatal(err)
		}
		openers := []opener{csvOpener(Table{}), csvOpener(Table{Delimiter: '\t', Quote: '\''}), csvOpener(Table{})}
		for i, w := range append(texts, utf16) {
			checkWritten(t, w, openers[i], want)
		}
		checkWritten(t, &TextWriter{Lines: true}, func(r io.Reader) (Reader, error) { return NewLinesReader(r, "") }, s)
		doc := map[string]any{"s": s, "n": n, s2: []any{s3, nil, true}}
		checkWritten(t, NDJSONWriter{}, ndjsonOpener, doc)
		checkWritten(t, JSONWriter{Path: []string{s3}}, arrayOpener(s3), doc)
	})
}

func checkWritten(t *testing.T, w Writer, open opener, want any) {
	t.Helper()
	doc := w.Begin(nil)
	for n := range 2 {
		var err error
		if doc, err = w.Append(doc, int64(n), want); err != nil {
			return // NaN, say
		}
	}
	doc = w.End(doc)
	r, err := open(strings.NewReader(string(doc)))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		rec, err := r.Next()
		if err != nil {
			t.Fatalf("%T: %q: %v", w, doc, err)
		}
		before, _ := AppendJSON(nil, want)
		after, _ := AppendJSON(nil, record(rec))
		if string(before) != string(after) {
			t.Fatalf("%T: %q: got %s, want %s", w, doc, after, before)
		}
	}
}
