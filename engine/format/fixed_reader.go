package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Fixed says how lines are divided whose cells have places instead of delimiters.
type Fixed struct {
	Shapes   []Shape // the kinds of lines, told by their prefixes; the first that fits counts
	Skip     int     // lines before the first record
	Encoding string
	Types    Types
}

// Shape is one kind of line. Without columns, its lines are no records.
type Shape struct {
	Prefix  string
	Columns []Column // in the order of their places
}

// Column is a cell's place in a line: characters First to Last, counted from 1;
// a Last of 0 is the end of the line.
type Column struct {
	Name        string
	First, Last int
}

// FixedReader reads lines of fixed width. White space around a cell is no part of
// it; a line may end before its last column, whose text is then empty. Empty lines
// are no records.
type FixedReader struct {
	o      Fixed
	in     *input
	row    int64
	begun  bool
	shapes []shape
	slab   slab
	starts []int // of the characters of a line that is not ASCII
}

type shape struct {
	Shape
	names []string
	kinds []cellType
}

// NewFixedReader reads the lines of r.
func NewFixedReader(r io.Reader, o Fixed) (*FixedReader, error) {
	in, err := newInput(r, o.Encoding)
	if err != nil {
		return nil, err
	}
	return &FixedReader{o: o, in: in, shapes: shapesOf(o)}, nil
}

func shapesOf(o Fixed) []shape {
	shapes := make([]shape, len(o.Shapes))
	for i, s := range o.Shapes {
		names := make([]string, len(s.Columns))
		for n, c := range s.Columns {
			names[n] = c.Name
		}
		kinds, _ := o.Types.of(names) // a type may be another shape's
		shapes[i] = shape{Shape: s, names: names, kinds: kinds}
	}
	return shapes
}

// Resume goes on behind the line at at.
func (f *FixedReader) Resume(rest io.Reader, at Place) error {
	f.in.resume(rest, at)
	f.row, f.begun = at.Row, true
	return nil
}

// Next gives the next line that is a record.
func (f *FixedReader) Next() (Record, error) {
	if !f.begun {
		if err := f.in.skipLines(f.o.Skip); err != nil {
			return Record{}, err
		}
		f.begun = true
	}
	for {
		place := Place{Row: f.row + 1, Line: f.in.line}
		line, err := f.in.takeLine(&place)
		if err != nil && err != errTooLong {
			return Record{}, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var s *shape
		var values []any
		if err == nil {
			s, values, err = f.read(line)
		}
		if err == nil && values == nil {
			continue
		}
		f.row++
		if err != nil {
			return Record{}, recordError(place, line, err)
		}
		return Record{Names: s.names, Values: values, Place: place}, nil
	}
}

// skipLines consumes n lines.
func (in *input) skipLines(n int) error {
	for range n {
		if _, err := in.lineEnd(0); err != nil && err != errTooLong {
			return err
		}
		if err := in.skipLine(); err != nil {
			return err
		}
	}
	return nil
}

// read divides a line; values are nil for one that is no record.
func (f *FixedReader) read(line []byte) (*shape, []any, error) {
	if err := f.in.check(line); err != nil {
		return nil, nil, err
	}
	s := f.shape(line)
	if s == nil {
		return nil, nil, fmt.Errorf("no record begins like this; there are %s", f.prefixes())
	}
	if len(s.Columns) == 0 {
		return s, nil, nil
	}
	text := string(line)
	if f.starts = f.starts[:0]; !isASCII(text) {
		for i := range text {
			f.starts = append(f.starts, i)
		}
	}
	if err := f.checkEnd(s, text); err != nil {
		return nil, nil, err
	}
	texts, values := f.slab.row(len(s.Columns))
	for i, c := range s.Columns {
		from, to := f.at(text, c.First-1), len(text)
		if c.Last > 0 {
			to = f.at(text, c.Last)
		}
		texts[i] = strings.TrimSpace(text[from:to])
		if values[i] = box(&texts[i]); s.kinds != nil {
			var err error
			if values[i], err = s.kinds[i].read(texts[i]); err != nil {
				return nil, nil, &cellError{at: from, err: fmt.Errorf("column %q: %w", c.Name, err)}
			}
		}
	}
	return s, values, nil
}

func (f *FixedReader) shape(line []byte) *shape {
	for i := range f.shapes {
		if bytes.HasPrefix(line, []byte(f.shapes[i].Prefix)) {
			return &f.shapes[i]
		}
	}
	return nil
}

func (f *FixedReader) prefixes() string {
	var names []string
	for _, s := range f.shapes {
		names = append(names, fmt.Sprintf("%q", s.Prefix))
	}
	return some(names)
}

// checkEnd: behind the last column there may be blanks.
func (f *FixedReader) checkEnd(s *shape, text string) error {
	last := s.Columns[len(s.Columns)-1].Last
	if last == 0 {
		return nil
	}
	at := f.at(text, last)
	if strings.TrimSpace(text[at:]) == "" {
		return nil
	}
	return &cellError{at: at, err: fmt.Errorf("%s where the columns end at %d", plural(utf8.RuneCountInString(text), "character"), last)}
}

// at is the offset of character n, counted from 0, or of the end.
func (f *FixedReader) at(text string, n int) int {
	if len(f.starts) == 0 {
		return min(n, len(text))
	}
	if n >= len(f.starts) {
		return len(text)
	}
	return f.starts[n]
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// ParseColumn reads a column's place: "7-26", "7" or "27-".
func ParseColumn(name, place string) (Column, error) {
	c := Column{Name: name}
	var more string
	n, _ := fmt.Sscanf(place+" ", "%d-%d%s", &c.First, &c.Last, &more)
	switch {
	case n == 2 && c.First > 0 && c.Last >= c.First && place == fmt.Sprintf("%d-%d", c.First, c.Last):
		return c, nil
	case n == 1 && c.First > 0 && place == fmt.Sprintf("%d-", c.First):
		return Column{Name: name, First: c.First}, nil
	case n == 1 && c.First > 0 && place == fmt.Sprint(c.First):
		return Column{Name: name, First: c.First, Last: c.First}, nil
	}
	return Column{}, errors.New(`a place is characters counted from 1, such as "7-26", "7" or "27-"`)
}
