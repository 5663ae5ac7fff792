package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Types says which columns are more than text, and how that is written down.
type Types struct {
	Columns   map[string]string // a column's name to "text", "number", "bool" or "time:LAYOUT", a layout as in package time
	Decimal   rune              // between whole and fraction; 0: '.'
	Thousands rune              // between groups of three digits; 0: none
	Zone      *time.Location    // of times that do not tell; nil: UTC
}

// cellType turns the text of a cell into its value, and back.
type cellType struct {
	kind   string // "" is text
	layout string
	types  *Types
}

// CheckType tells whether text is a type: text, number, bool, time:LAYOUT.
func CheckType(text string) error {
	kind, layout, isTime := strings.Cut(text, ":")
	switch {
	case kind == "time" && isTime && layout != "":
		if stamp := time.Date(2026, 11, 22, 13, 44, 55, 0, time.UTC); stamp.Format(layout) == layout {
			return fmt.Errorf("%q is no layout: write how 2 January 2006, 15:04:05 would look, as in 02/01/2006", layout)
		}
		return nil
	case kind == "time":
		return errors.New("a time needs its layout, as in time:02/01/2006")
	case !isTime && (kind == "text" || kind == "number" || kind == "bool"):
		return nil
	}
	return fmt.Errorf("%q is no type: there are text, number, bool and time:LAYOUT", text)
}

// of gives the types of columns, nil if all are text, and the first by name that
// is not among them.
func (t *Types) of(names []string) (kinds []cellType, missing string) {
	if len(t.Columns) == 0 {
		return nil, ""
	}
	kinds = make([]cellType, len(names))
	found := 0
	for i, name := range names {
		text, ok := t.Columns[name]
		if !ok {
			continue
		}
		found++
		kinds[i].types = t
		if kinds[i].kind, kinds[i].layout, _ = strings.Cut(text, ":"); kinds[i].kind == "text" {
			kinds[i].kind = ""
		}
	}
	if found < len(t.Columns) {
		missing = t.missing(names)
	}
	return kinds, missing
}

func (t *Types) missing(names []string) string {
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	first := ""
	for name := range t.Columns {
		if !there[name] && (first == "" || name < first) {
			first = name
		}
	}
	return first
}

// read gives the value of a cell; an empty one that is not text is nil.
func (c *cellType) read(s string) (any, error) {
	if c.kind == "" {
		return s, nil
	}
	trimmed := strings.TrimSpace(s)
	if trimmed == "" {
		return nil, nil
	}
	switch c.kind {
	case "number":
		return c.types.number(trimmed)
	case "bool":
		return readBool(trimmed)
	}
	t, err := time.ParseInLocation(c.layout, trimmed, c.zone())
	if err != nil {
		return nil, fmt.Errorf("%q is not a time like %s", shown(s), c.layout)
	}
	return t.Format(time.RFC3339Nano), nil
}

func readBool(s string) (any, error) {
	switch strings.ToLower(s) {
	case "true", "t", "yes", "y", "1":
		return true, nil
	case "false", "f", "no", "n", "0":
		return false, nil
	}
	return nil, fmt.Errorf("%q is neither true nor false (true, t, yes, y, 1; false, f, no, n, 0)", shown(s))
}

// number reads a decimal number: an int64 where it is whole and fits, a float64
// where it has a fraction or an exponent, else its text.
func (t *Types) number(s string) (any, error) {
	plain, whole, ok := t.plain(s)
	if !ok {
		return nil, t.notNumber(s)
	}
	if whole {
		if n, err := strconv.ParseInt(plain, 10, 64); err == nil {
			return n, nil
		}
		return plain, nil
	}
	if f, err := strconv.ParseFloat(plain, 64); err == nil {
		return f, nil
	}
	return plain, nil
}

func (t *Types) notNumber(s string) error {
	if t.Decimal == 0 && strings.Contains(s, ",") {
		return fmt.Errorf(`%q is not a number; for a decimal comma set decimal = ",", for groups of digits thousands`, shown(s))
	}
	return fmt.Errorf("%q is not a number", shown(s))
}

func shown(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// plain writes a number with a point and without groups; false: s is none.
func (t *Types) plain(s string) (plain string, whole, ok bool) {
	decimal := t.Decimal
	if decimal == 0 {
		decimal = '.'
	}
	mantissa, exponent := s, ""
	if n := strings.IndexAny(s, "eE"); n >= 0 {
		mantissa, exponent = s[:n], s[n:]
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") || strings.HasPrefix(mantissa, "+") {
		sign, mantissa = strings.TrimPrefix(mantissa[:1], "+"), mantissa[1:]
	}
	digits, fraction, cut := strings.Cut(mantissa, string(decimal))
	if digits, ok = t.ungroup(digits); !ok || !isDigits(digits+fraction) || digits+fraction == "" || !isExponent(exponent) {
		return "", false, false
	}
	if !cut && exponent == "" {
		return sign + digits, true, true
	}
	if digits == "" {
		digits = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + digits + fraction + exponent, false, true
}

// ungroup takes the separators out of 1.234.567; each group but the first must have
// three digits.
func (t *Types) ungroup(s string) (string, bool) {
	if t.Thousands == 0 || !strings.ContainsRune(s, t.Thousands) {
		return s, true
	}
	groups := strings.Split(s, string(t.Thousands))
	for i, g := range groups {
		if len(g) > 3 || len(g) == 0 || i > 0 && len(g) != 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

func isExponent(s string) bool {
	if s == "" {
		return true
	}
	digits := strings.TrimLeft(s[1:], "+-")
	return len(s)-len(digits) <= 2 && digits != "" && isDigits(digits)
}

// write gives the text of a value in a column of this type; false: it is written
// as one without a type is.
func (c *cellType) write(v any, decimal rune) (string, bool, error) {
	if v == nil {
		return "", false, nil
	}
	switch c.kind {
	case "time":
		return c.writeTime(v)
	case "number":
		if s, ok := v.(string); ok {
			if _, _, isNumber := (&Types{}).plain(s); !isNumber {
				return "", false, fmt.Errorf("%q is not a number", shown(s))
			}
			v = json.Number(s)
		}
	case "bool":
		if _, ok := v.(bool); !ok {
			return "", false, fmt.Errorf("%s is not true or false", typeName(v))
		}
	}
	switch v.(type) {
	case float64, json.Number:
		text, err := Scalar(v)
		if decimal != 0 {
			text = strings.Replace(text, ".", string(decimal), 1)
		}
		return text, true, err
	}
	return "", false, nil
}

func (c *cellType) writeTime(v any) (string, bool, error) {
	t, ok := v.(time.Time)
	if s, isText := v.(string); isText {
		var err error
		t, err = time.Parse(time.RFC3339Nano, s)
		if ok = err == nil; !ok {
			if t, err = time.ParseInLocation(time.DateOnly, s, c.zone()); err == nil {
				ok = true
			}
		}
	}
	if !ok {
		return "", false, errors.New(`it is no time as RFC 3339 writes it, "2026-01-02T15:04:05Z"`)
	}
	return t.In(c.zone()).Format(c.layout), true, nil
}

func (c *cellType) zone() *time.Location {
	if c.types.Zone == nil {
		return time.UTC
	}
	return c.types.Zone
}
