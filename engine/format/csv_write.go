package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CSVWriter writes objects as RFC 4180, with lines that end in LF as Unix tools
// expect them. A missing field is an empty cell; lists and objects are JSON.
type CSVWriter struct {
	Columns   []string
	Delimiter rune // 0: a comma
	Quote     rune // 0: '"'; NoQuote: none
	NoHeader  bool
	Guard     bool // texts that a spreadsheet would take for a formula begin with '
	CRLF      bool
	Types     Types

	kinds []cellType
	delim string
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
	return w.endLine(dst)
}

// Append appends a row. Errors: an *UnknownFieldError, a record that is no object,
// a value that its column cannot hold.
func (w *CSVWriter) Append(dst []byte, _ int64, record any) ([]byte, error) {
	m, ok := record.(map[string]any)
	if !ok {
		return dst, fmt.Errorf("write CSV row: the record is %s, not an object", typeName(record))
	}
	if w.kinds == nil && len(w.Types.Columns) > 0 {
		w.kinds, _ = w.Types.of(w.Columns)
	}
	out, found := dst, 0
	for i, name := range w.Columns {
		out = w.separate(out, i)
		v, ok := m[name]
		if ok {
			found++
		}
		var err error
		if out, err = w.appendValue(out, i, v); err != nil {
			return dst, fmt.Errorf("write CSV column %q: %w", name, err)
		}
	}
	if found < len(m) {
		return dst, fmt.Errorf("write CSV row: %w", unknownField(m, w.Columns))
	}
	return w.endLine(out), nil
}

// End appends nothing.
func (w *CSVWriter) End(dst []byte) []byte { return dst }

func (w *CSVWriter) endLine(dst []byte) []byte {
	if w.CRLF {
		dst = append(dst, '\r')
	}
	return append(dst, '\n')
}

func (w *CSVWriter) separate(dst []byte, column int) []byte {
	if w.delim == "" {
		o := Table{Delimiter: w.Delimiter}
		w.delim = o.delimiter()
	}
	if column == 0 {
		return dst
	}
	return append(dst, w.delim...)
}

func (w *CSVWriter) appendValue(dst []byte, column int, v any) ([]byte, error) {
	if w.kinds != nil || w.Types.Decimal != 0 {
		var kind cellType
		if w.kinds != nil {
			kind = w.kinds[column]
		}
		text, ok, err := kind.write(v, w.Types.Decimal)
		if err != nil {
			return dst, err
		}
		if ok {
			return w.appendQuotable(dst, text)
		}
	}
	switch v := v.(type) {
	case nil:
		return w.appendCell(dst, ""), nil
	case string:
		return w.appendQuotable(dst, w.guarded(v))
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
	return w.appendQuotable(dst, string(nested))
}

// guarded is s as a spreadsheet takes it for a text. A number is none to begin with.
func (w *CSVWriter) guarded(s string) string {
	if !w.Guard || s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return s
	}
	if _, _, isNumber := w.Types.plain(s); isNumber {
		return s
	}
	return "'" + s
}

func (w *CSVWriter) appendQuotable(dst []byte, s string) ([]byte, error) {
	if w.Quote == NoQuote && (strings.ContainsAny(s, "\r\n") || strings.Contains(s, w.delim)) {
		return dst, errors.New("it holds a delimiter or a line break, and nothing quotes it")
	}
	return w.appendCell(dst, s), nil
}

func (w *CSVWriter) appendCell(dst []byte, s string) []byte {
	if w.Quote == NoQuote || !w.needsQuotes(s) {
		return append(dst, s...)
	}
	o := Table{Quote: w.Quote}
	q := o.quote()
	dst = append(dst, q...)
	dst = append(dst, strings.ReplaceAll(s, q, q+q)...)
	return append(dst, q...)
}

// needsQuotes also quotes what readers would trim, and the only cell of a row if
// it is empty, since an empty line is no row for most.
func (w *CSVWriter) needsQuotes(s string) bool {
	if s == "" {
		return len(w.Columns) == 1
	}
	return strings.ContainsAny(s, "\"\r\n") || strings.Contains(s, w.delim) || w.Quote > 0 && strings.ContainsRune(s, w.Quote) ||
		s[0] == ' ' || s[0] == '\t' || s[len(s)-1] == ' ' || s[len(s)-1] == '\t'
}

// unknownField names the first, by name, of the fields that are no columns.
func unknownField(m map[string]any, columns []string) *UnknownFieldError {
	e := &UnknownFieldError{Columns: columns}
	for name := range m {
		if !slices.Contains(columns, name) && (e.Field == "" || name < e.Field) {
			e.Field = name
		}
	}
	return e
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "a string"
	case bool:
		return "a bool"
	}
	return "a number"
}
