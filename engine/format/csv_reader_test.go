package format

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

func TestCSVReader(t *testing.T) {
	semicolon := Table{Delimiter: ';'}
	typed := Table{Delimiter: ';', Types: Types{Decimal: ',', Thousands: '.', Columns: map[string]string{"n": "number", "b": "bool", "t": "time:02/01/2006"}}}
	checkCorpus(t, []corpus{
		{"plain", csvOpener(Table{}), "a,b\n1,x\n2,y\n", []string{`2 a="1" b="x"`, `3 a="2" b="y"`}},
		{"no line break at the end, CRLF", csvOpener(Table{}), "a,b\r\n1,x\r\n2,y", []string{`2 a="1" b="x"`, `3 a="2" b="y"`}},
		{"empty", csvOpener(Table{}), "", nil},
		{"header alone", csvOpener(Table{}), "a,b", nil},
		{"empty lines", csvOpener(Table{}), "\n\na,b\n\r\n1,x\n\n", []string{`5 a="1" b="x"`}},
		{"quotes", csvOpener(Table{}), "a,b\n\"1,2\",\"say \"\"hi\"\"\"\n\"\",\"two\r\nlines\"\n3,\n", []string{
			`2 a="1,2" b="say \"hi\""`, `3 a="" b="two\r\nlines"`, `5 a="3" b=""`}},
		{"one empty cell", csvOpener(Table{}), "a\n\"\"\nx\n", []string{`2 a=""`, `3 a="x"`}},
		{"a mark of UTF-8", csvOpener(Table{}), "\ufeffa,b\n1,x\n", []string{`2 a="1" b="x"`}},
		{"delimiter of two bytes", csvOpener(Table{Delimiter: '§'}), "a§b\n1§\"x§\"\n", []string{`2 a="1" b="x§"`}},
		{"comments", csvOpener(Table{Comment: '#'}), "# made by x\na,b\n#1,2\n1,#x\n", []string{`4 a="1" b="#x"`}},
		{"skip", csvOpener(Table{Skip: 2}), "Bank of X\n\na,b\n1,x\n", []string{`4 a="1" b="x"`}},
		{"no quotes", csvOpener(Table{Quote: NoQuote}), "a,b\n\"1,x\"\n", []string{`2 a="\"1" b="x\""`}},
		{"other quote", csvOpener(Table{Quote: '\''}), "a,b\n'1,2',\"\n", []string{`2 a="1,2" b="\""`}},
		{"columns", csvOpener(Table{NoHeader: true, Columns: []string{"x", "y"}}), "1,2\n3\n", []string{
			`1 x="1" y="2"`, `! line 2: 1 cell where the list of columns has 2 [3]`}},
		{"no names", csvOpener(Table{NoHeader: true}), "1,2\n3,4,5\n6,7\n", []string{
			`1 column1="1" column2="2"`, `! line 2: 3 cells where the first row has 2 [3,4,5]`, `3 column1="6" column2="7"`}},
		{"no names, and the first row is broken", csvOpener(Table{NoHeader: true}), "\"1,2\n3,4,5\n6,7,8\n", []string{
			`! line 1, column 1: this quote is never closed ["1,2]`, `2 column1="3" column2="4" column3="5"`, `3 column1="6" column2="7" column3="8"`}},
		{"header: names", csvOpener(Table{}), " a ,,c\n1,2,3\n", []string{`2 a="1" column2="2" c="3"`}},
		{"header: a name twice", csvOpener(Table{}), "a,b,a\n1,2,3\n", []string{`!! line 1, column 1: header: two columns are called "a"`}},
		{"header: a column missing", csvOpener(Table{Columns: []string{"b", "z"}}), "a,b\n1,2\n", []string{`!! line 1, column 1: header: no column is called "z"; there are a, b`}},
		{"header: a typed column missing", csvOpener(typed), "n;b\n1;t\n", []string{`!! line 1, column 1: header: no column is called "t", which types names; there are n, b`}},
		{"header: a quote", csvOpener(Table{}), "a,\"b\n1,2\n", []string{`!! line 1, column 1: header: this quote is never closed`}},
		{"header: UTF-16 without a mark", csvOpener(Table{}), "a\x00,\x00b\x00\n\x00", []string{`!! line 1, column 1: header: it holds NUL bytes: is this UTF-16? Set encoding = "utf-16le", or utf-16be`}},
		{"more cells", csvOpener(Table{}), "a,b\n1,2" + strings.Repeat(",", 500) + "\n3,4\n", []string{
			`! line 2: 502 cells where the header has 2 [1,2` + strings.Repeat(",", 500) + `]`, `3 a="3" b="4"`}},
		{"fewer cells", csvOpener(semicolon), "a;b;c\n1;2\n3;4;5\n", []string{`! line 2: 2 cells where the header has 3 [1;2]`, `3 a="3" b="4" c="5"`}},
		{"ragged", csvOpener(Table{Ragged: true}), "a,b\n1\n2,3,,\n4,5,6\n", []string{
			`2 a="1" b=<nil>`, `3 a="2" b="3"`, `! line 4: 3 cells where the header has 2 [4,5,6]`}},
		{"a quote out of place", csvOpener(Table{}), "a,b\n1,5\" disk\n2,\"x\"y\n3,z\n", []string{
			`! line 2, column 4: a quote inside a cell that does not begin with one; lazy_quotes = true takes it as it stands [1,5" disk]`,
			`! line 3, column 3: this cell goes on behind its closing quote; a quote inside is written twice, or taken as it stands with lazy_quotes = true [2,"x"y]`,
			`4 a="3" b="z"`}},
		{"lazy", csvOpener(Table{Lazy: true}), "a,b\n1,5\" disk\n2,\"x\"y\"\n\"3\",z\n", []string{
			`2 a="1" b="5\" disk"`, `3 a="2" b="x\"y"`, `4 a="3" b="z"`}},
		{"a quote never closed costs its line", csvOpener(Table{}), "a,b\n1,\"x\n2,y\n3,z\n", []string{
			`! line 2, column 3: this quote is never closed [1,"x]`, `3 a="2" b="y"`, `4 a="3" b="z"`}},
		{"a quote closed by another's", csvOpener(Table{}), "a,b\n1,\"x\n2,\"y\"\n3,z\n", []string{
			`! line 2, column 3: this cell goes on behind its closing quote; a quote inside is written twice, or taken as it stands with lazy_quotes = true [1,"x]`,
			`3 a="2" b="y"`, `4 a="3" b="z"`}},
		{"not UTF-8", csvOpener(Table{}), "a,b\n1,M\xfcller\n2,\"\xff\"\n3,z\n", []string{
			`! line 2, column 4: byte 0xfc is not valid UTF-8; if the file is in another encoding, say so: encoding = "windows-1252" [` + "1,M\xfcller]",
			`! line 3, column 4: byte 0xff is not valid UTF-8; if the file is in another encoding, say so: encoding = "windows-1252" [` + "2,\"\xff\"]",
			`4 a="3" b="z"`}},
		{"a workbook", csvOpener(Table{Columns: []string{"a"}}), "PK\x03\x04\xb0", []string{
			`!! line 1, column 1: header: byte 0xb0 is not valid UTF-8; this is a ZIP archive or an Excel workbook: the format "xlsx" reads the latter`}},
		{"not Shift_JIS", csvOpener(Table{Encoding: "shift_jis"}), "a\n\x82\xa0\n\xfd\xfd\n", []string{`2 a="あ"`, `! line 3, column 1: this is not shift_jis [` + "\ufffd\ufffd]"}},
		{"types", csvOpener(typed), "n;b;t;s\n1.234,50;yes;24/12/2026;1\n;;;\n-7;0;01/02/2026;x\n12,5,1;t;;\n1;maybe;;\n1;1;2026-01-01;\n", []string{
			`2 n=1234.5 b=true t="2026-12-24T00:00:00Z" s="1"`, `3 n=<nil> b=<nil> t=<nil> s=""`, `4 n=-7 b=false t="2026-02-01T00:00:00Z" s="x"`,
			`! line 5, column 1: column "n": "12,5,1" is not a number [12,5,1;t;;]`,
			`! line 6, column 3: column "b": "maybe" is neither true nor false (true, t, yes, y, 1; false, f, no, n, 0) [1;maybe;;]`,
			`! line 7, column 5: column "t": "2026-01-01" is not a time like 02/01/2006 [1;1;2026-01-01;]`}},
	})
}

func TestCSVEncodings(t *testing.T) {
	text := "id,name\r\n1,Müller\r\n2,\"Ga\r\nrcía, é\"\r\n3,x"
	want := []string{`2 id="1" name="Müller"`, `3 id="2" name="Ga\r\nrcía, é"`, `5 id="3" name="x"`}
	for _, tt := range []struct {
		name, text string
		enc        encoding.Encoding
		configured string
	}{
		{"windows-1252", text, charmap.Windows1252, "windows-1252"},
		{"iso-8859-15", text, charmap.ISO8859_15, "iso-8859-15"},
		{"utf-16le by its mark", text, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), ""},
		{"utf-16be by its mark", text, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "windows-1252"},
		{"utf-16le", text, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "utf-16le"},
		{"utf-16be", text, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), "utf-16be"},
		{"utf-8 with a mark", "\ufeff" + text, encoding.Nop, "windows-1252"},
		{"shift_jis", strings.NewReplacer("ü", "表", "í", "ソ", "é", "ー").Replace(text), japanese.ShiftJIS, "shift_jis"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := tt.enc.NewEncoder().String(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got := checkReader(t, csvOpener(Table{Encoding: tt.configured}), []byte(doc))
			if tt.name == "shift_jis" {
				want = []string{`2 id="1" name="M表ller"`, `3 id="2" name="Ga\r\nrcソa, ー"`, `5 id="3" name="x"`}
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got %q", got)
			}
		})
	}
	// U+0A0A and U+010A hold the byte of a line break.
	doc, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("a,b\n\u0a0a,\u010a\n1,\u0d0a\n")
	got := checkReader(t, csvOpener(Table{}), []byte(doc))
	if len(got) != 2 || !strings.Contains(got[0], "\u010a") {
		t.Errorf("%q", got)
	}
	if _, err := NewCSVReader(strings.NewReader("a"), Table{Encoding: "klingon"}); err == nil || err.Error() != `charset "klingon": unknown` {
		t.Errorf("%v", err)
	}
}

// Errors of the input end the document, and are not taken for its end.
func TestReaderInputFails(t *testing.T) {
	gone := errors.New("connection lost")
	for name, open := range map[string]opener{"csv": csvOpener(Table{}), "utf-16": csvOpener(Table{Encoding: "utf-16le"}), "ndjson": ndjsonOpener, "json": arrayOpener()} {
		doc := map[string]string{"csv": "a\n1\n\"2", "utf-16": "a\x00\n\x00", "ndjson": "1\n2", "json": "[1,2"}[name]
		r, err := open(io.MultiReader(strings.NewReader(doc), failing{gone}))
		for err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, gone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A line without an end costs itself alone, and no more memory than a record may have.
func TestLongLines(t *testing.T) {
	long := func() io.Reader { return io.LimitReader(repeated("x"), MaxRecord+MaxRecord/4) }
	for name, tt := range map[string]struct {
		open          opener
		head, tail    string
		want          string
		line, endLine int64
	}{
		"csv":             {csvOpener(Table{}), "a,b\n1,2\n", "\n3,4\n", "line 3: longer than 16 MiB", 3, 4},
		"csv, in a quote": {csvOpener(Table{}), "a,b\n1,2\n\"y\n", "\n3,4\n", `line 3, column 1: this quote is not closed within 16 MiB`, 3, 4},
		"ndjson":          {ndjsonOpener, "1\n2\n", "\n3\n", "line 3: longer than 16 MiB", 3, 4},
		"json":            {arrayOpener(), "[1\n,2\n,\"", "\"\n,3]", "line 3, column 2: longer than 16 MiB", 3, 3},
	} {
		r, err := tt.open(io.MultiReader(strings.NewReader(tt.head), long(), strings.NewReader(tt.tail)))
		if err != nil {
			t.Fatal(err)
		}
		var faults []*RecordError
		records := 0
		for {
			_, err := r.Next()
			if err == io.EOF {
				break
			}
			if fault, ok := err.(*RecordError); ok {
				faults = append(faults, fault)
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			records++
		}
		if len(faults) == 0 || !strings.HasPrefix(faults[0].Error(), tt.want) || faults[0].Place.Line != tt.line || faults[0].Place.EndLine != tt.endLine || len(faults[0].Raw) > MaxRaw {
			t.Errorf("%s: %v", name, faults)
		}
		if records < 2 {
			t.Errorf("%s: %d records", name, records)
		}
	}
}

type repeated string

func (s repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = s[i%len(s)]
	}
	return len(p), nil
}

// Opening quotes on every line must not make each line search the rest of the file.
func TestQuotesNeverClosed(t *testing.T) {
	doc := []byte("a,b\n" + strings.Repeat("\"a,b\n", 50_000))
	for _, o := range []Table{{Lazy: true}, {}} {
		r, err := NewCSVReader(bytes.NewReader(doc), o)
		if err != nil {
			t.Fatal(err)
		}
		if lines, _ := all(t, r); len(lines) != 50_000 {
			t.Errorf("lazy %v: %d rows", o.Lazy, len(lines))
		}
	}
}
