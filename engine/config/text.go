package config

import (
	"bytes"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/expr"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"
)

// text is what a string or heredoc of a file stands for, with the way back from
// each of its bytes to the file.
type text struct {
	strings.Builder
	pieces  []piece
	secrets []string // parts of it that must not show
}

// piece is a run of text whose bytes stand in the file one after the other;
// those of a fixed piece all stand at its beginning.
type piece struct {
	text  int // offset in the text
	file  int // offset in the file
	fixed bool
}

func (t *text) add(s string, at int) {
	t.pieces = append(t.pieces, piece{text: t.Len(), file: at})
	t.WriteString(s)
}

// fill adds what does not stand in the file in these words.
func (t *text) fill(s string, at int) {
	t.pieces = append(t.pieces, piece{text: t.Len(), file: at, fixed: true})
	t.WriteString(s)
}

// fileOffset is where the byte at offset stands.
func (t *text) fileOffset(offset int) int {
	i := sort.Search(len(t.pieces), func(i int) bool { return t.pieces[i].text > offset }) - 1
	if i < 0 {
		return 0
	}
	if t.pieces[i].fixed {
		return t.pieces[i].file
	}
	return t.pieces[i].file + offset - t.pieces[i].text
}

// source is the text as package expr wants it. What it keeps is small: places of
// pieces, not the file.
func (t *text) source(f *file) expr.Source {
	s := t.String()
	starts := make([]expr.Position, len(t.pieces))
	for i, p := range t.pieces {
		at := f.pos(p.file)
		starts[i] = expr.Position{File: f.name, Line: at.Line, Column: at.Column}
	}
	pieces := t.pieces
	return expr.Source{Text: s, Secrets: t.secrets, Locate: func(offset int) expr.Position {
		return locate(s, pieces, starts, offset)
	}}
}

func locate(s string, pieces []piece, starts []expr.Position, offset int) expr.Position {
	offset = min(max(offset, 0), len(s))
	i := sort.Search(len(pieces), func(i int) bool { return pieces[i].text > offset }) - 1
	if i < 0 {
		return expr.Position{}
	}
	at := starts[i]
	if !pieces[i].fixed {
		at.Column += utf8.RuneCountInString(s[pieces[i].text:offset])
	}
	return at
}

// literal reads the string or heredoc that stands at rng; value is what HCL made
// of it. Where the two disagree, the places within the text are not known and
// all of it is said to stand at its beginning.
func (f *file) literal(rng hcl.Range, value string) *text {
	raw := f.text[rng.Start.Byte:rng.End.Byte]
	t := &text{}
	switch {
	case len(raw) >= 2 && raw[0] == '"':
		t.unquote(raw[1:len(raw)-1], rng.Start.Byte+1, true)
		t.pieces = append(t.pieces, piece{text: t.Len(), file: rng.End.Byte - 1})
	case bytes.HasPrefix(raw, []byte("<<")):
		t.heredoc(raw, rng.Start.Byte)
	}
	if s := t.String(); s != value && norm.NFC.String(s) != value {
		t = &text{}
		t.fill(value, rng.Start.Byte)
	}
	return t
}

// part reads a stretch of a string with interpolations.
func (f *file) part(rng hcl.Range, value string, quoted bool) *text {
	t := &text{}
	t.unquote(f.text[rng.Start.Byte:rng.End.Byte], rng.Start.Byte, quoted)
	if s := t.String(); s != value && norm.NFC.String(s) != value {
		t = &text{}
		t.fill(value, rng.Start.Byte)
	}
	return t
}

// unquote adds raw with its escapes undone: in a quoted string those with a
// backslash, everywhere $${ and %%{.
func (t *text) unquote(raw []byte, at int, quoted bool) {
	from := 0
	flush := func(to int) {
		if to > from {
			t.add(string(raw[from:to]), at+from)
		}
	}
	for i := 0; i < len(raw); {
		s, n := unescape(raw[i:], quoted)
		if n == 0 {
			i++
			continue
		}
		flush(i)
		t.fill(s, at+i)
		i += n
		from = i
	}
	flush(len(raw))
}

// unescape gives what the escape at the beginning of raw stands for and its
// length; 0: there is none.
func unescape(raw []byte, quoted bool) (string, int) {
	switch {
	case len(raw) >= 3 && (raw[0] == '$' || raw[0] == '%') && raw[1] == raw[0] && raw[2] == '{':
		return string(raw[0]) + "{", 3
	case !quoted || raw[0] != '\\' || len(raw) < 2:
		return "", 0
	}
	switch raw[1] {
	case 'n':
		return "\n", 2
	case 'r':
		return "\r", 2
	case 't':
		return "\t", 2
	case 'u':
		return codePoint(raw, 6)
	case 'U':
		return codePoint(raw, 10)
	}
	return string(raw[1]), 2
}

func codePoint(raw []byte, n int) (string, int) {
	if len(raw) < n {
		return "", 0
	}
	r, err := strconv.ParseUint(string(raw[2:n]), 16, 32)
	if err != nil {
		return "", 0
	}
	return string(rune(r)), n
}

// heredoc adds the lines between <<MARK or <<-MARK and MARK.
func (t *text) heredoc(raw []byte, at int) {
	lines := bytes.SplitAfter(raw, []byte("\n"))
	if len(lines) < 2 {
		return
	}
	first := lines[0]
	at += len(first)
	lines = lines[1 : len(lines)-1] // without the closing mark
	indent := 0
	if bytes.HasPrefix(first, []byte("<<-")) {
		indent = commonIndent(lines)
	}
	for _, line := range lines {
		skip := 0
		if !blank(line) {
			skip = skipRunes(line, indent)
		}
		t.unquote(line[skip:], at+skip, false)
		at += len(line)
	}
	t.pieces = append(t.pieces, piece{text: t.Len(), file: at})
}

func blank(line []byte) bool {
	return len(bytes.TrimLeftFunc(line, unicode.IsSpace)) == 0
}

// commonIndent counts the characters of space that all lines but blank ones begin with.
func commonIndent(lines [][]byte) int {
	least := -1
	for _, line := range lines {
		if blank(line) {
			continue
		}
		space := line[:len(line)-len(bytes.TrimLeftFunc(line, unicode.IsSpace))]
		if n := utf8.RuneCount(space); least < 0 || n < least {
			least = n
		}
	}
	return max(least, 0)
}

func skipRunes(line []byte, n int) int {
	at := 0
	for ; n > 0 && at < len(line); n-- {
		_, size := utf8.DecodeRune(line[at:])
		at += size
	}
	return at
}

// isLiteral tells whether a string holds no ${} and no %{}, and gives what it stands for.
func isLiteral(e *hclsyntax.TemplateExpr) (string, bool) {
	var b strings.Builder
	for _, part := range e.Parts {
		s, ok := literalPart(part)
		if !ok {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

// literalPart tells text from what stands in ${}: HCL parses "${5}" to a literal too,
// but only text to a literal string.
func literalPart(e hclsyntax.Expression) (string, bool) {
	lit, ok := e.(*hclsyntax.LiteralValueExpr)
	if !ok || lit.Val.IsNull() || lit.Val.Type() != cty.String {
		return "", false
	}
	return lit.Val.AsString(), true
}
