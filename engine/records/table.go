package records

import (
	"bytes"
	"errors"
	"io"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// Table are the attributes of csv and tsv.
type Table struct {
	Header       bool     `hcl:"header" doc:"Whether a document begins with the names of the columns."`
	Columns      []string `hcl:"columns" doc:"The columns, in order. Reading with a header: those that it must have. Writing: the fields; default: those of the flow's last map, else those of the first record, sorted." example:"[\"order_id\", \"total\"]"`
	Quote        string   `hcl:"quote" doc:"The character around a cell that holds a delimiter; empty: none has it." example:"\"'\""`
	Comment      string   `hcl:"comment" doc:"Reading: lines that begin with this character are skipped." example:"\"#\""`
	Skip         int      `hcl:"skip" doc:"Reading: how many lines stand before the table." min:"0" max:"1000" example:"3"`
	LazyQuotes   bool     `hcl:"lazy_quotes" doc:"Reading: a quote that is out of place stands for itself."`
	Ragged       bool     `hcl:"ragged" doc:"Reading: a row may have fewer cells than there are columns, the missing ones being null, or empty ones behind the last."`
	FormulaGuard bool     `hcl:"formula_guard" doc:"Writing: puts ' before a text that a spreadsheet would take for a formula."`
	BOM          bool     `hcl:"bom" doc:"Writing: begins with a byte order mark, by which Excel knows UTF-8."`
	CRLF         bool     `hcl:"crlf" doc:"Writing: ends lines as Windows does."`
	Typed
}

// SetDefaults fills in what is not given.
func (t *Table) SetDefaults() {
	t.Typed.SetDefaults()
	t.Header, t.Quote = true, `"`
}

// CSV is a table with a delimiter.
type CSV struct {
	Delimiter string `hcl:"delimiter" doc:"The character between cells." example:"\";\""`
	Table
}

// SetDefaults fills in what is not given.
func (c *CSV) SetDefaults() {
	c.Table.SetDefaults()
	c.Delimiter = ","
}

// TSV is a table with tabs.
type TSV struct{ Table }

func (c *CSV) name() string { return "csv" }
func (t *TSV) name() string { return "tsv" }

func (c *CSV) reader(r io.Reader) (format.Reader, error) {
	return c.Table.reader(r, first(c.Delimiter))
}
func (t *TSV) reader(r io.Reader) (format.Reader, error) { return t.Table.reader(r, '\t') }

func (c *CSV) one(raw []byte, names []string) (format.Reader, error) {
	return c.Table.one(raw, names, first(c.Delimiter))
}

func (t *TSV) one(raw []byte, names []string) (format.Reader, error) {
	return t.Table.one(raw, names, '\t')
}

func (t *Table) reader(r io.Reader, delimiter rune) (format.Reader, error) {
	return format.NewCSVReader(r, t.options(delimiter))
}

func (t *Table) options(delimiter rune) format.Table {
	o := format.Table{
		Delimiter: delimiter, Quote: first(t.Quote), Comment: first(t.Comment), Skip: t.Skip, NoHeader: !t.Header,
		Columns: t.Columns, Lazy: t.LazyQuotes, Ragged: t.Ragged, Encoding: t.Encoding, Types: t.types(),
	}
	if t.Quote == "" {
		o.Quote = format.NoQuote
	}
	return o
}

func (t *Table) one(raw []byte, names []string, delimiter rune) (format.Reader, error) {
	o := t.options(delimiter)
	if names == nil {
		names = t.Columns
	}
	if names == nil && t.Header {
		return nil, errors.New("read the row again: the names of its columns are not known")
	}
	o.Skip, o.NoHeader, o.Columns, o.Comment = 0, true, names, 0
	text, err := format.Alone(raw, o.Encoding)
	if err != nil {
		return nil, err
	}
	o.Encoding = ""
	return format.NewCSVReader(bytes.NewReader(text), o)
}

// Validate checks what the tags cannot say.
func (c *CSV) Validate(p *component.Problems) {
	c.Table.Validate(p)
	if !isOne(c.Delimiter) || c.Delimiter == c.Quote {
		p.Error("delimiter", "not a delimiter", `It must be one character, such as ";" or "\t", and no quote or line break.`)
	}
}

// Validate checks what the tags cannot say.
func (t *Table) Validate(p *component.Problems) {
	t.Typed.Validate(p)
	if t.Quote != "" && !isOne(t.Quote) {
		p.Error("quote", "not a quote", `It must be one character, such as "'", or nothing.`)
	}
	if t.Comment != "" && !isOne(t.Comment) {
		p.Error("comment", "not a mark of comments", `It must be one character, such as "#".`)
	}
	unique(p, t.Columns)
}
