package format

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// AppendXML appends an object as an XML document, the reverse of what Decode
// reads: its one field is the root element; in an element "@name" are attributes,
// "#text" is text, a list repeats its name. Children are sorted by name.
func AppendXML(dst []byte, v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return dst, errors.New("encode XML: the body must be an object with one field, the root element")
	}
	out := append(dst, xml.Header...)
	for name, value := range m {
		if _, list := value.([]any); list {
			return dst, errors.New("encode XML: the root element cannot be a list")
		}
		var err error
		if out, err = appendElement(out, name, value, 0); err != nil {
			return dst, fmt.Errorf("encode XML: %w", err)
		}
	}
	return append(out, '\n'), nil
}

func appendElement(dst []byte, name string, v any, depth int) ([]byte, error) {
	if depth++; depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if !isXMLName(name) {
		return nil, fmt.Errorf("%q cannot be the name of an element", name)
	}
	if list, ok := v.([]any); ok {
		return appendElements(dst, name, list, depth)
	}
	m, ok := v.(map[string]any)
	if !ok {
		m = map[string]any{"#text": v}
	}
	names := slices.Sorted(maps.Keys(m))
	dst = append(append(dst, '<'), name...)
	dst, err := appendAttributes(dst, m, names)
	if err != nil {
		return nil, err
	}
	if dst, err = appendContent(append(dst, '>'), m, names, depth); err != nil {
		return nil, err
	}
	return append(append(append(dst, "</"...), name...), '>'), nil
}

func appendAttributes(dst []byte, m map[string]any, names []string) ([]byte, error) {
	for _, n := range names {
		if !strings.HasPrefix(n, "@") {
			continue
		}
		if !isXMLName(n[1:]) {
			return nil, fmt.Errorf("%q cannot be the name of an attribute", n[1:])
		}
		s, err := Scalar(m[n])
		if err != nil {
			return nil, err
		}
		dst = append(append(append(dst, ' '), n[1:]...), `="`...)
		dst = append(appendXMLText(dst, s), '"')
	}
	return dst, nil
}

// appendContent writes the text, which sorts first, and the children.
func appendContent(dst []byte, m map[string]any, names []string, depth int) ([]byte, error) {
	for _, n := range names {
		var err error
		switch {
		case n == "#text":
			var s string
			if s, err = Scalar(m[n]); err == nil {
				dst = appendXMLText(dst, s)
			}
		case !strings.HasPrefix(n, "@"):
			dst, err = appendElement(dst, n, m[n], depth)
		}
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendElements(dst []byte, name string, list []any, depth int) ([]byte, error) {
	for _, v := range list {
		var err error
		if dst, err = appendElement(dst, name, v, depth); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendXMLText(dst []byte, s string) []byte {
	var buf bytes.Buffer
	xml.EscapeText(&buf, []byte(s)) //nolint:errcheck // a Buffer takes everything
	return append(dst, buf.Bytes()...)
}

// isXMLName is stricter than XML itself, which hardly forbids anything.
func isXMLName(s string) bool {
	for i, r := range s {
		first := unicode.IsLetter(r) || r == '_'
		if !first && (i == 0 || !unicode.IsDigit(r) && !strings.ContainsRune("-.:", r)) {
			return false
		}
	}
	return s != ""
}

// XMLWriter writes records as elements of one name.
type XMLWriter struct {
	// Each is the way to the records from the root, at least two names: "orders/order".
	Each string
}

// Begin opens the elements around the records.
func (w *XMLWriter) Begin(dst []byte) []byte {
	dst = append(dst, xml.Header...)
	around, _ := w.names()
	for _, name := range around {
		dst = append(append(append(dst, '<'), name...), '>')
	}
	return append(dst, '\n')
}

// Append appends an element: an object as AppendXML writes what is in one, or a text.
func (w *XMLWriter) Append(dst []byte, _ int64, record any) ([]byte, error) {
	if _, list := record.([]any); list {
		return dst, errors.New("encode XML: a list is no record")
	}
	_, name := w.names()
	out, err := appendElement(dst, name, record, 1)
	if err != nil {
		return dst, fmt.Errorf("encode XML: %w", err)
	}
	return append(out, '\n'), nil
}

// End closes what Begin opened.
func (w *XMLWriter) End(dst []byte) []byte {
	around, _ := w.names()
	for _, name := range slices.Backward(around) {
		dst = append(append(append(dst, "</"...), name...), '>')
	}
	return append(dst, '\n')
}

func (w *XMLWriter) names() (around []string, each string) {
	names := strings.Split(w.Each, "/")
	return names[:len(names)-1], names[len(names)-1]
}
