package files

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/records"
)

// Whatever the format, reading goes on where it was interrupted, whether it can be
// entered in the middle or must be read from its beginning.
func TestGoesOnInEachFormat(t *testing.T) {
	fixed := &records.Fixed{Columns: map[string]string{"id": "1-2", "x": "3-"}}
	fixed.Typed.SetDefaults()
	utf16 := &records.CSV{}
	utf16.SetDefaults()
	utf16.Encoding = "utf-16le"
	lines := &records.Lines{}
	lines.SetDefaults()
	tests := map[string]struct {
		format records.Format
		text   func(id int) string
		head   string
		tail   string
		want   string
	}{
		"csv":    {format: records.Format{CSV: utf16}, head: wide("id;x\n"), text: func(id int) string { return wide(fmt.Sprintf("%d;é\n", id)) }, want: "%d é"},
		"tsv":    {format: records.Format{TSV: tsv()}, head: "id\tx\n", text: func(id int) string { return fmt.Sprintf("%d\ta b\n", id) }, want: "%d a b"},
		"ndjson": {format: records.Format{NDJSON: &records.NDJSON{}}, text: func(id int) string { return fmt.Sprintf("{\"id\":%d}\n\n", id) }, want: `{"id":%d}`},
		"json":   {format: records.Format{JSON: &records.JSON{Records: "d.o"}}, head: `{"d":{"o":[`, text: func(id int) string { return fmt.Sprintf(`{"id":%d}%s`, id, comma(id)) }, tail: `]}}`, want: `{"id":%d}`},
		"xml":    {format: records.Format{XML: &records.XML{Each: "o"}}, head: "<all>", text: func(id int) string { return fmt.Sprintf(`<o id="%d"/>`, id) }, tail: "</all>", want: "map[@id:%d]"},
		"fixed":  {format: records.Format{Fixed: fixed}, text: func(id int) string { return fmt.Sprintf("%2dx\n", id) }, want: "%d x"},
		"lines":  {format: records.Format{Lines: lines}, text: func(id int) string { return fmt.Sprintf("line %d\r\n", id) }, want: "line %d"},
	}
	utf16.Delimiter = ";"
	for name, tt := range tests {
		w := newWorld(t)
		w.config.Format = tt.format
		text := tt.head
		var want []string
		for id := 1; id <= last; id++ {
			text += tt.text(id)
			want = append(want, fmt.Sprintf("a:%d "+tt.want, id, id))
		}
		w.write("a", text+tt.tail)
		w.interrupted(3)
		w.interrupted(3)
		w.read()
		w.read()
		w.wants(want...)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

const last = 11

func comma(id int) string {
	if id == last {
		return ""
	}
	return ","
}

func tsv() *records.TSV {
	t := &records.TSV{}
	t.SetDefaults()
	return t
}

// wide is text in UTF-16, little end first.
func wide(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

func TestWholeDocuments(t *testing.T) {
	w := newWorld(t)
	w.config.Format = records.Format{Raw: &records.Raw{}}
	w.write("a.gz", "\x00\x01")
	w.read()
	w.wants("a.gz:1 AAE=")
}

// A workbook is read from its beginning each time, and gives each row once.
func TestWorkbook(t *testing.T) {
	w := newWorld(t)
	x := &records.XLSX{}
	x.SetDefaults()
	w.config.Format = records.Format{XLSX: x}
	row := func(n int, text string) string {
		return fmt.Sprintf(`<row r="%[1]d"><c r="A%[1]d" t="inlineStr"><is><t>%[2]s</t></is></c></row>`, n, text)
	}
	w.write("a.xlsx", zipped(t,
		"xl/workbook.xml", `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml" Type="x/worksheet"/></Relationships>`,
		"xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+row(1, "id")+row(2, "one")+row(3, "two")+row(4, "three")+`</sheetData></worksheet>`))
	w.interrupted(1)
	w.read()
	w.wants("a.xlsx:1 one", "a.xlsx:2 two", "a.xlsx:3 three")
}

// A record that could not be read is read again as its source is configured by then.
func TestParseAgain(t *testing.T) {
	w := newWorld(t)
	w.config.Format.CSV.Delimiter = ";"
	w.write("a.csv", "id;text\n1;\"a\n2;b\n")
	w.read()
	w.wants("a.csv:2 2 b")
	if len(w.dead) != 1 {
		t.Fatal(w.dead)
	}
	d := w.dead[0]
	sealed := component.Draft{Raw: d.Raw, Names: d.Names, RawMeta: d.RawMeta, Fault: errCrash}
	if _, err := w.source().Parse(sealed); err == nil || !strings.Contains(err.Error(), "quote") || !strings.Contains(err.Error(), "a.csv: record 1: column") {
		t.Errorf("got %v", err)
	}
	w.config.Format.CSV.Quote = ""
	got, err := w.source().Parse(sealed)
	if err != nil || fmt.Sprint(got.Names, got.Values) != `[id text] [1 "a]` || got.Fault != nil || string(got.RawMeta) != string(d.RawMeta) {
		t.Errorf("%v: %+v", err, got)
	}
}
