package format

import (
	"fmt"
	"unicode/utf8"
)

// SyntaxError says where a text breaks its format.
type SyntaxError struct {
	Offset       int // bytes before the fault
	Line, Column int // from 1; columns in characters, 0: not known
	Msg          string
}

func (e *SyntaxError) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("line %d: %s", e.Line, e.Msg)
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// syntaxError works out line and column of the fault at offset.
func syntaxError(raw []byte, offset int, format string, args ...any) *SyntaxError {
	offset = min(offset, len(raw))
	e := &SyntaxError{Offset: offset, Line: 1, Msg: fmt.Sprintf(format, args...)}
	start := 0
	for i, c := range raw[:offset] {
		if c == '\n' {
			e.Line, start = e.Line+1, i+1
		}
	}
	e.Column = utf8.RuneCount(raw[start:offset]) + 1
	return e
}

// checkUTF8 gives the place of the first byte that is not UTF-8.
func checkUTF8(raw []byte) error {
	if utf8.Valid(raw) {
		return nil
	}
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n == 1 {
			return syntaxError(raw, i, "byte 0x%02x is not valid UTF-8", raw[i])
		}
		i += n
	}
	return nil
}
