package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
)

// XLSXWriter writes objects as the rows of a workbook's only sheet. Texts are texts,
// whatever they look like, but for those of Dates; so are numbers that Excel would
// round. Lists and objects are JSON.
//
// A workbook is a ZIP archive. Its sheet comes last, in pieces that are compressed
// each by itself, so that a record can be appended with nothing known of what stands
// before it; only Finish reads that again, for the checksum.
type XLSXWriter struct {
	Columns  []string
	Sheet    string // "": Sheet1
	NoHeader bool
	Dates    []string       // columns whose texts are dates and times of RFC 3339
	Zone     *time.Location // in which times are shown; nil: UTC

	dates []bool
	row   []byte
}

// What a sheet can hold.
const (
	maxRows     = 1 << 20
	maxCellText = 32767
	maxExact    = 999_999_999_999_999
)

// Begin appends all but the sheet, and the sheet's header.
func (w *XLSXWriter) Begin(dst []byte) []byte {
	z := zipWriter{out: dst}
	for _, p := range w.parts() {
		z.whole(p.name, []byte(p.text))
	}
	z.open(sheetPart)
	sheet := []byte(xmlHead + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	if !w.NoHeader {
		sheet = append(sheet, `<row r="1">`...)
		for i, name := range w.Columns {
			sheet = appendTextCell(sheet, i, 1, name)
		}
		sheet = append(sheet, "</row>"...)
	}
	return appendDeflated(z.out, sheet, false)
}

// Append appends a row.
func (w *XLSXWriter) Append(dst []byte, n int64, record any) ([]byte, error) {
	m, ok := record.(map[string]any)
	if !ok {
		return dst, fmt.Errorf("write row: the record is %s, not an object", typeName(record))
	}
	line := n + 1
	if !w.NoHeader {
		line++
	}
	if line > maxRows {
		return dst, fmt.Errorf("write row: a sheet ends at row %d; begin another file before that, by rows in roll", maxRows)
	}
	row := append(strconv.AppendInt(append(w.row[:0], `<row r="`...), line, 10), `">`...)
	found := 0
	for i, name := range w.Columns {
		v, ok := m[name]
		if ok {
			found++
		}
		var err error
		if row, err = w.appendCell(row, i, line, v); err != nil {
			return dst, fmt.Errorf("write column %q: %w", name, err)
		}
	}
	if found < len(m) {
		return dst, fmt.Errorf("write row: %w", unknownField(m, w.Columns))
	}
	w.row = append(row, "</row>"...)
	return appendDeflated(dst, w.row, false), nil
}

// End appends nothing: see Finish.
func (w *XLSXWriter) End(dst []byte) []byte { return dst }

func (w *XLSXWriter) appendCell(dst []byte, column int, line int64, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return dst, nil
	case string:
		if w.isDate(column) && v != "" {
			return w.appendDate(dst, column, line, v)
		}
		if utf8.RuneCountInString(v) > maxCellText {
			return dst, fmt.Errorf("a cell has room for %d characters", maxCellText)
		}
		return appendTextCell(dst, column, line, v), nil
	case bool:
		text := "0"
		if v {
			text = "1"
		}
		return appendValueCell(dst, column, line, ` t="b"`, text), nil
	case int64:
		if v > maxExact || v < -maxExact {
			return appendTextCell(dst, column, line, strconv.FormatInt(v, 10)), nil
		}
	case json.Number:
		return appendTextCell(dst, column, line, v.String()), nil
	case int, float64:
	default:
		nested, err := AppendJSON(nil, v)
		if err != nil {
			return dst, err
		}
		return w.appendCell(dst, column, line, string(nested))
	}
	text, err := Scalar(v)
	if err != nil {
		return dst, err
	}
	return appendValueCell(dst, column, line, "", text), nil
}

func (w *XLSXWriter) isDate(column int) bool {
	if w.dates == nil {
		w.dates = make([]bool, len(w.Columns))
		for _, name := range w.Dates {
			for i := range w.Columns {
				w.dates[i] = w.dates[i] || w.Columns[i] == name
			}
		}
	}
	return w.dates[column]
}

// appendDate appends a date as Excel has it: days since 1899-12-30.
func (w *XLSXWriter) appendDate(dst []byte, column int, line int64, s string) ([]byte, error) {
	zone := w.Zone
	if zone == nil {
		zone = time.UTC
	}
	style := ` s="1"`
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		style = ` s="2"`
		if t, err = time.Parse(time.RFC3339Nano, s); err != nil {
			return dst, errors.New(`it is no date, "2026-01-02", and no time as RFC 3339 writes it`)
		}
		t = t.In(zone)
	}
	t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	days := t.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24
	if days < 61 { // Excel knows nothing before 1900, and a 29 February in it
		return appendTextCell(dst, column, line, s), nil
	}
	return appendValueCell(dst, column, line, style, strconv.FormatFloat(days, 'f', -1, 64)), nil
}

func appendValueCell(dst []byte, column int, line int64, attrs, text string) []byte {
	dst = append(appendRef(append(dst, `<c r="`...), column, line), '"')
	dst = append(append(append(dst, attrs...), `><v>`...), text...)
	return append(dst, "</v></c>"...)
}

func appendTextCell(dst []byte, column int, line int64, text string) []byte {
	dst = appendRef(append(dst, `<c r="`...), column, line)
	dst = appendXMLText(append(dst, `" t="inlineStr"><is><t xml:space="preserve">`...), text)
	return append(dst, "</t></is></c>"...)
}

// appendRef appends "AB12".
func appendRef(dst []byte, column int, line int64) []byte {
	var room [8]byte
	at := len(room)
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		at--
		room[at] = byte('A' + (n-1)%26)
	}
	return strconv.AppendInt(append(dst, room[at:]...), line, 10)
}

// appendDeflated appends text as blocks of a deflate stream that lean on nothing
// before them.
func appendDeflated(dst, text []byte, last bool) []byte {
	var out bytes.Buffer
	out.Grow(len(text)/2 + 64)
	flate.StatelessDeflate(&out, text, last, nil) //nolint:errcheck // a Buffer takes everything
	return append(dst, out.Bytes()...)
}

const (
	sheetPart = "xl/worksheets/sheet1.xml"
	xmlHead   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	sheetEnd  = "</sheetData></worksheet>"
)

type xlsxPart struct{ name, text string }

// parts of the smallest workbook that there is, and two styles for dates.
func (w *XLSXWriter) parts() []xlsxPart {
	sheet := w.Sheet
	if sheet == "" {
		sheet = "Sheet1"
	}
	return []xlsxPart{
		{"[Content_Types].xml", xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
			`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` +
			`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
		{"_rels/.rels", xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
			`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", xmlHead + `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
			`<sheets><sheet name="` + string(appendXMLText(nil, sheet)) + `" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
			`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`},
		{"xl/styles.xml", xmlHead + `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
			`<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts>` +
			`<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>` +
			`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
			`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
			`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
			`<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
			`<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
			`<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>` +
			`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`},
	}
}
