package config

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// rewriteLine gives the line around offset, a block with all its content, as it
// is to be written: an argument a line. False: it is not such a line.
func (f *file) rewriteLine(offset int) (string, bool) {
	line := f.line(f.pos(offset).Line)
	tokens, _ := hclsyntax.LexConfig([]byte(line), "", hcl.InitialPos)
	w := lineWriter{src: line}
	for len(tokens) > 0 && tokens[0].Type == hclsyntax.TokenIdent {
		tokens = w.item(tokens, 1)
	}
	if w.broken || !strings.Contains(w.out.String(), "{\n") {
		return "", false
	}
	return strings.TrimRight(w.out.String(), "\n"), true
}

// lineWriter lays the items of a block out over lines.
type lineWriter struct {
	src    string
	out    strings.Builder
	broken bool
}

type tokens = hclsyntax.Tokens

// item writes the argument or block that ts begins with and gives what follows.
func (w *lineWriter) item(ts tokens, level int) tokens {
	head := 0
	for head < len(ts) && ts[head].Type != hclsyntax.TokenEqual && ts[head].Type != hclsyntax.TokenOBrace && !ends(ts[head]) {
		head++
	}
	if head == len(ts) || ends(ts[head]) {
		w.broken = true
		return nil
	}
	if ts[head].Type == hclsyntax.TokenEqual {
		end := argumentEnd(ts, head+1)
		w.line(level, w.text(ts[:head])+" = "+w.text(ts[head+1:end]))
		return skipComma(ts[end:])
	}
	w.line(level, w.text(ts[:head])+" {")
	ts = skipComma(ts[head+1:])
	for len(ts) > 0 && ts[0].Type == hclsyntax.TokenIdent {
		ts = w.item(ts, level+1)
	}
	if len(ts) == 0 || ts[0].Type != hclsyntax.TokenCBrace {
		w.broken = true
		return nil
	}
	w.line(level, "}")
	return skipComma(ts[1:])
}

func (w *lineWriter) line(level int, s string) {
	w.out.WriteString(strings.Repeat("  ", level) + s + "\n")
}

func (w *lineWriter) text(ts tokens) string {
	if len(ts) == 0 {
		w.broken = true
		return ""
	}
	return w.src[ts[0].Range.Start.Byte:ts[len(ts)-1].Range.End.Byte]
}

// argumentEnd finds where the value that begins at ts[from] is over: before the
// closing brace, a comma, or the next argument or block.
func argumentEnd(ts tokens, from int) int {
	depth := 0
	for i := from; i < len(ts); i++ {
		switch t := ts[i]; t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenOQuote, hclsyntax.TokenTemplateInterp:
			depth++
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenCQuote, hclsyntax.TokenTemplateSeqEnd:
			if depth == 0 {
				return i
			}
			depth--
		case hclsyntax.TokenComma:
			if depth == 0 {
				return i
			}
		case hclsyntax.TokenIdent:
			if depth == 0 && i > from && startsItem(ts[i+1:]) && endsValue(ts[i-1]) {
				return i
			}
		}
		if ends(ts[i]) {
			return i
		}
	}
	return len(ts)
}

func startsItem(after tokens) bool {
	if len(after) == 0 {
		return false
	}
	switch after[0].Type {
	case hclsyntax.TokenEqual, hclsyntax.TokenOBrace, hclsyntax.TokenOQuote:
		return true
	}
	return false
}

func endsValue(t hclsyntax.Token) bool {
	switch t.Type {
	case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenCQuote, hclsyntax.TokenIdent, hclsyntax.TokenNumberLit:
		return true
	}
	return false
}

func ends(t hclsyntax.Token) bool {
	return t.Type == hclsyntax.TokenEOF || t.Type == hclsyntax.TokenNewline
}

func skipComma(ts tokens) tokens {
	if len(ts) > 0 && (ts[0].Type == hclsyntax.TokenComma || ts[0].Type == hclsyntax.TokenSemicolon) {
		return ts[1:]
	}
	return ts
}
