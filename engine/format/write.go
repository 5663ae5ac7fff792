package format

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Writer turns records into one document, a piece at a time: Begin, Append for
// each record, End. All append to dst; on an error dst comes back as it was.
type Writer interface {
	// Begin appends what stands before the first record.
	Begin(dst []byte) []byte
	// Append appends a record that n others precede.
	Append(dst []byte, n int64, record any) ([]byte, error)
	// End appends what stands after the last record.
	End(dst []byte) []byte
}

// NDJSONWriter writes each record as JSON on a line of its own.
type NDJSONWriter struct{}

// Begin appends nothing.
func (NDJSONWriter) Begin(dst []byte) []byte { return dst }

// Append appends one line.
func (NDJSONWriter) Append(dst []byte, _ int64, record any) ([]byte, error) {
	out, err := AppendJSON(dst, record)
	if err != nil {
		return dst, err
	}
	return append(out, '\n'), nil
}

// End appends nothing.
func (NDJSONWriter) End(dst []byte) []byte { return dst }

// JSONWriter writes one array, a record to a line.
type JSONWriter struct{}

// Begin opens the array.
func (JSONWriter) Begin(dst []byte) []byte { return append(dst, '[') }

// Append appends an element.
func (JSONWriter) Append(dst []byte, n int64, record any) ([]byte, error) {
	out := dst
	if n > 0 {
		out = append(out, ',')
	}
	out, err := AppendJSON(append(out, '\n'), record)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// End closes the array.
func (JSONWriter) End(dst []byte) []byte { return append(dst, "\n]\n"...) }

// CSVWriter writes objects as RFC 4180, with lines that end in LF as Unix tools
// expect them. A missing field is an empty cell; lists and objects are JSON.
type CSVWriter struct {
	Columns   []string
	Delimiter rune // 0: a comma
	NoHeader  bool
}

// UnknownFieldError says that a record has a field that is no column.
type UnknownFieldError struct {
	Field   string
	Columns []string
}

func (e *UnknownFieldError) Error() string {
	return fmt.Sprintf("field %q is not among the columns %s", e.Field, strings.Join(e.Columns, ", "))
}

// Begin appends the header.
func (w *CSVWriter) Begin(dst []byte) []byte {
	if w.NoHeader {
		return dst
	}
	for i, name := range w.Columns {
		dst = w.appendCell(w.separate(dst, i), name)
	}
	return append(dst, '\n')
}

// Append appends a row. Errors: an *UnknownFieldError, or a record that is no object.
func (w *CSVWriter) Append(dst []byte, _ int64, record any) ([]byte, error) {
	m, ok := record.(map[string]any)
	if !ok {
		return dst, fmt.Errorf("write CSV row: the record is %s, not an object", typeName(record))
	}
	out, found := dst, 0
	for i, name := range w.Columns {
		out = w.separate(out, i)
		v, ok := m[name]
		if ok {
			found++
		}
		var err error
		if out, err = w.appendValue(out, v); err != nil {
			return dst, fmt.Errorf("write CSV column %q: %w", name, err)
		}
	}
	if found < len(m) {
		return dst, fmt.Errorf("write CSV row: %w", w.unknown(m))
	}
	return append(out, '\n'), nil
}

// End appends nothing.
func (w *CSVWriter) End(dst []byte) []byte { return dst }

func (w *CSVWriter) delimiter() rune {
	if w.Delimiter == 0 {
		return ','
	}
	return w.Delimiter
}

func (w *CSVWriter) separate(dst []byte, column int) []byte {
	if column == 0 {
		return dst
	}
	return append(dst, string(w.delimiter())...)
}

func (w *CSVWriter) appendValue(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return w.appendCell(dst, ""), nil
	case string:
		return w.appendCell(dst, v), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case float64, int, json.Number:
		return AppendJSON(dst, v)
	case time.Time:
		return v.AppendFormat(dst, time.RFC3339Nano), nil
	}
	nested, err := AppendJSON(nil, v)
	if err != nil {
		return dst, err
	}
	return w.appendCell(dst, string(nested)), nil
}

func (w *CSVWriter) appendCell(dst []byte, s string) []byte {
	if !w.needsQuotes(s) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}

// needsQuotes also quotes what readers would trim, and the only cell of a row if
// it is empty, since an empty line is no row for most.
func (w *CSVWriter) needsQuotes(s string) bool {
	if s == "" {
		return len(w.Columns) == 1
	}
	return strings.ContainsAny(s, "\"\r\n") || strings.ContainsRune(s, w.delimiter()) ||
		s[0] == ' ' || s[0] == '\t' || s[len(s)-1] == ' ' || s[len(s)-1] == '\t'
}

// unknown names the first, by name, of the fields that are no columns.
func (w *CSVWriter) unknown(m map[string]any) *UnknownFieldError {
	e := &UnknownFieldError{Columns: w.Columns}
	for name := range m {
		if !slices.Contains(w.Columns, name) && (e.Field == "" || name < e.Field) {
			e.Field = name
		}
	}
	return e
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case []any:
		return "a list"
	case string:
		return "a string"
	case bool:
		return "a bool"
	}
	return "a number"
}
