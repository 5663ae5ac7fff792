package records

import (
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// Validate checks what the tags cannot say.
func (t *Typed) Validate(p *component.Problems) {
	for _, name := range slices.Sorted(maps.Keys(t.Types)) {
		if err := format.CheckType(t.Types[name]); err != nil {
			p.Error("types", fmt.Sprintf("what is the type of %q?", name), sentence(err))
		}
	}
	if !isOne(t.Decimal) {
		p.Error("decimal", "not a decimal separator", `It must be one character, "." or ",".`)
	}
	if t.Thousands != "" && (!isOne(t.Thousands) || t.Thousands == t.Decimal) {
		p.Error("thousands", "not a separator of groups", "It must be one character, and another than decimal.")
	}
	if _, err := time.LoadLocation(t.Timezone); err != nil {
		p.Error("timezone", "unknown time zone", `Write its name in the IANA database, such as "Europe/Berlin".`)
	}
	checkEncoding(p, t.Encoding)
}

func checkEncoding(p *component.Problems, name string) {
	if _, err := htmlindex.Get(name); err != nil {
		p.Error("encoding", "unknown encoding", `Write it as the WHATWG Encoding Standard does: "utf-8", "windows-1252", "iso-8859-15", "utf-16le", "shift_jis" …`)
	}
}

// isOne tells whether s is one character that may separate.
func isOne(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && n == len(s) && r != '\n' && r != '\r' && r != 0 && r != utf8.RuneError
}

func unique(p *component.Problems, columns []string) {
	for i, name := range columns {
		if slices.Contains(columns[:i], name) {
			p.Error("columns", "column given twice", fmt.Sprintf("There can be one column called %q; rename the other.", name))
			return
		}
	}
}

// sentence makes a detail of an error.
func sentence(err error) string {
	r, n := utf8.DecodeRuneInString(err.Error())
	return string(upper(r)) + err.Error()[n:] + "."
}

func upper(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}
