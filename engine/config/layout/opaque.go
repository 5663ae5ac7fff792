package layout

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// piece is a stretch of a file whose inside is not laid out: a quoted string, a
// heredoc, or a /* comment */.
type piece struct {
	start, end int
	stand      string // what is laid out in its place
	comment    bool
}

// pieces finds the outermost pieces of src, in order.
func pieces(src []byte) []piece {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	var found []piece
	var open []hclsyntax.Token
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			open = append(open, t)
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			if len(open) == 1 {
				found = append(found, template(open[0], t))
			}
			open = open[:max(0, len(open)-1)]
		case hclsyntax.TokenComment:
			if len(open) == 0 && bytes.HasPrefix(t.Bytes, []byte("/*")) {
				found = append(found, comment(t))
			}
		}
	}
	return found
}

// template is the piece between two tokens. A string is stood in for by one of the
// same width, so that columns are right when it is back.
func template(from, to hclsyntax.Token) piece {
	p := piece{start: from.Range.Start.Byte, end: to.Range.End.Byte, stand: "<<E\nE"}
	if from.Type == hclsyntax.TokenOQuote {
		width := 0
		if from.Range.Start.Line == to.Range.End.Line {
			width = to.Range.End.Column - from.Range.Start.Column - 2
		}
		p.stand = `"` + strings.Repeat("x", max(0, width)) + `"`
	}
	return p
}

func comment(t hclsyntax.Token) piece {
	p := piece{start: t.Range.Start.Byte, end: t.Range.End.Byte, stand: string(t.Bytes), comment: true}
	if bytes.Contains(t.Bytes, []byte("\n")) {
		p.stand = "/**/"
	}
	return p
}

// standIn puts the stand-ins of src's pieces in their place, with plain line ends
// between them, and gives the pieces' own text.
func standIn(src, newline []byte) (text []byte, opaque [][]byte) {
	last := 0
	for _, p := range pieces(src) {
		text = append(text, plain(src[last:p.start])...)
		text = append(text, p.stand...)
		own := bytes.TrimRight(src[p.start:p.end], " \t\r") // behind the end of a heredoc
		if p.comment {
			own = ended(trailing.ReplaceAll(own, nil), newline)
		}
		opaque = append(opaque, own)
		last = p.end
	}
	return append(text, plain(src[last:])...), opaque
}

// restore puts the pieces back, and the line ends of the file. False: they have no
// place any more, which happens only to texts with mistakes.
func restore(text []byte, opaque [][]byte, newline []byte) ([]byte, bool) {
	var out []byte
	last := 0
	places := pieces(text)
	if len(places) != len(opaque) {
		return nil, false
	}
	for i, p := range places {
		out = append(out, ended(text[last:p.start], newline)...)
		out = append(out, opaque[i]...)
		last = p.end
	}
	return append(out, ended(text[last:], newline)...), true
}

// plain is text whose lines end in a line feed alone, ended is such a text with
// other ends.
func plain(text []byte) []byte          { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }
func ended(text, newline []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), newline) }

// trailing is white space at the end of a line.
var trailing = regexp.MustCompile(`(?m)[ \t\r]+$`)
