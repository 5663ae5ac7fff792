package format

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func xlsxOpener(o Sheet) opener {
	return func(r io.Reader) (Reader, error) {
		doc, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		return NewXLSXReader(bytes.NewReader(doc), int64(len(doc)), o)
	}
}

// finished is the document that w makes of records.
func finished(t testing.TB, w Writer, records ...any) []byte {
	t.Helper()
	doc := w.Begin(nil)
	for n, r := range records {
		var err error
		if doc, err = w.Append(doc, int64(n), r); err != nil {
			t.Fatal(err)
		}
	}
	if f, ok := w.(Finisher); ok {
		tail, err := f.Finish(bytes.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		return append(doc, tail...)
	}
	return w.End(doc)
}

func TestXLSXWrittenAndRead(t *testing.T) {
	w := &XLSXWriter{Columns: []string{"id", "s", "f", "b", "d", "t", "big", "list"}, Sheet: "A & B", Dates: []string{"d", "t"}}
	doc := finished(t, w,
		map[string]any{"id": int64(-7), "s": " =1+1 <é> ", "f": 0.5, "b": true, "d": "2026-01-02", "t": "2026-01-02T15:04:05Z", "big": int64(1<<62 + 1), "list": []any{int64(1)}},
		map[string]any{"id": int64(2), "b": false, "d": "1899-01-01", "big": json.Number("12345678901234567890")},
		map[string]any{},
		map[string]any{"s": "x"})
	if got := checkReader(t, xlsxOpener(Sheet{Name: "A & B"}), doc); !cmp.Equal(got, []string{
		`2 id=-7 s=" =1+1 <é> " f=0.5 b=true d="2026-01-02" t="2026-01-02T15:04:05Z" big="4611686018427387905" list="[1]"`,
		`3 id=2 s=<nil> f=<nil> b=false d="1899-01-01" t=<nil> big="12345678901234567890" list=<nil>`,
		`5 id=<nil> s="x" f=<nil> b=<nil> d=<nil> t=<nil> big=<nil> list=<nil>`,
	}) {
		t.Errorf("%q", got)
	}
	z, err := zip.NewReader(bytes.NewReader(doc), int64(len(doc)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File { // checksums are checked by reading
		in, err := f.Open()
		if err == nil {
			_, err = io.Copy(io.Discard, in)
		}
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

func TestXLSXWriterRefuses(t *testing.T) {
	w := &XLSXWriter{Columns: []string{"a", "d"}, Dates: []string{"d"}}
	for _, tt := range []struct {
		n      int64
		record any
		want   string
	}{
		{0, "x", "write row: the record is a string, not an object"},
		{0, map[string]any{"z": 1}, `write row: field "z" is not among the columns a, d`},
		{0, map[string]any{"d": "soon"}, `write column "d": it is no date, "2026-01-02", and no time as RFC 3339 writes it`},
		{0, map[string]any{"a": strings.Repeat("x", 40000)}, `write column "a": a cell has room for 32767 characters`},
		{maxRows - 1, map[string]any{"a": "x"}, "write row: a sheet ends at row 1048576; begin another file before that, by rows in roll"},
	} {
		out, err := w.Append([]byte("kept"), tt.n, tt.record)
		if err == nil || err.Error() != tt.want || string(out) != "kept" {
			t.Errorf("%v: %q, %v", tt.want, out, err)
		}
	}
	if _, err := w.Finish(strings.NewReader("something else that is long enough")); err == nil {
		t.Error("finished what is no workbook")
	}
}

// book is a workbook as Excel makes them, with one sheet of these rows.
func book(t testing.TB, pr, texts, rows string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, p := range []xlsxPart{
		{"xl/workbook.xml", `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr ` + pr + `/><sheets><sheet name="One" r:id="rId7"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId7" Target="/xl/worksheets/sheet1.xml"/></Relationships>`},
		{"xl/styles.xml", `<styleSheet><numFmts><numFmt numFmtId="170" formatCode="[$-407]d\.\ mmm&quot; year &quot;yyyy;@"/><numFmt numFmtId="171" formatCode="[h]:mm"/><numFmt numFmtId="172" formatCode="0.00&quot; dy&quot;"/></numFmts>` +
			`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="172"/></cellXfs></styleSheet>`},
		{"xl/sharedStrings.xml", `<sst>` + texts + `</sst>`},
		{"xl/worksheets/sheet1.xml", `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`},
	} {
		f, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Store}) // quick, for fuzzing
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, p.text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const headRow = `<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s"><v>1</v></c><c r="D3"><v>2024</v></c></row>`

const headTexts = `<si><t>id</t></si><si><r><t>na</t></r><r><rPr><b/></rPr><t>me</t></r><rPh><t>x</t></rPh></si>`

func TestXLSXReader(t *testing.T) {
	plain, berlin := xlsxOpener(Sheet{}), xlsxOpener(Sheet{Zone: time.FixedZone("", 3600)})
	checkCorpus(t, []corpus{
		{"cells", plain, string(book(t, "", headTexts, headRow+
			`<row r="4"><c r="A4"><v>7</v></c><c r="B4" t="str"><f>A4</f><v>x</v></c><c r="D4" t="b"><v>1</v></c></row>`+
			`<row r="6"><c r="A6"><v>1.5E3</v></c><c r="B6" t="e"><v>#N/A</v></c><c r="C6" s="5"><v>3</v></c></row><row r="7"><c r="A7" s="1"/></row>`)),
			[]string{`4 id=7 name="x" column3=<nil> 2024=true`, `6 id=1500 name=<nil> column3=3 2024=<nil>`}},
		{"dates", berlin, string(book(t, "", headTexts, headRow+
			`<row><c s="1"><v>46024</v></c><c s="2"><v>46024.75</v></c><c s="3"><v>1</v></c><c s="4"><v>0.5</v></c></row>`)),
			[]string{`4 id="2026-01-02" name="2026-01-02T18:00:00+01:00" column3="1900-01-01" 2024="12:00:00"`}},
		{"1904", plain, string(book(t, `date1904="1"`, headTexts, headRow+`<row><c s="1"><v>0</v></c></row>`)), []string{`4 id="1904-01-01" name=<nil> column3=<nil> 2024=<nil>`}},
		{"no header", xlsxOpener(Sheet{NoHeader: true, Skip: 3}), string(book(t, "", headTexts, headRow+`<row><c><v>1</v></c><c><v>2</v></c></row>`)), []string{`4 column1=1 column2=2`}},
		{"more cells", plain, string(book(t, "", headTexts, headRow+`<row><c r="F4"><v>1</v></c></row><row><c><v>1</v></c></row>`)), []string{
			`! line 4: 6 cells where the header has 4 [[null,null,null,null,null,1]]`, `5 id=1 name=<nil> column3=<nil> 2024=<nil>`}},
		{"a column missing", xlsxOpener(Sheet{Columns: []string{"z"}}), string(book(t, "", headTexts, headRow)), []string{`!! line 3: header: no column is called "z"; there are id, name, column3, 2024`}},
		{"a column twice", plain, string(book(t, "", headTexts, `<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>`)), []string{`!! line 1: header: two columns are called "id"`}},
		{"no such sheet", xlsxOpener(Sheet{Name: "Two"}), string(book(t, "", "", "")), []string{`!! open workbook: no sheet is called "Two"; there are One`}},
		{"empty", plain, string(book(t, "", "", "")), nil},
		{"no such text", plain, string(book(t, "", "", headRow)), []string{`!! row 3 of the sheet: cell A3 names a text that is not there`}},
		{"backwards", plain, string(book(t, "", headTexts, `<row><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>`)), []string{`!! row 1 of the sheet: cell "A1" is not where it can be`}},
		{"too far", plain, string(book(t, "", headTexts, `<row><c r="ZZZZZZZZZZZZZZZ1"><v>1</v></c></row>`)), []string{`!! row 1 of the sheet: cell "ZZZZZZZZZZZZZZZ1" is not where it can be`}},
		{"cut off", plain, string(book(t, "", headTexts, headRow+`<row><c><v>1`)), []string{`!! row 4 of the sheet: XML syntax error on line 1: element <v> closed by </sheetData>`}},
		{"no workbook", plain, "PK", []string{`!! open workbook: this is no xlsx file: zip: not a valid zip file`}},
	})
}

func TestXLSXBombs(t *testing.T) {
	for want, u := range map[string]unpacked{
		"part unpacks to more than 250 times its size: this looks like a bomb": {limit: maxSheet, packed: 1 << 10},
		"part unpacks to more than 64 MiB":                                     {limit: maxTexts, packed: 1 << 30},
	} {
		u.ReadCloser, u.name = io.NopCloser(repeated("x")), "part"
		if n, err := io.Copy(io.Discard, &u); err == nil || err.Error() != want || n > 2*bombSize {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// Workbooks that excelize has made, by its writer of streams and cell by cell.
func TestXLSXOfOthers(t *testing.T) {
	for name, want := range map[string]string{
		"stream": `2 id=1 at="2026-01-02T18:00:00Z" name="Ü"`,
		"cells":  `2 id=1.5 at="2026-01-02T18:00:00Z" name="x"`,
	} {
		doc, err := os.ReadFile("testdata/" + name + ".xlsx")
		if err != nil {
			t.Fatal(err)
		}
		if got := checkReader(t, xlsxOpener(Sheet{}), doc); !cmp.Equal(got, []string{want}) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func FuzzXLSXReader(f *testing.F) {
	f.Add("", headTexts, headRow)
	f.Add(`date1904="1"`, headTexts, headRow+`<row><c s="1"><v>46024</v></c><c t="inlineStr"><is><t>x</t></is></c></row>`)
	f.Fuzz(func(t *testing.T, pr, texts, rows string) {
		if len(texts)+len(rows) < maxFuzzed {
			checkReader(t, xlsxOpener(Sheet{}), book(t, pr, texts, rows))
			checkReader(t, xlsxOpener(Sheet{NoHeader: true}), book(t, pr, texts, rows))
		}
	})
}

func TestDateShapes(t *testing.T) {
	for code, want := range map[string]string{
		"General": "", "0.00": "", "#,##0": "", "@": "", "yyyy-mm-dd": "date", "dd/mm/yyyy hh:mm": "datetime", "h:mm AM/PM": "time", "[h]:mm:ss": "time",
		`"day "0`: "", `[Red]0`: "", `[$-409]mmmm yy`: "date", `mm:ss.0`: "time", `\d0`: "", `0.00E+00`: "", `[$€-407] #,##0.00`: "",
	} {
		if got := dateShape(code); got != want {
			t.Errorf("%s: got %q, want %q", code, got, want)
		}
	}
	if fmt.Sprint(columnOf("A1"), columnOf("Z1"), columnOf("AA10"), columnOf("XFD1"), columnOf("1")) != "0 25 26 16383 -1" {
		t.Error("columns of references")
	}
	for _, n := range []int{0, 25, 26, 701, 702, 16383} {
		if got := columnOf(string(appendRef(nil, n, 1))); got != n {
			t.Errorf("column %d is read as %d", n, got)
		}
	}
}
