package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// FixedWriter writes objects as lines whose cells have fixed places: numbers to the
// right, all else to the left, with blanks around. Of several shapes, a record has
// the first that has a place for all its fields and whose prefix it then begins with.
type FixedWriter struct {
	Fixed
	CRLF bool

	shapes []shape
}

// Begin appends nothing.
func (w *FixedWriter) Begin(dst []byte) []byte { return dst }

// Append appends a line.
func (w *FixedWriter) Append(dst []byte, _ int64, record any) ([]byte, error) {
	m, ok := record.(map[string]any)
	if !ok {
		return dst, fmt.Errorf("write line: the record is %s, not an object", typeName(record))
	}
	if w.shapes == nil {
		w.shapes = shapesOf(w.Fixed)
	}
	err := errors.New("no kind of line has columns")
	for i := range w.shapes {
		s := &w.shapes[i]
		if len(s.Columns) == 0 {
			continue
		}
		var line string
		if line, err = s.line(m, w.Types.Decimal); err == nil {
			dst = append(dst, line...)
			if w.CRLF {
				dst = append(dst, '\r')
			}
			return append(dst, '\n'), nil
		}
	}
	if len(w.shapes) > 1 {
		err = fmt.Errorf("it is none of the kinds of lines; the last one: %w", err)
	}
	return dst, fmt.Errorf("write line: %w", err)
}

// End appends nothing.
func (w *FixedWriter) End(dst []byte) []byte { return dst }

func (s *shape) line(m map[string]any, decimal rune) (string, error) {
	var line strings.Builder
	at, found := 1, 0
	for i, c := range s.Columns {
		v, ok := m[c.Name]
		if ok {
			found++
		}
		text, err := s.cell(i, v, decimal)
		if err != nil {
			return "", fmt.Errorf("column %q: %w", c.Name, err)
		}
		line.WriteString(strings.Repeat(" ", c.First-at))
		line.WriteString(text)
		at = c.Last + 1
	}
	if found < len(m) {
		return "", unknownField(m, s.names)
	}
	if !strings.HasPrefix(line.String(), s.Prefix) {
		return "", fmt.Errorf("it does not begin with %q", s.Prefix)
	}
	return line.String(), nil
}

// cell is the text of a column's value, as wide as the column.
func (s *shape) cell(column int, v any, decimal rune) (string, error) {
	var kind cellType
	if s.kinds != nil {
		kind = s.kinds[column]
	}
	text, ok, err := kind.write(v, decimal)
	if err == nil && !ok {
		text, err = Scalar(v)
	}
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(text, "\r\n") {
		return "", errors.New("the text holds a line break")
	}
	c := s.Columns[column]
	if c.Last == 0 {
		return text, nil
	}
	width, n := c.Last-c.First+1, utf8.RuneCountInString(text)
	if n > width {
		return "", fmt.Errorf("%q has %s, and there is room for %d", shown(text), plural(n, "character"), width)
	}
	blanks := strings.Repeat(" ", width-n)
	switch v.(type) {
	case int64, int, float64, json.Number:
		return blanks + text, nil
	}
	return text + blanks, nil
}
