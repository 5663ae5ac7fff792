package layout

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// line is one line of a file in which nothing but comments spans lines.
type line struct {
	text    []byte // without white space at its end
	tokens  int
	comment bool // nothing else stands on it
	opens   bool // ends with an opening bracket
	closes  bool // begins with a closing one
	before  int  // brackets that are open where it begins
	after   int  // and where it ends
}

func (l line) blank() bool { return len(l.text) == 0 }

// readLines takes text apart; the last line of it ends with a line feed.
func readLines(text []byte) []line {
	texts := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	lines := make([]line, len(texts))
	for i, t := range texts {
		lines[i].text = bytes.TrimRight(t, " \t\r")
	}
	tokens, _ := hclsyntax.LexConfig(text, "", hcl.InitialPos)
	for _, t := range tokens {
		if n := t.Range.Start.Line - 1; n < len(lines) && t.Type != hclsyntax.TokenNewline && t.Type != hclsyntax.TokenEOF {
			lines[n].add(t.Type)
		}
	}
	depth := 0
	for i := range lines {
		lines[i].before = depth
		depth += lines[i].after
		lines[i].after = depth
	}
	return lines
}

// add takes in the next token of the line; after counts its brackets alone yet.
func (l *line) add(t hclsyntax.TokenType) {
	l.tokens++
	l.comment = l.tokens == 1 && t == hclsyntax.TokenComment
	switch t {
	case hclsyntax.TokenComment:
		return
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen:
		l.opens = true
		l.after++
		return
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen:
		l.closes = l.closes || l.tokens == 1
		l.after--
	}
	l.opens = false
}

// spaced gives text the blank lines that it should have: one at most, none within
// brackets at their ends, one around what takes several lines at the top level.
// No white space is left at the ends of lines.
func spaced(text []byte) []byte {
	var out []line
	blank := false
	for _, l := range readLines(text) {
		if l.blank() {
			blank = true
			continue
		}
		if n := len(out); n > 0 && (blank && !out[n-1].opens && !l.closes || endsItem(out[n-1])) {
			out = append(out, line{})
		}
		blank = false
		out = append(out, l)
		if beginsItem(l) {
			out = apart(out)
		}
	}
	var b bytes.Buffer
	for _, l := range out {
		b.Write(l.text)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// beginsItem and endsItem tell of the first and last line of what takes several
// lines at the top level.
func beginsItem(l line) bool { return l.before == 0 && l.after > 0 }
func endsItem(l line) bool   { return l.before > 0 && l.after == 0 }

// apart puts a blank line before the last line and the comments right above it.
func apart(lines []line) []line {
	at := len(lines) - 1
	for at > 0 && lines[at-1].comment {
		at--
	}
	if at == 0 || lines[at-1].blank() {
		return lines
	}
	lines = append(lines, line{})
	copy(lines[at+1:], lines[at:])
	lines[at] = line{}
	return lines
}
