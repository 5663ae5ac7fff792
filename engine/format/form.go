package format

import (
	"bytes"
	"net/url"
)

// decodeForm reads application/x-www-form-urlencoded (WHATWG URL, section 5).
func decodeForm(raw []byte, charset string) (any, error) {
	form := map[string]any{}
	for start := 0; start < len(raw); {
		pair := raw[start:]
		if n := bytes.IndexByte(pair, '&'); n >= 0 {
			pair = pair[:n]
		}
		if len(pair) > 0 {
			name, value, _ := bytes.Cut(pair, []byte("="))
			k, err := formText(raw, start, name, charset)
			if err != nil {
				return nil, err
			}
			v, err := formText(raw, start+len(name)+1, value, charset)
			if err != nil {
				return nil, err
			}
			add(form, k, v)
		}
		start += len(pair) + 1
	}
	return form, nil
}

func formText(raw []byte, offset int, part []byte, charset string) (string, error) {
	s, err := url.QueryUnescape(string(part))
	if err != nil {
		return "", syntaxError(raw, offset, "%s", err)
	}
	text, err := toUTF8([]byte(s), charset)
	if _, broken := err.(*SyntaxError); broken {
		return "", syntaxError(raw, offset, "not valid UTF-8 once its escapes are decoded")
	}
	return string(text), err
}

// add sets m[key]; a key that comes again turns into a list.
func add(m map[string]any, key string, v any) {
	switch old := m[key].(type) {
	case nil:
		m[key] = v
	case []any:
		m[key] = append(old, v)
	default:
		m[key] = []any{old, v}
	}
}
