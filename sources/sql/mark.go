package sql

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/format"
)

// mark is a value of the cursor's column, in a form that can be kept.
type mark struct {
	value any    // nil: none; int64, float64, json.Number or string
	as    string // what a text stands for: asTime, asDecimal; "": itself
}

const (
	asTime    = "time"
	asDecimal = "decimal"
)

// markOf makes the mark of what the driver has read in a column of type.
func markOf(d conn.Dialect, v any, c *column) (mark, error) {
	switch v := v.(type) {
	case int64:
		return mark{value: v}, nil
	case uint64:
		return mark{value: json.Number(strconv.FormatUint(v, 10))}, nil
	case float32:
		return mark{value: float64(v)}, nil
	case float64:
		return mark{value: v}, nil
	case time.Time:
		return mark{v.UTC().Format(time.RFC3339Nano), asTime}, nil
	case []byte:
		if c.binary {
			break
		}
		return markOf(d, string(v), c)
	case string:
		switch {
		case c.decimal:
			return mark{trimmed(v), asDecimal}, nil
		case d == conn.MySQL:
			return mark{}, component.Permanent(fmt.Errorf("cursor.column %s holds text, of which this database may take different ones for equal: a column of numbers or times is needed", c.name))
		}
		return mark{value: v}, nil
	}
	return mark{}, component.Permanent(fmt.Errorf("cursor.column %s is %s: a column of numbers, times or text is needed", c.name, c.kind))
}

// trimmed writes a decimal in one way.
func trimmed(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// bind is what a statement is given to compare the column with: param is its text, where
// placeholder stands for the value.
func (m mark) bind(d conn.Dialect, placeholder string) (param string, value any) {
	if d != conn.MySQL {
		if n, ok := m.value.(json.Number); ok {
			return placeholder, string(n)
		}
		return placeholder, m.value
	}
	switch v := m.value.(type) {
	case json.Number:
		if n, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return placeholder, n
		}
		return placeholder, string(v)
	case string:
		if m.as == asDecimal { // as a text, it would be compared as a float
			return "CAST(" + placeholder + " AS DECIMAL(65,30))", v
		}
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return placeholder, t
		}
	}
	return placeholder, m.value
}

// before is the mark that lies d before a time. A text that was set by hand is one that
// somebody has thought about.
func (m mark) before(d time.Duration) (mark, error) {
	text, isText := m.value.(string)
	if isText && m.as == "" {
		return m, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return m, component.Permanent(fmt.Errorf("cursor.overlap: %v is no time that one could go back from", m.value))
	}
	return mark{t.Add(-d).Format(time.RFC3339Nano), asTime}, nil
}

// place is how far the source has come: all before is on disk, and of the rows at the
// mark itself those that keyAt lists.
type place struct {
	Value  json.RawMessage `json:"value"`
	As     string          `json:"as,omitempty"`
	Pieces int             `json:"pieces"` // of the list
}

// Keys of the source's state.
const (
	keyCursor = "cursor" // its place
	keyAt     = "at:"    // and a number: digests of rows at the mark, as one text
)

func (m mark) place(pieces int) (place, error) {
	raw, err := format.AppendJSON(nil, m.value)
	return place{raw, m.as, pieces}, err
}

func (p *place) mark() (mark, error) {
	v, err := format.DecodeJSON(bytes.Clone(p.Value))
	return mark{v, p.As}, err
}

// Checkpoint takes a value of the cursor's column: rows of it, and of what is larger,
// are read from now on.
func (s *source) Checkpoint(raw json.RawMessage) ([]component.Put, error) {
	if s.cfg.Cursor == nil {
		return nil, errors.New("it has no cursor: each run reads all rows")
	}
	v, err := format.DecodeJSON(bytes.Clone(raw))
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case nil, bool, []any, map[string]any:
		return nil, errors.New("a cursor is a text or a number")
	}
	p, err := mark{value: v}.place(0)
	return []component.Put{{Key: keyCursor, Value: p}}, err
}
