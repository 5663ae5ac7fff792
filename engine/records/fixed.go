package records

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// Fixed says where cells stand in a line.
type Fixed struct {
	Columns map[string]string `hcl:"columns" doc:"Each column's place in a line: characters from the first to the last, counted from 1; without a last one, to the end of the line." example:"{ id = \"1-6\", name = \"7-26\", note = \"27-\" }"`
	Record  []Shape           `hcl:"record,block" doc:"One of several kinds of lines, told by their beginnings; the first that fits counts."`
	Skip    int               `hcl:"skip" doc:"Reading: how many lines stand before the first record." min:"0" max:"1000" example:"1"`
	CRLF    bool              `hcl:"crlf" doc:"Writing: ends lines as Windows does."`
	Typed
}

// Shape is one kind of line.
type Shape struct {
	Prefix  string            `hcl:"prefix,required" doc:"What such a line begins with." example:"\"02\""`
	Columns map[string]string `hcl:"columns" doc:"As above. Without columns, such lines are skipped." example:"{ kind = \"1-2\", total = \"3-12\" }"`
}

func (f *Fixed) name() string { return "fixed" }

func (f *Fixed) reader(r io.Reader) (format.Reader, error) {
	return format.NewFixedReader(r, f.options())
}

func (f *Fixed) one(raw []byte, _ []string) (format.Reader, error) {
	o := f.options()
	text, err := format.Alone(raw, o.Encoding)
	if err != nil {
		return nil, err
	}
	o.Skip, o.Encoding = 0, ""
	return format.NewFixedReader(bytes.NewReader(text), o)
}

func (f *Fixed) options() format.Fixed {
	o := format.Fixed{Skip: f.Skip, Encoding: f.Encoding, Types: f.types()}
	for _, s := range f.shapes() {
		o.Shapes = append(o.Shapes, format.Shape{Prefix: s.Prefix, Columns: columns(s.Columns)})
	}
	return o
}

func (f *Fixed) shapes() []Shape {
	if len(f.Record) > 0 {
		return f.Record
	}
	return []Shape{{Columns: f.Columns}}
}

// columns in the order of their places; Validate has found what is wrong with them.
func columns(places map[string]string) []format.Column {
	var list []format.Column
	for _, name := range slices.Sorted(maps.Keys(places)) {
		if c, err := format.ParseColumn(name, places[name]); err == nil {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b format.Column) int { return cmp.Compare(a.First, b.First) })
	return list
}

// Validate checks what the tags cannot say.
func (f *Fixed) Validate(p *component.Problems) {
	f.Typed.Validate(p)
	switch {
	case len(f.Columns) == 0 && len(f.Record) == 0:
		p.Error("columns", "which columns?", `Give the place of each: columns = { id = "1-6", name = "7-26" }.`)
	case len(f.Columns) > 0 && len(f.Record) > 0:
		p.Error("columns", "columns beside record", "Each record block has columns of its own.")
	}
	checkPlaces(p, "columns", f.Columns)
	there := maps.Clone(f.Columns)
	for i, r := range f.Record {
		checkPlaces(p, fmt.Sprintf("record[%d].columns", i), r.Columns)
		if there == nil {
			there = map[string]string{}
		}
		maps.Copy(there, r.Columns)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Types)) {
		if _, ok := there[name]; !ok {
			p.Error("types", fmt.Sprintf("no column is called %q", name), "types names columns that have a place.")
		}
	}
}

func checkPlaces(p *component.Problems, attr string, places map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(places)) {
		if _, err := format.ParseColumn(name, places[name]); err != nil {
			p.Error(attr, fmt.Sprintf("where is %q?", name), sentence(err))
			return
		}
	}
	list := columns(places)
	for i := 1; i < len(list); i++ {
		before, c := list[i-1], list[i]
		if before.Last == 0 || before.Last >= c.First {
			p.Error(attr, "columns overlap", fmt.Sprintf("%q is at %s and %q at %s.", before.Name, places[before.Name], c.Name, places[c.Name]))
		}
	}
}
