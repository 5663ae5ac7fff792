package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Table says how the rows of a table are written down. The zero value is RFC 4180
// with a header.
type Table struct {
	Delimiter rune     // 0: a comma
	Quote     rune     // 0: '"'; NoQuote: none
	Comment   rune     // lines that begin with it are skipped; 0: none
	Skip      int      // lines before the header, or before the first row
	NoHeader  bool     // the first row is one like the others
	Columns   []string // names of the columns; with a header, those that it must have
	Lazy      bool     // a quote that is out of place stands for itself
	Ragged    bool     // rows may be shorter than the header, or have empty cells behind its end
	Encoding  string   // as the WHATWG calls it; "": UTF-8. A byte order mark counts more
	Types     Types
}

// NoQuote is the Quote of a table whose cells are never quoted.
const NoQuote rune = -1

func (o *Table) delimiter() string {
	if o.Delimiter == 0 {
		return ","
	}
	return string(o.Delimiter)
}

func (o *Table) quote() string {
	switch o.Quote {
	case 0:
		return `"`
	case NoQuote:
		return ""
	}
	return string(o.Quote)
}

// CSVReader reads the rows of a table. A row that cannot be read ends with its
// first line: a quote that is never closed costs one line, not the rest of the
// document. Empty lines are no rows.
type CSVReader struct {
	o       Table
	in      *input
	delim   []byte
	quote   []byte
	comment []byte // nil: there are none
	row     int64
	begun   bool
	names   []string
	kinds   []cellType // of the columns; nil: all are text
	cells   []cell
	first   int // length of the row's first line
	tooLong bool
	joined  []byte // the cells of a row that has quotes, without them; nil: it has none
	room    []byte // for joined
	slab    slab
	// hopeless is where a search for a closing quote ended in vain: before it, no
	// quote is closed on a later line than its own.
	hopeless int64
}

// cell is a part of the row's text; at is where it begins in the row as written.
type cell struct{ from, to, at int }

// NewCSVReader reads the table in r. Errors: *CharsetError, or what reading the
// first bytes fails of. The header is read by the first Next.
func NewCSVReader(r io.Reader, o Table) (*CSVReader, error) {
	in, err := newInput(r, o.Encoding)
	if err != nil {
		return nil, err
	}
	c := &CSVReader{o: o, in: in, delim: []byte(o.delimiter()), quote: []byte(o.quote()), room: make([]byte, 0, 256)}
	if o.Comment != 0 {
		c.comment = []byte(string(o.Comment))
	}
	if o.NoHeader && len(o.Columns) > 0 {
		c.names = o.Columns
		if err := c.setTypes(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Resume goes on behind the row at at.
func (c *CSVReader) Resume(rest io.Reader, at Place) error {
	if err := c.begin(); err != nil && err != io.EOF {
		return err
	}
	for c.names == nil { // the first row tells how many columns there are
		if _, err := c.Next(); err == io.EOF {
			break
		} else if _, faulty := err.(*RecordError); err != nil && !faulty {
			return err
		}
	}
	c.in.resume(rest, at)
	c.row, c.hopeless = at.Row, 0
	return nil
}

// Next gives the next row. An error about the header is a *SyntaxError.
func (c *CSVReader) Next() (Record, error) {
	if !c.begun {
		if err := c.begin(); err != nil {
			return Record{}, err
		}
	}
	if err := c.toRow(); err != nil {
		return Record{}, err
	}
	c.row++
	place := Place{Row: c.row, Line: c.in.line}
	size, breaks, err := c.parse()
	if err != nil {
		return Record{}, c.fault(place, err)
	}
	raw := c.in.text(size)
	values, err := c.values(raw)
	c.in.advance(size, breaks)
	place.End, place.EndLine = c.in.offset(), c.in.line
	switch err.(type) {
	case nil:
	case *SyntaxError:
		return Record{}, err
	default:
		return Record{}, c.named(recordError(place, raw, err))
	}
	return Record{Names: c.names, Values: values, Place: place}, nil
}

// begin reads what stands before the first row.
func (c *CSVReader) begin() error {
	if err := c.in.skipLines(c.o.Skip); err != nil {
		return err
	}
	if !c.o.NoHeader {
		if err := c.toRow(); err != nil {
			return err
		}
		if err := c.header(); err != nil {
			return err
		}
	}
	c.begun = true
	return nil
}

// toRow skips empty lines and comments.
func (c *CSVReader) toRow() error {
	for {
		size, err := c.in.lineEnd(0)
		if err != nil && err != errTooLong {
			return err
		}
		line := c.in.text(size)
		if len(trimBreak(line)) > 0 && !(c.comment != nil && bytes.HasPrefix(line, c.comment)) {
			c.first, c.tooLong = size, err != nil
			return nil
		}
		if err := c.in.skipLine(); err != nil {
			return err
		}
	}
}

func (c *CSVReader) header() error {
	line := c.in.line
	size, breaks, err := c.parse()
	if err != nil {
		return c.headerError(line, err)
	}
	raw := c.in.text(size)
	text, err := c.rowText(raw)
	if err != nil {
		return c.headerError(line, err)
	}
	if strings.ContainsRune(text, 0) {
		return c.headerError(line, errors.New(`it holds NUL bytes: is this UTF-16? Set encoding = "utf-16le", or utf-16be`))
	}
	row := make([]string, len(c.cells))
	for i, at := range c.cells {
		row[i] = strings.TrimSpace(text[at.from:at.to])
	}
	if c.names, err = header(row); err != nil {
		return c.headerError(line, err)
	}
	for _, name := range c.o.Columns {
		if !slices.Contains(c.names, name) {
			return c.headerError(line, fmt.Errorf("no column is called %q; there are %s", name, some(c.names)))
		}
	}
	if err := c.setTypes(); err != nil {
		return err
	}
	c.in.advance(size, breaks)
	return nil
}

func (c *CSVReader) headerError(line int64, err error) error {
	if e, ok := err.(*cellError); ok {
		return &SyntaxError{Line: int(line), Column: 1, Msg: "header: " + e.err.Error()}
	}
	if err == errTooLong {
		err = fmt.Errorf("the line is %w", err)
	} else if c.in.err != nil && err == c.in.err {
		return err
	}
	return &SyntaxError{Line: int(line), Column: 1, Msg: "header: " + err.Error()}
}

// setTypes finds the type of each column.
func (c *CSVReader) setTypes() error {
	kinds, missing := c.o.Types.of(c.names)
	if missing != "" {
		return c.headerError(c.in.line, fmt.Errorf("no column is called %q, which types names; there are %s", missing, some(c.names)))
	}
	c.kinds = kinds
	return nil
}

// fault is the error for a row that is not one, up to the end of its first line.
func (c *CSVReader) fault(place Place, err error) error {
	if e, ok := err.(*cellError); !ok && err != errTooLong {
		return err
	} else if ok && e.end > 0 {
		c.hopeless = c.in.base + int64(c.in.pos+e.end)
	}
	size, failed := c.in.lineEnd(0)
	if failed != nil && failed != errTooLong {
		return failed
	}
	raw := cut(c.in.text(size))
	if failed := c.in.skipLine(); failed != nil {
		return failed
	}
	place.End, place.EndLine = c.in.offset(), c.in.line
	return c.named(recordError(place, raw, err))
}

func (c *CSVReader) named(e *RecordError) *RecordError {
	e.Names = c.names
	return e
}
