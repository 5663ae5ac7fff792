package format

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// CharsetError says that a charset is unknown, or not allowed for its type.
type CharsetError struct {
	Name string
	Msg  string
}

func (e *CharsetError) Error() string { return fmt.Sprintf("charset %q: %s", e.Name, e.Msg) }

func isUTF8(charset string) bool {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return true
	}
	return false
}

// wantUTF8 refuses every other charset: RFC 8259 allows JSON no other.
func wantUTF8(charset string) error {
	if isUTF8(charset) {
		return nil
	}
	return &CharsetError{Name: charset, Msg: "JSON must be UTF-8"}
}

// toUTF8 gives raw as UTF-8, without a byte order mark. Names are those of the
// WHATWG Encoding Standard: "iso-8859-1", "windows-1252", "shift_jis" …
func toUTF8(raw []byte, charset string) ([]byte, error) {
	if isUTF8(charset) {
		if err := checkUTF8(raw); err != nil {
			return nil, err
		}
		if len(raw) >= 3 && string(raw[:3]) == "\ufeff" {
			raw = raw[3:]
		}
		return raw, nil
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, &CharsetError{Name: charset, Msg: "unknown"}
	}
	text, err := enc.NewDecoder().Bytes(raw)
	if err != nil {
		return nil, &CharsetError{Name: charset, Msg: err.Error()}
	}
	return text, nil
}

// Alone makes a document in UTF-8 of the Raw of a RecordError, which has been decoded
// if it is UTF-8, and else is written as encoding says. Its mark keeps what the record
// begins with from being taken for one. Errors: *CharsetError.
func Alone(raw []byte, encoding string) ([]byte, error) {
	if !utf8.Valid(raw) && !isUTF8(encoding) {
		var err error
		if raw, err = toUTF8(raw, encoding); err != nil {
			return nil, err
		}
	}
	return append([]byte("\ufeff"), raw...), nil
}
