package poll

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/format"
)

// fold is the cursor after v, which came after so far; nil changes nothing. from is
// what the run asks for: the last must not lie before it.
func (c *Cursor) fold(soFar, v, from any) (any, error) {
	v = normal(v)
	switch v.(type) {
	case nil:
		return soFar, nil
	case string, int64, float64, json.Number:
	default:
		return nil, fmt.Errorf("cursor.next yields %s; a cursor is a text, a number or a time", describe(v))
	}
	if c.Keep == "last" {
		if back, ok := order(v, from); ok && back < 0 {
			return nil, fmt.Errorf("the cursor goes backwards, from %s to %s: these records are not in its order; keep = \"max\" takes the largest", show(from), show(v))
		}
		return v, nil
	}
	if soFar == nil {
		return v, nil
	}
	n, ok := order(v, soFar)
	if !ok {
		s, isText := v.(string)
		t, wasText := soFar.(string)
		if !isText || !wasText {
			return nil, fmt.Errorf("the cursor %s cannot be compared with %s", show(v), show(soFar))
		}
		n = strings.Compare(s, t)
	}
	if n > 0 {
		return v, nil
	}
	return soFar, nil
}

// normal makes a time a text.
func normal(v any) any {
	if t, ok := v.(time.Time); ok {
		return t.Format(time.RFC3339Nano)
	}
	return v
}

// order compares two numbers, or two times; text of digits alone is a number. Not ok:
// they are neither.
func order(a, b any) (int, bool) {
	if x, y := number(a), number(b); x != nil && y != nil {
		return x.Cmp(y), true
	}
	s, isText := a.(string)
	t, wasText := b.(string)
	if !isText || !wasText {
		return 0, false
	}
	x, _, ok := parseTime(s)
	y, _, ok2 := parseTime(t)
	return x.Compare(y), ok && ok2
}

func number(v any) *big.Float {
	switch v := v.(type) {
	case int64:
		return new(big.Float).SetInt64(v)
	case float64:
		return big.NewFloat(v)
	case json.Number:
		return whole(string(v))
	case string:
		if isDigits(v) {
			return whole(v)
		}
	}
	return nil
}

func isDigits(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "0123456789") == ""
}

func whole(s string) *big.Float {
	f, _, err := big.ParseFloat(s, 10, 256, big.ToNearestEven)
	if err != nil {
		return nil
	}
	return f
}

// layouts are how APIs write times, without a fraction of seconds.
var layouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05-07:00", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-07:00", "2006-01-02 15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02", time.RFC1123, time.RFC1123Z,
}

// parseTime also gives the layout that writes a time in the same way.
func parseTime(s string) (t time.Time, layout string, ok bool) {
	if len(s) < len("2006-01-02") || len(s) > 64 {
		return time.Time{}, "", false
	}
	for _, layout := range layouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if strings.HasSuffix(layout, "Z07:00") && !strings.HasSuffix(s, "Z") {
			continue // +00:00 is to stay what it is
		}
		if m := fraction.FindString(s); m != "" {
			layout = strings.Replace(layout, ":05", ":05."+strings.Repeat("0", len(m)-1), 1)
		}
		return t, layout, true
	}
	return time.Time{}, "", false
}

var fraction = regexp.MustCompile(`\.[0-9]{1,9}`)

// before is the cursor that lies d before v, written in the same way.
func before(v any, d time.Duration) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		if unit := epochUnit(float64(v)); unit > 0 {
			return v - int64(d/unit), nil
		}
	case float64:
		if unit := epochUnit(v); unit > 0 {
			return v - float64(d)/float64(unit), nil
		}
	case string:
		if t, layout, ok := parseTime(v); ok {
			if t = t.Add(-d); t.Year() < 0 { // there is no earlier time of this form
				return v, nil
			}
			return t.Format(layout), nil
		}
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && strconv.FormatInt(n, 10) == v && epochUnit(float64(n)) > 0 {
			return strconv.FormatInt(n-int64(d/epochUnit(float64(n))), 10), nil
		}
	}
	return nil, fmt.Errorf("the cursor %s is no time that one could go back from", show(v))
}

// epochUnit is what a number counts that is a time since 1970, 0 if it is none: it
// is taken for one from 1973 on.
func epochUnit(n float64) time.Duration {
	switch {
	case n >= 1e17:
		return time.Nanosecond
	case n >= 1e14:
		return time.Microsecond
	case n >= 1e11:
		return time.Millisecond
	case n >= 1e8:
		return time.Second
	}
	return 0
}

// show is v in a message.
func show(v any) string {
	raw, err := format.AppendJSON(nil, v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(raw) > 200 {
		raw = append(raw[:200:200], "…"...)
	}
	return string(raw)
}

// describe says what v is.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return "text"
	case bool:
		return strconv.FormatBool(v)
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a number"
}
