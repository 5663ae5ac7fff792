// Package records is how formats of documents are configured: one block for all
// that read or write records, whatever they do with them.
package records

import (
	"fmt"
	"io"

	"github.com/syncd/syncd/engine/format"
)

// Format is the block that says what a document's records look like. Without any
// it is ndjson.
type Format struct {
	CSV    *CSV    `hcl:"csv" doc:"A table with a delimiter: each row is an object by the names of the columns."`
	TSV    *TSV    `hcl:"tsv" doc:"A table whose cells are separated by tabs."`
	NDJSON *NDJSON `hcl:"ndjson" doc:"One JSON value a line."`
	JSON   *JSON   `hcl:"json" doc:"One JSON document: the elements of an array in it, or the document itself."`
	XML    *XML    `hcl:"xml" doc:"One XML document: its elements of one name, or the document itself."`
	Fixed  *Fixed  `hcl:"fixed" doc:"Lines whose cells have fixed places."`
	XLSX   *XLSX   `hcl:"xlsx" doc:"A sheet of an Excel workbook."`
	Lines  *Lines  `hcl:"lines" doc:"Each line is a text."`
	Text   *Text   `hcl:"text" doc:"The whole document is one text."`
	Raw    *Raw    `hcl:"raw" doc:"The whole document is one text: the base64 of its bytes."`
}

// layout is one way to read and write records.
type layout interface {
	name() string
	reader(r io.Reader) (format.Reader, error)
	// one reads a record that stands alone; names are those of its document.
	one(raw []byte, names []string) (format.Reader, error)
}

func (f *Format) layout() layout {
	switch {
	case f.CSV != nil:
		return f.CSV
	case f.TSV != nil:
		return f.TSV
	case f.JSON != nil:
		return f.JSON
	case f.XML != nil:
		return f.XML
	case f.Fixed != nil:
		return f.Fixed
	case f.XLSX != nil:
		return f.XLSX
	case f.Lines != nil:
		return f.Lines
	case f.Text != nil:
		return f.Text
	case f.Raw != nil:
		return f.Raw
	}
	return &NDJSON{}
}

// Name of the format, as its block is labelled.
func (f *Format) Name() string { return f.layout().name() }

// NewReader reads the records of r. Records that are JSON have their Raw text and
// no Body. The reader may be an io.Closer, to be closed when it is not needed any
// more, and a format.Resumer. It reads ahead by a bounded amount, except for xlsx,
// which copies r to a temporary file unless it is an io.ReaderAt and an io.Seeker.
func (f *Format) NewReader(r io.Reader) (format.Reader, error) { return f.layout().reader(r) }

// Reread reads one record again, from the Raw and Names of a *format.RecordError.
func (f *Format) Reread(raw []byte, names []string) (format.Record, error) {
	if len(raw) >= format.MaxRaw {
		return format.Record{}, fmt.Errorf("read the record again: only the first %d KiB of its text were kept; correct the file and hand it in again", format.MaxRaw>>10)
	}
	r, err := f.layout().one(raw, names)
	if err != nil {
		return format.Record{}, err
	}
	rec, err := r.Next()
	if err == io.EOF {
		err = errNothing
	}
	return rec, err
}

// Typed are the attributes of formats whose cells are text.
type Typed struct {
	Types     map[string]string `hcl:"types" doc:"Columns that are more than text: number, bool, or time: with a layout that shows how 2 January 2006, 15:04:05 is written. An empty cell is then null." example:"{ total = \"number\", at = \"time:02/01/2006\" }"`
	Decimal   string            `hcl:"decimal" doc:"The character between whole and fraction in numbers." example:"\",\""`
	Thousands string            `hcl:"thousands" doc:"Reading: the character between groups of three digits." example:"\".\""`
	Timezone  string            `hcl:"timezone" doc:"Of times that do not tell theirs." example:"\"Europe/Berlin\""`
	Encoding  string            `hcl:"encoding" doc:"How characters are written, as the WHATWG calls it: utf-8, windows-1252, iso-8859-15, utf-16le … When reading, a byte order mark counts more." example:"\"windows-1252\""`
}

// SetDefaults fills in what is not given.
func (t *Typed) SetDefaults() { t.Decimal, t.Timezone, t.Encoding = ".", "UTC", "utf-8" }

func (t *Typed) types() format.Types {
	types := format.Types{Columns: t.Types, Decimal: first(t.Decimal), Thousands: first(t.Thousands), Zone: zone(t.Timezone)}
	if types.Decimal == '.' {
		types.Decimal = 0
	}
	return types
}

// first character of an attribute that is one; 0 if it is empty.
func first(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}
