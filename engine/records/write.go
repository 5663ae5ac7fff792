package records

import (
	"errors"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// NewWriter makes documents of records. columns are those of a table, and what
// Layout gives for every other format. The error is an encoding that nobody knows,
// which Validate has told.
func (f *Format) NewWriter(columns []string) (format.Writer, error) {
	switch {
	case f.CSV != nil:
		return f.CSV.writer(columns, first(f.CSV.Delimiter))
	case f.TSV != nil:
		return f.TSV.writer(columns, '\t')
	case f.Fixed != nil:
		w := &format.FixedWriter{Fixed: f.Fixed.options(), CRLF: f.Fixed.CRLF}
		return format.Encode(w, f.Fixed.Encoding, false)
	case f.XLSX != nil:
		return f.XLSX.writer(columns), nil
	case f.Lines != nil:
		return format.Encode(&format.TextWriter{Lines: true}, f.Lines.Encoding, false)
	case f.Text != nil:
		return format.Encode(&format.TextWriter{}, f.Text.Encoding, false)
	case f.Raw != nil:
		return &format.TextWriter{Raw: true}, nil
	}
	return Ending(f.Name(), columns), nil
}

// Ending gives a writer that knows how to end a document that was begun in a format
// with these columns, as it was configured then.
func Ending(name string, columns []string) format.Writer {
	switch name {
	case "json":
		return format.JSONWriter{Path: columns}
	case "xml":
		return &format.XMLWriter{Each: strings.Join(columns, "/")}
	case "xlsx":
		return &format.XLSXWriter{}
	}
	return format.NDJSONWriter{}
}

// Layout is on what a document depends beside the format's name: the columns of a
// table (none: they are the caller's to find), the way to the records of JSON and XML.
func (f *Format) Layout() (columns []string, table bool) {
	switch {
	case f.CSV != nil:
		return f.CSV.Columns, true
	case f.TSV != nil:
		return f.TSV.Columns, true
	case f.XLSX != nil:
		return f.XLSX.Columns, true
	case f.JSON != nil:
		return f.JSON.path(), false
	case f.XML != nil:
		return strings.Split(f.XML.Each, "/"), false
	}
	return nil, false
}

// HasEnd tells whether something stands behind the last record of a document.
func (f *Format) HasEnd() bool { return f.JSON != nil || f.XML != nil || f.XLSX != nil }

func (t *Table) writer(columns []string, delimiter rune) (format.Writer, error) {
	o := t.options(delimiter)
	w := &format.CSVWriter{
		Columns: columns, Delimiter: o.Delimiter, Quote: o.Quote, NoHeader: o.NoHeader,
		Guard: t.FormulaGuard, CRLF: t.CRLF, Types: o.Types,
	}
	return format.Encode(w, t.Encoding, t.BOM)
}

func (x *XLSX) writer(columns []string) format.Writer {
	return &format.XLSXWriter{Columns: columns, Sheet: x.Sheet, NoHeader: !x.Header, Dates: x.Dates, Zone: x.options().Zone}
}

// given is an attribute that means something in one direction only.
type given struct {
	attr string
	is   bool
}

// ForWriting reports, at the attribute that holds the format ("": the attributes of
// the format stand in the block itself), what is of no use for writing, and what that
// needs.
func (f *Format) ForWriting(p *component.Problems, attr string) {
	refuse(p, f.within(attr), f.readingOnly(), "this is about reading", "Here it is only written: take it away.")
	if f.XML != nil && !strings.Contains(f.XML.Each, "/") {
		path := "each"
		if attr != "" {
			path = attr + ".xml"
		}
		p.Error(path, "each is missing the root", `For writing, say what stands around the records: each = "orders/order".`)
	}
}

// ForReading reports likewise what is of no use for reading.
func (f *Format) ForReading(p *component.Problems, attr string) {
	refuse(p, f.within(attr), f.writingOnly(), "this is about writing", "Here it is only read: take it away.")
}

// within begins the paths of the format's attributes.
func (f *Format) within(attr string) string {
	if attr == "" {
		return ""
	}
	return attr + "." + f.Name() + "."
}

func refuse(p *component.Problems, path string, list []given, summary, detail string) {
	for _, g := range list {
		if g.is {
			p.Error(path+g.attr, summary, detail)
		}
	}
}

func (f *Format) readingOnly() []given {
	switch t := f.table(); {
	case t != nil:
		return []given{{"comment", t.Comment != ""}, {"skip", t.Skip > 0}, {"lazy_quotes", t.LazyQuotes}, {"ragged", t.Ragged}, {"thousands", t.Thousands != ""}}
	case f.Fixed != nil:
		return []given{{"skip", f.Fixed.Skip > 0}, {"thousands", f.Fixed.Thousands != ""}}
	case f.XLSX != nil:
		return []given{{"skip", f.XLSX.Skip > 0}}
	}
	return nil
}

func (f *Format) writingOnly() []given {
	switch t := f.table(); {
	case t != nil:
		return []given{{"formula_guard", t.FormulaGuard}, {"bom", t.BOM}, {"crlf", t.CRLF}}
	case f.Fixed != nil:
		return []given{{"crlf", f.Fixed.CRLF}}
	case f.XLSX != nil:
		return []given{{"dates", len(f.XLSX.Dates) > 0}}
	}
	return nil
}

func (f *Format) table() *Table {
	switch {
	case f.CSV != nil:
		return &f.CSV.Table
	case f.TSV != nil:
		return &f.TSV.Table
	}
	return nil
}

// zone is the time zone of a name, which Validate has checked.
func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return z
}

var errNothing = errors.New("read a record again: there is none in the text")
