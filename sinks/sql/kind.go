package sql

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/format"
)

// kind is what a column holds, as far as that matters to how a value is handed over.
type kind int

const (
	plain    kind = iota
	document      // JSON
	binary
	local      // a time without a zone
	list  = 16 // PostgreSQL's arrays; with it, the kind of their elements
)

// kindOf judges by the name of the column's type.
func kindOf(d conn.Dialect, name string) kind {
	name = strings.ToLower(name)
	is := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(name, p) {
				return true
			}
		}
		return false
	}
	switch {
	case d == conn.Postgres && strings.HasSuffix(name, "[]"):
		return list | kindOf(d, strings.TrimRight(name, "[]"))
	case d == conn.Postgres && is("timestamp") && strings.HasSuffix(name, "without time zone"), d == conn.MySQL && is("datetime", "timestamp"):
		return local
	case is("json"):
		return document
	case is("bytea", "blob", "tinyblob", "mediumblob", "longblob", "binary", "varbinary"):
		return binary
	}
	return plain
}

// localTime is how databases write a time without a zone; ours are in UTC.
const localTime = "2006-01-02 15:04:05.999999999"

// value is what the driver is given for v: nil, bool, int64, float64, string or []byte.
func (k kind) value(v any) (any, error) {
	switch v.(type) {
	case nil:
		return v, nil
	case bool, int64, float64, string:
		if k == plain {
			return v, nil
		}
	}
	switch v := v.(type) {
	case bool, int64, float64:
		if k == document {
			return encoded(v)
		}
		return v, nil
	case json.Number:
		return v.String(), nil
	case time.Time:
		if k == local {
			return v.UTC().Format(localTime), nil
		}
		return v.Format(time.RFC3339Nano), nil
	case string:
		return k.text(v)
	case []any:
		if k&list != 0 {
			return (k &^ list).array(v)
		}
	}
	return encoded(v)
}

// text: a JSON column takes objects and lists that are JSON already as they are; any
// other text becomes a JSON string.
func (k kind) text(s string) (any, error) {
	switch k {
	case binary:
		return []byte(s), nil
	case local:
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return t.UTC().Format(localTime), nil
		}
	case document:
		if begun := strings.TrimLeft(s, " \t\r\n"); begun == "" || begun[0] != '{' && begun[0] != '[' || !json.Valid([]byte(s)) {
			return encoded(s)
		}
	}
	return s, nil
}

func encoded(v any) (any, error) {
	b, err := format.AppendJSON(nil, v)
	return string(b), err
}

// array is a list as PostgreSQL reads it: {1,"two",NULL}.
func (k kind) array(elements []any) (any, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, e := range elements {
		if i > 0 {
			b.WriteByte(',')
		}
		inner, nested := e.([]any)
		switch {
		case e == nil:
			b.WriteString("NULL")
		case nested && k != document:
			text, err := k.array(inner)
			if err != nil {
				return nil, err
			}
			b.WriteString(text.(string))
		default:
			v, err := k.value(e)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&b, `"%s"`, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(string(asText(nil, v))))
		}
	}
	b.WriteByte('}')
	return b.String(), nil
}

// whole is the size up to which every whole float64 is one number and no other.
const whole = 1 << 53

// asText appends a value (not nil) as PostgreSQL reads it.
func asText(dst []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= whole { // a column of whole numbers takes 5, and not 5.0 or 5e+0
			return strconv.AppendInt(dst, int64(v), 10)
		}
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	case []byte:
		return fmt.Appendf(dst, `\x%x`, v)
	case string:
		return append(dst, v...)
	}
	panic(fmt.Sprintf("a value of type %T", v))
}
