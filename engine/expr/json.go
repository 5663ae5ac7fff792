package expr

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// toJSON writes v compactly, keys sorted, <>& as they are. It is written here
// because the budget has to be asked while the text grows: what shares structure
// can be exponentially larger as text than in memory.
func (m *machine) toJSON(v any, at span) string {
	text := m.appendJSON(nil, v, at, 0)
	m.take(len(text), at)
	return string(text)
}

// quotedSize is the most that appendQuoted writes.
func quotedSize(s string) int {
	size := len(s) + 2
	valid := utf8.ValidString(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '"', c == '\\', c >= utf8.RuneSelf && !valid:
			size += 5
		case c == 0xe2: // may start U+2028
			size += 3
		}
	}
	return size
}

func (m *machine) appendJSON(dst []byte, v any, at span, depth int) []byte {
	m.step(1, at)
	switch v := v.(type) {
	case []any:
		m.deeper(depth, at)
		dst = append(m.room(dst, 1, at), '[')
		for i, e := range v {
			if i > 0 {
				dst = append(m.room(dst, 1, at), ',')
			}
			dst = m.appendJSON(dst, e, at, depth+1)
		}
		return append(m.room(dst, 1, at), ']')
	case map[string]any:
		m.deeper(depth, at)
		m.sorting(len(v), at)
		dst = append(m.room(dst, 1, at), '{')
		for i, k := range sortedKeys(v) {
			if i > 0 {
				dst = append(m.room(dst, 1, at), ',')
			}
			dst = append(appendQuoted(m.room(dst, quotedSize(k)+1, at), k), ':')
			dst = m.appendJSON(dst, v[k], at, depth+1)
		}
		return append(m.room(dst, 1, at), '}')
	case string:
		m.step(len(v)/16, at)
		return appendQuoted(m.room(dst, quotedSize(v), at), v)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			m.fail(at, "", "a number %s", notFinite)
		}
	}
	if n, ok := v.(json.Number); ok {
		dst = m.room(dst, len(n), at)
	}
	return appendScalar(m.room(dst, 48, at), v)
}

// appendScalar writes what is neither text nor a list nor an object.
func appendScalar(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return appendFloat(dst, v)
	case json.Number:
		return append(dst, v...)
	case time.Time:
		return append(v.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
	}
	return appendQuoted(dst, fmt.Sprint(v))
}

// appendFloat writes a float64 as encoding/json and JavaScript do.
func appendFloat(dst []byte, f float64) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	// 1e-09 is written 1e-9.
	if n := len(dst); format == 'e' && n-start >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendQuoted writes a JSON string as encoding/json does without HTML escaping.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = appendEscape(append(dst, s[start:i]...), c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[start:i]...), `\u202`...)
			dst = append(dst, hexDigits[r&0xf])
			start = i + size
		}
		i += size
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// jsonReader reads JSON under the machine's budget. Whole numbers become int64
// or, beyond it, json.Number; fractions float64; of equal keys the last wins.
type jsonReader struct {
	m   *machine
	n   *callNode
	dec *json.Decoder
}

// maxNesting is the depth that bodies, and JSON and XML inside them, may have.
const maxNesting = 200

func fromJSON(m *machine, n *callNode, a []any) any {
	s := a[0].(string)
	m.step(len(s)/8, n.at)
	m.take(1024, n.at)
	r := &jsonReader{m: m, n: n, dec: json.NewDecoder(strings.NewReader(s))}
	r.dec.UseNumber()
	v := r.value(r.token(), 0)
	if _, err := r.dec.Token(); err != io.EOF {
		n.fail(m, "there is more than one value in %s", m.quote(n.ats[0]))
	}
	return v
}

func (r *jsonReader) token() json.Token {
	t, err := r.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		r.n.fail(r.m, "%s is not JSON: at byte %d: %v", r.m.quote(r.n.ats[0]), r.dec.InputOffset(), err)
	}
	r.m.step(4, r.n.at)
	return t
}

func (r *jsonReader) value(t json.Token, depth int) any {
	if depth > maxNesting {
		r.n.fail(r.m, "the JSON nests deeper than %d levels", maxNesting)
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return r.list(depth)
		}
		return r.object(depth)
	case string:
		r.m.take(2*len(t), r.n.at)
		return t
	case json.Number:
		return readNumber(string(t))
	}
	return t
}

func (r *jsonReader) list(depth int) any {
	list := []any{}
	for r.dec.More() {
		list = r.m.push(list, r.value(r.token(), depth+1), r.n.at)
	}
	r.token()
	return list
}

func (r *jsonReader) object(depth int) any {
	o := r.m.newObject(0, r.n.at)
	for r.dec.More() {
		key := r.token().(string)
		r.m.take(pairWeight+2*len(key), r.n.at)
		o[key] = r.value(r.token(), depth+1)
	}
	r.token()
	return o
}

func readNumber(s string) any {
	if !strings.ContainsAny(s, ".eE") {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return i
		}
		return json.Number(s)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return json.Number(s)
	}
	return f
}
