package format

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// AppendForm appends an object as application/x-www-form-urlencoded, names
// sorted. A list repeats its name, nil is empty, what is nested deeper is JSON.
func AppendForm(dst []byte, v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return dst, fmt.Errorf("encode form: the body is %s, not an object", typeName(v))
	}
	out, start := dst, len(dst)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		values, ok := m[name].([]any)
		if !ok {
			values = []any{m[name]}
		}
		for _, value := range values {
			s, err := Scalar(value)
			if err != nil {
				return dst, fmt.Errorf("encode form field %q: %w", name, err)
			}
			if len(out) > start {
				out = append(out, '&')
			}
			out = append(out, url.QueryEscape(name)...)
			out = append(out, '=')
			out = append(out, url.QueryEscape(s)...)
		}
	}
	return out, nil
}

// Scalar is v as plain text: a string as it is, nil as nothing, anything else as JSON.
func Scalar(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	}
	b, err := AppendJSON(nil, v)
	return string(b), err
}
