package lsp

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/syncd/syncd/engine/config"
)

// outline is what blocks and attributes a stretch of a file has, read from its tokens
// alone, so that text that is being typed has one, too. Offsets are those of the file.
type outline struct {
	content []byte // of the file
	tokens  hclsyntax.Tokens
	root    *block
}

// block is a block; that of the stretch as a whole has no type.
type block struct {
	parent     *block
	typ        string
	labels     []string
	start      int // of its type
	header     int // behind its labels
	open, end  int // behind the { and at the }, or where the text ends
	attributes []attribute
	blocks     []*block
}

// attribute is NAME = VALUE.
type attribute struct {
	name       string
	start      int // of its name
	open, end  int // behind the = and where the value ends
	from, upTo int // tokens of the value
}

func (b *block) label(n int) string {
	if n < len(b.labels) {
		return b.labels[n]
	}
	return ""
}

func (b *block) has(name string) bool {
	for _, a := range b.attributes {
		if a.name == name {
			return true
		}
	}
	return false
}

// opening finds lines that open a block of the top level as everybody writes them:
// without indentation. What is broken above does not reach below them.
func opening(lang *config.Language) *regexp.Regexp {
	var types []string
	for _, b := range lang.Blocks {
		types = append(types, regexp.QuoteMeta(b.Type))
	}
	return regexp.MustCompile(`(?m)^(?:` + strings.Join(types, "|") + `)(?:[ \t]+"[^"\n]*")*[ \t]*\{`)
}

// around is the outline of the block of the top level at offset and of what
// follows it up to the next.
func around(content []byte, offset int, opening *regexp.Regexp) *outline {
	start := 0
	for at := offset; at > 0; {
		line := bytes.LastIndexByte(content[:at], '\n') + 1
		if loc := opening.FindIndex(lineAt(content, line)); loc != nil {
			start = line
			break
		}
		at = line - 1
	}
	end := len(content)
	if next := bytes.IndexByte(content[offset:], '\n'); next >= 0 {
		if loc := opening.FindIndex(content[offset+next+1:]); loc != nil {
			end = offset + next + 1 + loc[0]
		}
	}
	return read(content, start, end)
}

func lineAt(content []byte, start int) []byte {
	if end := bytes.IndexByte(content[start:], '\n'); end >= 0 {
		return content[start : start+end]
	}
	return content[start:]
}

// all are the outlines of the whole content.
func all(content []byte, opening *regexp.Regexp) []*outline {
	var list []*outline
	start := 0
	for _, loc := range opening.FindAllIndex(content, -1) {
		if loc[0] > start {
			list = append(list, read(content, start, loc[0]))
		}
		start = loc[0]
	}
	return append(list, read(content, start, len(content)))
}

// read reads content from start to end.
func read(content []byte, start, end int) *outline {
	o := &outline{content: content, root: &block{start: start, open: start, end: end}}
	o.lex(start, end)
	o.build()
	return o
}

// maxUnclosed bounds how often reading starts anew behind a string without an end.
const maxUnclosed = 50

// lex reads the tokens. HCL's scanner takes all that follows a missing quote for text;
// here a string ends with its line.
func (o *outline) lex(start, end int) {
	for range maxUnclosed {
		tokens, _ := hclsyntax.LexConfig(o.content[start:end], "", hcl.Pos{Byte: start})
		n := unclosed(tokens)
		o.tokens = append(o.tokens, tokens[:n]...)
		if n == len(tokens) {
			return
		}
		at := tokens[n].Range.Start.Byte
		o.tokens = append(o.tokens, hclsyntax.Token{Type: hclsyntax.TokenNewline, Range: hcl.Range{Start: hcl.Pos{Byte: at}, End: hcl.Pos{Byte: at + 1}}})
		start = at + 1
		if start >= end {
			return
		}
	}
}

// unclosed is the line break that a quoted string runs into, or the number of tokens.
func unclosed(tokens hclsyntax.Tokens) int {
	var open []hclsyntax.TokenType
	quoted := 0 // how many of open are strings
	for i, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOQuote:
			quoted++
			open = append(open, t.Type)
		case hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, t.Type)
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			if n := len(open); n > 0 {
				if open[n-1] == hclsyntax.TokenOQuote {
					quoted--
				}
				open = open[:n-1]
			}
		case hclsyntax.TokenQuotedNewline, hclsyntax.TokenNewline:
			if quoted > 0 {
				return i
			}
		}
	}
	return len(tokens)
}

// build makes blocks and attributes of the tokens.
func (o *outline) build() {
	at := o.root
	for i := 0; i < len(o.tokens); {
		t := o.tokens[i]
		switch {
		case t.Type == hclsyntax.TokenCBrace && at.parent != nil:
			at.end = t.Range.Start.Byte
			at = at.parent
			i++
		case t.Type == hclsyntax.TokenIdent && o.is(i+1, hclsyntax.TokenEqual):
			a := attribute{name: string(t.Bytes), start: t.Range.Start.Byte, open: o.tokens[i+1].Range.End.Byte, from: i + 2}
			a.upTo, a.end = o.value(i + 2)
			at.attributes = append(at.attributes, a)
			i = a.upTo
		case t.Type == hclsyntax.TokenIdent:
			var b *block
			b, i = o.block(at, i)
			if b != nil {
				at.blocks = append(at.blocks, b)
				at = b
			}
		default:
			i++
		}
	}
}

func (o *outline) is(i int, typ hclsyntax.TokenType) bool {
	return i < len(o.tokens) && o.tokens[i].Type == typ
}

// block reads a block's header up to its brace; nil: there is none.
func (o *outline) block(parent *block, i int) (b *block, next int) {
	b = &block{parent: parent, typ: string(o.tokens[i].Bytes), start: o.tokens[i].Range.Start.Byte, end: o.root.end}
	b.header = o.tokens[i].Range.End.Byte
	for i++; i < len(o.tokens); i++ {
		switch t := o.tokens[i]; t.Type {
		case hclsyntax.TokenOQuote:
		case hclsyntax.TokenCQuote:
			b.header = t.Range.End.Byte
		case hclsyntax.TokenQuotedLit, hclsyntax.TokenIdent:
			b.labels = append(b.labels, string(t.Bytes))
			b.header = t.Range.End.Byte
		case hclsyntax.TokenOBrace:
			b.open = t.Range.End.Byte
			return b, i + 1
		default:
			return nil, i
		}
	}
	return nil, i
}

// value finds the end of a value whose tokens begin at i: its line's, as long as no
// bracket is open.
func (o *outline) value(i int) (upTo, end int) {
	var open []hclsyntax.TokenType
	for ; i < len(o.tokens); i++ {
		t := o.tokens[i]
		switch t.Type {
		case hclsyntax.TokenNewline:
			if quote := slices.Index(open, hclsyntax.TokenOQuote); quote >= 0 {
				open = open[:quote] // without an end
			}
			if len(open) == 0 || open[len(open)-1] != hclsyntax.TokenOBrace && o.is(i+1, hclsyntax.TokenIdent) && o.is(i+2, hclsyntax.TokenEqual) {
				return i, t.Range.Start.Byte
			}
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, t.Type)
		case hclsyntax.TokenCBrace:
			for len(open) > 0 && open[len(open)-1] != hclsyntax.TokenOBrace {
				open = open[:len(open)-1] // a bracket without an end
			}
			if len(open) == 0 {
				return i, t.Range.Start.Byte
			}
			open = open[:len(open)-1]
		case hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			open = open[:max(0, len(open)-1)]
		}
	}
	return i, o.root.end
}
