package expr

import (
	"net/url"
	"strings"
)

// Escape says for which place a template's holes are escaped.
type Escape int

// The places that templates are filled into. A hole that yields nil fails everywhere.
const (
	// Text takes everything as it is; lists and objects as JSON.
	Text Escape = iota
	// Path is one segment of a URL's path, percent-encoded. It may not be empty,
	// "." or "..", nor hold a slash, a backslash or NUL. Behind a ? of the literal
	// text a hole is escaped as Query.
	Path
	// Query is a part of a query, percent-encoded: the result must not be encoded again.
	Query
	// Header is a part of a header's value: no control characters, line breaks least of all.
	Header
	// FileName is one element of a file's path, under the same refusals as Path.
	FileName
	// Argument is (a part of) one word of a command; what opens it may not start with "-".
	Argument
	// HTML escapes by html/template's contexts.
	HTML
)

// String names the place for a message.
func (e Escape) String() string {
	switch e {
	case Path:
		return "a URL's path"
	case Query:
		return "a query"
	case Header:
		return "a header"
	case FileName:
		return "a file's name"
	case Argument:
		return "a command's argument"
	case HTML:
		return "a page"
	}
	return "a text"
}

// fits tells what a hole may yield.
func (e Escape) fits() kind {
	if e == Path || e == FileName {
		return kPlain
	}
	return kPlain | kList | kObject
}

// never says why what a hole yields can for no event stand in the place; "": it can.
func (e Escape) never(hole *program, opens bool) string {
	if hole.kind&e.fits() == 0 {
		return hole.kind.String() + " cannot stand in " + e.String()
	}
	if c, ok := hole.root.(constant); ok {
		if s, ok := plainText(c.v); ok {
			if _, refused := e.escape(s, opens); refused != "" {
				return "this yields " + refused + ", which " + e.String() + " may not"
			}
		}
	}
	return ""
}

// escape gives s as it may stand in the place, or what is refused about it.
func (e Escape) escape(s string, opens bool) (escaped, refused string) {
	switch e {
	case Path:
		return url.PathEscape(s), element(s)
	case FileName:
		return s, element(s)
	case Query:
		return percentEncode(s), ""
	case Header:
		return s, control(s)
	case Argument:
		return s, argument(s, opens)
	}
	return s, ""
}

func element(s string) (refused string) {
	switch {
	case s == "":
		return "nothing"
	case s == "." || s == "..":
		return `"` + s + `"`
	case strings.ContainsRune(s, '/'):
		return "a /"
	case strings.ContainsRune(s, '\\'):
		return `a \`
	case strings.ContainsRune(s, 0):
		return "a NUL"
	}
	return ""
}

// control refuses what RFC 9110 (5.5) does not allow in a field's value.
func control(s string) (refused string) {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\r' || c == '\n':
			return "a line break"
		case c < ' ' && c != '\t', c == 0x7f:
			return "a control character"
		}
	}
	return ""
}

func argument(s string, opens bool) (refused string) {
	switch {
	case opens && strings.HasPrefix(s, "-"):
		return "a leading -"
	case strings.ContainsRune(s, 0):
		return "a NUL"
	}
	return ""
}
