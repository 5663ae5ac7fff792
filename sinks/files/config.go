package files

import (
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

// Config is a sink "files" block.
type Config struct {
	Path     expr.Template `hcl:"path,required" escape:"file" path:"file" doc:"The file, or one for each value of its holes; directories are made." example:"\"out/{{ formatTime(event.time, '2006-01-02', 'UTC') }}.csv\""`
	Format   Format        `hcl:"format,oneof" doc:"What a record looks like; default: ndjson."`
	Roll     *Roll         `hcl:"roll,block" doc:"Writes .NAME.part and publishes it as NAME when it is complete; a taken name gets -2. Without it, records appear in the file itself."`
	OnShrunk string        `hcl:"on_shrunk" enum:"error|new" doc:"What to do with a file that is shorter than it was, or gone: stop and say so, or begin anew."`
}

// Format is one way to write records.
type Format struct {
	NDJSON *NDJSON `hcl:"ndjson" doc:"One line of JSON a record."`
	CSV    *CSV    `hcl:"csv" doc:"One row a record, which must be an object."`
	JSON   *JSON   `hcl:"json" doc:"One array a file; needs roll."`
}

// NDJSON has no attributes.
type NDJSON struct{}

// JSON has no attributes.
type JSON struct{}

// CSV says how rows are laid out.
type CSV struct {
	Columns   []string `hcl:"columns" doc:"The fields, in order; default: those of the flow's last map, else those of the first record, sorted." example:"[\"order_id\", \"total\"]"`
	Delimiter string   `hcl:"delimiter" doc:"One character between cells."`
	Header    bool     `hcl:"header" doc:"Whether a file begins with the names of the columns."`
}

// SetDefaults fills in what is not given.
func (c *CSV) SetDefaults() { c.Delimiter, c.Header = ",", true }

// Roll says when a file is complete: whichever comes first.
type Roll struct {
	Every time.Duration  `hcl:"every" doc:"So long after its first record." min:"1s" example:"\"24h\""`
	Size  component.Size `hcl:"size" doc:"When it has reached this size." min:"1KiB" example:"\"100MiB\""`
	Rows  int64          `hcl:"rows" doc:"When it holds so many records." min:"1" example:"100000"`
}

func newConfig() *Config { return &Config{OnShrunk: "error"} }

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	_, literal := c.Path.Literal()
	switch {
	case c.Format.JSON != nil && c.Roll == nil:
		p.Error("format.json", "json needs roll", "A JSON document has an end: say when with a roll block, or write ndjson.")
	case c.Roll != nil && *c.Roll == Roll{}:
		p.Error("roll", "roll by what?", "Give at least one of every, size and rows.")
	case c.Roll != nil && c.Roll.Every == 0 && !literal:
		p.Warn("roll", "a file may never be complete", "A file of this path that stops growing before size or rows is reached is never published: give every as well.")
	}
	if c.Format.CSV != nil {
		c.Format.CSV.validate(p)
	}
}

func (c *CSV) validate(p *component.Problems) {
	r, n := utf8.DecodeRuneInString(c.Delimiter)
	if n == 0 || n != len(c.Delimiter) || r == '"' || r == '\n' || r == '\r' || r == utf8.RuneError {
		p.Error("format.csv.delimiter", "not a delimiter", `It must be one character, such as ";" or "\t", and no quote or line break.`)
	}
	for i, name := range c.Columns {
		if slices.Contains(c.Columns[:i], name) {
			p.Error("format.csv.columns", "column given twice", name+" would be written twice; rename one in the flow's map.")
		}
	}
}

// Claims keeps two sinks off one file.
func (c *Config) Claims() []component.Claim {
	path, ok := c.Path.Literal()
	if !ok {
		return nil
	}
	return []component.Claim{{Attr: "path", What: "the file " + filepath.Clean(path)}}
}

// name of the chosen format, as it is kept beside a file's length.
func (f *Format) name() string {
	switch {
	case f.CSV != nil:
		return "csv"
	case f.JSON != nil:
		return "json"
	}
	return "ndjson"
}

// writer makes records of a format; columns are those of a CSV file.
func (c *Config) writer(name string, columns []string) format.Writer {
	switch {
	case name == "json":
		return format.JSONWriter{}
	case name == "csv" && c.Format.CSV != nil:
		d, _ := utf8.DecodeRuneInString(c.Format.CSV.Delimiter)
		return &format.CSVWriter{Columns: columns, Delimiter: d, NoHeader: !c.Format.CSV.Header}
	}
	return format.NDJSONWriter{}
}
