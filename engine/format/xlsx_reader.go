package format

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sheet says where the table stands in an Excel workbook (ECMA-376).
type Sheet struct {
	Name     string   // "": the first one
	Skip     int      // rows above the table
	NoHeader bool     // the first row is one like the others
	Columns  []string // names of the columns; with a header, those that it must have
	Zone     *time.Location
}

// XLSXReader reads the rows of a sheet. Numbers, bools and texts are what they are,
// empty cells and errors (#N/A) nil. A cell shown as a date is text, "2026-01-02",
// one shown with a time too is RFC 3339, one shown as a time alone "15:04:05". The
// Line of a row is its number in the sheet. Rows without anything are none.
type XLSXReader struct {
	o     Sheet
	book  *workbook
	part  io.ReadCloser
	limit *stint
	dec   *xml.Decoder
	row   int64
	line  int64
	begun bool
	names []string
	cells []any
}

// NewXLSXReader opens the workbook in the size bytes of r. It is to be closed.
func NewXLSXReader(r io.ReaderAt, size int64, o Sheet) (*XLSXReader, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	book, err := openWorkbook(r, size)
	if err != nil {
		return nil, fmt.Errorf("open workbook: %w", err)
	}
	part, err := book.sheet(o.Name)
	if err != nil {
		return nil, fmt.Errorf("open workbook: %w", err)
	}
	x := &XLSXReader{o: o, book: book, part: part, limit: &stint{r: part}}
	x.dec = xml.NewDecoder(x.limit)
	if o.NoHeader {
		x.names = o.Columns
	}
	return x, nil
}

// Close releases the workbook.
func (x *XLSXReader) Close() error { return x.part.Close() }

// Next gives the next row.
func (x *XLSXReader) Next() (Record, error) {
	if !x.begun {
		x.begun = true
		if err := x.header(); err != nil {
			return Record{}, err
		}
	}
	if err := x.nextRow(); err != nil {
		return Record{}, err
	}
	x.row++
	place := Place{Row: x.row, Line: x.line}
	if x.names == nil {
		x.names = numbered(len(x.cells))
	}
	if n := len(x.cells); n > len(x.names) {
		raw, _ := AppendJSON(nil, x.cells) // cells are plain values
		return Record{}, &RecordError{Place: place, Names: x.names, Raw: cut(raw), Err: fmt.Errorf("%s where the %s has %d", plural(n, "cell"), x.above(), len(x.names))}
	}
	values := make([]any, len(x.names))
	copy(values, x.cells)
	return Record{Names: x.names, Values: values, Place: place}, nil
}

func (x *XLSXReader) above() string {
	switch {
	case !x.o.NoHeader:
		return "header"
	case x.o.Columns != nil:
		return "list of columns"
	}
	return "first row"
}

func (x *XLSXReader) header() error {
	if x.o.NoHeader {
		return nil
	}
	if err := x.nextRow(); err != nil {
		return err
	}
	row := make([]string, len(x.cells))
	for i, v := range x.cells {
		if v == nil {
			continue
		}
		text, err := Scalar(v)
		if err != nil {
			return err
		}
		row[i] = strings.TrimSpace(text)
	}
	names, err := header(row)
	if err != nil {
		return &SyntaxError{Line: int(x.line), Msg: "header: " + err.Error()}
	}
	for _, name := range x.o.Columns {
		if !slices.Contains(names, name) {
			return &SyntaxError{Line: int(x.line), Msg: fmt.Sprintf("header: no column is called %q; there are %s", name, some(names))}
		}
	}
	x.names = names
	return nil
}

// nextRow reads the cells of the next row that has any.
func (x *XLSXReader) nextRow() error {
	for {
		x.limit.n = 0
		tok, err := x.dec.Token()
		if err == io.EOF {
			return io.EOF
		}
		if err != nil {
			return x.fault(err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok || start.Name.Local != "row" {
			continue
		}
		x.line++
		if n, err := strconv.ParseInt(attr(start, "r"), 10, 64); err == nil && n >= x.line {
			x.line = n
		}
		if err := x.readRow(); err != nil {
			return x.fault(err)
		}
		if len(x.cells) > 0 && x.line > int64(x.o.Skip) {
			return nil
		}
	}
}

func (x *XLSXReader) fault(err error) error {
	if x.limit.failed != nil {
		err = x.limit.failed
	}
	return fmt.Errorf("row %d of the sheet: %w", x.line, err)
}

// maxColumns is Excel's own limit.
const maxColumns = 16384

// readRow reads cells up to the end of the row; empty ones at the end are cut off.
func (x *XLSXReader) readRow() error {
	x.cells = x.cells[:0]
	for {
		tok, err := x.dec.Token()
		if err != nil {
			return eofInside(err)
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if tok.Name.Local != "c" {
				if err := x.dec.Skip(); err != nil {
					return eofInside(err)
				}
				continue
			}
			at := len(x.cells)
			if ref := attr(tok, "r"); ref != "" {
				at = columnOf(ref)
			}
			if at < len(x.cells) || at >= maxColumns {
				return fmt.Errorf("cell %q is not where it can be", attr(tok, "r"))
			}
			v, err := x.cell(tok)
			if err != nil {
				return err
			}
			if v != nil {
				for len(x.cells) < at {
					x.cells = append(x.cells, nil)
				}
				x.cells = append(x.cells, v)
			}
		}
	}
}

// columnOf gives the column of a reference, "AB12", counted from 0; -1 if there is none.
func columnOf(ref string) int {
	n := 0
	for _, c := range ref {
		if c < 'A' || c > 'Z' || n > maxColumns {
			break
		}
		n = n*26 + int(c-'A') + 1
	}
	return n - 1
}

// cell reads the value of a cell.
func (x *XLSXReader) cell(start xml.StartElement) (any, error) {
	value, inline, err := x.cellText()
	if err != nil {
		return nil, err
	}
	switch attr(start, "t") {
	case "s":
		if value == "" {
			return nil, nil
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n >= len(x.book.texts) {
			return nil, fmt.Errorf("cell %s names a text that is not there", attr(start, "r"))
		}
		return textCell(x.book.texts[n]), nil
	case "inlineStr":
		return textCell(inline), nil
	case "str", "d":
		return textCell(value), nil
	case "b":
		return value == "1", nil
	case "e":
		return nil, nil
	}
	if value == "" {
		return nil, nil
	}
	return x.number(value, attr(start, "s"))
}

func textCell(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// cellText reads up to the end of a cell: its value, and the text in its place.
func (x *XLSXReader) cellText() (value, inline string, err error) {
	for {
		tok, err := x.dec.Token()
		if err != nil {
			return "", "", eofInside(err)
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			return value, inline, nil
		case xml.StartElement:
			switch tok.Name.Local {
			case "v":
				value, err = plainText(x.dec)
			case "is":
				inline, err = richText(x.dec)
			default:
				err = x.dec.Skip()
			}
			if err != nil {
				return "", "", eofInside(err)
			}
		}
	}
}

func (x *XLSXReader) number(value, style string) (any, error) {
	n, _ := strconv.Atoi(style)
	if shape := x.book.styles[n]; shape != "" {
		serial, err := strconv.ParseFloat(value, 64)
		if err == nil && serial >= 0 && serial < 2958466 {
			return dateText(serial, x.book.from1904, shape, x.o.Zone), nil
		}
	}
	var types Types
	v, err := types.number(value)
	if err != nil {
		return nil, errors.New("a cell that should hold a number: " + err.Error())
	}
	return v, nil
}

// dateText is a day of Excel's calendar, which takes 1900 for a leap year.
func dateText(serial float64, from1904 bool, shape string, zone *time.Location) string {
	first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case from1904:
		first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case serial < 60:
		first = first.AddDate(0, 0, 1)
	}
	days := int(serial)
	rest := time.Duration((serial - float64(days)) * float64(24*time.Hour)).Round(time.Millisecond)
	t := first.AddDate(0, 0, days).Add(rest)
	switch shape {
	case "date":
		return t.Format(time.DateOnly)
	case "time":
		return t.Format("15:04:05.999")
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone).Format(time.RFC3339Nano)
}

func eofInside(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func attr(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}
