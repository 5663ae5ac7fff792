package format

import (
	"encoding/json"
	"strconv"
	"sync"
	"unicode/utf8"
)

// The reader below is our own because no library gives, in one pass, what every
// event needs: UTF-8 and depth checked, whole numbers exact to 64 bits and larger
// ones untouched, and the line and column of a fault. It also takes less than half of
// encoding/json's time (BenchmarkDecodeJSON). The grammar is RFC 8259's; a fuzz
// test holds it to encoding/json.

// CheckJSON tells whether raw is one JSON value in valid UTF-8, nested at most
// 200 deep. The error is a *SyntaxError.
func CheckJSON(raw []byte) error {
	p := jsonReader{raw: raw}
	_, err := p.document()
	return err
}

// DecodeJSON decodes one JSON value. Whole numbers that fit are int64, larger
// ones json.Number; numbers with a fraction or an exponent are float64, or
// json.Number where that overflows. Of equal keys the last wins. Strings may
// share memory with each other. The error is a *SyntaxError.
func DecodeJSON(raw []byte) (any, error) {
	room := rooms.Get().(*[]field)
	p := jsonReader{raw: raw, text: string(raw), keep: true, fields: (*room)[:0]}
	v, err := p.document()
	if cap(p.fields) <= maxRoom {
		clear(p.fields[:cap(p.fields)])
		*room = p.fields[:0]
		rooms.Put(room)
	}
	return v, err
}

// rooms hold the fields of objects that are being read; one that has grown past
// maxRoom is not kept.
var rooms = sync.Pool{New: func() any { f := make([]field, 0, 32); return &f }}

const maxRoom = 256

type jsonReader struct {
	raw   []byte
	text  string // the same; strings are slices of it instead of allocations
	pos   int
	depth int
	keep  bool // false: only check
	// fields of the objects that are open
	fields []field
}

type field struct {
	key   string
	value any
}

func (p *jsonReader) document() (any, error) {
	if err := checkUTF8(p.raw); err != nil {
		return nil, err
	}
	p.space()
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos < len(p.raw) {
		return nil, p.unexpected("the end")
	}
	return v, nil
}

func (p *jsonReader) value() (any, error) {
	if p.pos == len(p.raw) {
		return nil, p.unexpected("a value")
	}
	switch c := p.raw[p.pos]; {
	case c == '"':
		s, err := p.str()
		if err != nil || !p.keep {
			return nil, err
		}
		return s, nil
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case c == 't':
		return true, p.literal("true")
	case c == 'f':
		return false, p.literal("false")
	case c == 'n':
		return nil, p.literal("null")
	}
	return nil, p.unexpected("a value")
}

func (p *jsonReader) object() (any, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	first := len(p.fields)
	if p.peek() == '}' {
		return p.fold(first), p.close()
	}
	for {
		if p.peek() != '"' {
			return nil, p.unexpected("a name in quotes")
		}
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		if p.peek() != ':' {
			return nil, p.unexpected("':' after the name")
		}
		p.pos++
		p.space()
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		if p.keep {
			p.fields = append(p.fields, field{key, v})
		}
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			return p.fold(first), p.close()
		default:
			return nil, p.unexpected("',' or '}'")
		}
	}
}

// fold makes the object of the fields read since first: a map of the right size at once.
func (p *jsonReader) fold(first int) any {
	if !p.keep {
		return nil
	}
	fields := p.fields[first:]
	m := make(map[string]any, len(fields))
	for _, f := range fields {
		m[f.key] = f.value
	}
	p.fields = p.fields[:first]
	return m
}

func (p *jsonReader) array() (any, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	if !p.keep {
		return nil, p.elements(nil)
	}
	list := []any{}
	err := p.elements(&list)
	return list, err
}

// elements reads an array up to its end, into list unless that is nil.
func (p *jsonReader) elements(list *[]any) error {
	if p.peek() == ']' {
		return p.close()
	}
	for {
		p.space()
		v, err := p.value()
		if err != nil {
			return err
		}
		if list != nil {
			*list = append(*list, v)
		}
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			return p.close()
		default:
			return p.unexpected("',' or ']'")
		}
	}
}

func (p *jsonReader) open() error {
	if p.depth++; p.depth > maxDepth {
		return syntaxError(p.raw, p.pos, "nested deeper than %d", maxDepth)
	}
	p.pos++
	return nil
}

func (p *jsonReader) close() error {
	p.depth--
	p.pos++
	return nil
}

// plain holds the bytes that stand for themselves inside a string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

func (p *jsonReader) str() (string, error) {
	start := p.pos + 1
	i := start
	for i < len(p.raw) && plain[p.raw[i]] {
		i++
	}
	if i < len(p.raw) && p.raw[i] == '"' {
		p.pos = i + 1
		if !p.keep {
			return "", nil
		}
		return p.text[start:i], nil
	}
	return p.escaped(start, i)
}

// escaped reads on in a string that began at start and is plain up to i.
func (p *jsonReader) escaped(start, i int) (string, error) {
	var buf []byte
	if p.keep {
		buf = append(buf, p.raw[start:i]...)
	}
	for i < len(p.raw) {
		switch c := p.raw[i]; {
		case c == '"':
			p.pos = i + 1
			return string(buf), nil
		case c == '\\':
			r, n := unescape(p.raw[i:])
			if n == 0 {
				return "", syntaxError(p.raw, i, "not an escape that JSON knows")
			}
			i += n
			if p.keep {
				buf = utf8.AppendRune(buf, r)
			}
		case c < ' ':
			return "", syntaxError(p.raw, i, "control character 0x%02x in a string; write it as \\u%04x", c, c)
		default:
			from := i
			for i < len(p.raw) && plain[p.raw[i]] {
				i++
			}
			if p.keep {
				buf = append(buf, p.raw[from:i]...)
			}
		}
	}
	return "", syntaxError(p.raw, start-1, "this string never ends")
}

// literal expects word.
func (p *jsonReader) literal(word string) error {
	end := p.pos + len(word)
	if end > len(p.raw) || string(p.raw[p.pos:end]) != word {
		return p.unexpected("a value")
	}
	p.pos = end
	return nil
}

func (p *jsonReader) number() (any, error) {
	start := p.pos
	if p.raw[p.pos] == '-' {
		p.pos++
	}
	if p.at('0') {
		p.pos++
	} else if !p.digits() {
		return nil, p.unexpected("a digit")
	}
	whole := true
	if p.at('.') {
		whole = false
		p.pos++
		if !p.digits() {
			return nil, p.unexpected("a digit")
		}
	}
	if p.at('e') || p.at('E') {
		whole = false
		p.pos++
		if p.at('+') || p.at('-') {
			p.pos++
		}
		if !p.digits() {
			return nil, p.unexpected("a digit")
		}
	}
	if !p.keep {
		return nil, nil
	}
	return number(p.text[start:p.pos], whole), nil
}

func number(s string, whole bool) any {
	if whole {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
		return json.Number(s)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f
	}
	return json.Number(s)
}

func (p *jsonReader) at(c byte) bool { return p.pos < len(p.raw) && p.raw[p.pos] == c }

func (p *jsonReader) digits() bool {
	start := p.pos
	for p.pos < len(p.raw) && p.raw[p.pos]-'0' <= 9 {
		p.pos++
	}
	return p.pos > start
}

// space skips white space, peek also tells what follows it, 0 at the end.
func (p *jsonReader) space() {
	for p.pos < len(p.raw) {
		if c := p.raw[p.pos]; c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return
		}
		p.pos++
	}
}

func (p *jsonReader) peek() byte {
	p.space()
	if p.pos == len(p.raw) {
		return 0
	}
	return p.raw[p.pos]
}

func (p *jsonReader) unexpected(wanted string) error {
	if p.pos >= len(p.raw) {
		return syntaxError(p.raw, p.pos, "expected %s, but the text ends here", wanted)
	}
	r, _ := utf8.DecodeRune(p.raw[p.pos:])
	if r == '\ufeff' && p.pos == 0 {
		return syntaxError(p.raw, p.pos, "a byte order mark, which JSON does not allow")
	}
	return syntaxError(p.raw, p.pos, "expected %s, found %q", wanted, r)
}
