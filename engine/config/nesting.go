package config

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxNesting bounds how deep HCL's parser, which recurses, may go in one
// expression: a stack that overflows cannot be caught.
const maxNesting = 2000

// tooDeep tells whether an expression of src goes deeper than maxNesting, and where.
func tooDeep(src []byte) (at hcl.Pos, deep bool) {
	if !suspicious(src) {
		return at, false
	}
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	var d depth
	d.push(hclsyntax.TokenNil)
	for _, t := range tokens {
		d.take(t.Type)
		if d.total > maxNesting {
			return t.Range.Start, true
		}
	}
	return at, false
}

// suspicious is the cheap test: ordinary files do not have enough operators.
func suspicious(src []byte) bool {
	n := 0
	for _, c := range []byte(`([{<!?-+*/%&|=>`) {
		n += bytes.Count(src, []byte{c})
	}
	return n > maxNesting
}

// depth follows the tokens of a file. Each open bracket has a frame that counts
// the operators of the expression being read in it.
type depth struct {
	frames []frame
	total  int
}

type frame struct {
	open      hclsyntax.TokenType
	operators int
}

func (d *depth) push(open hclsyntax.TokenType) {
	d.frames = append(d.frames, frame{open: open})
	d.total++
}

func (d *depth) pop() {
	if len(d.frames) > 1 {
		d.reset()
		d.frames = d.frames[:len(d.frames)-1]
		d.total--
	}
}

func (d *depth) top() *frame { return &d.frames[len(d.frames)-1] }

func (d *depth) reset() {
	d.total -= d.top().operators
	d.top().operators = 0
}

func (d *depth) take(t hclsyntax.TokenType) {
	switch t {
	case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp:
		d.push(t)
	case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
		d.pop()
		d.count() // a call or an index may follow on one another
	case hclsyntax.TokenTemplateControl:
		d.count() // if and for nest without brackets
		d.push(t)
	case hclsyntax.TokenComma:
		d.reset()
	case hclsyntax.TokenNewline:
		if open := d.top().open; open == hclsyntax.TokenOBrace || open == hclsyntax.TokenNil {
			d.reset()
		}
	case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenStringLit, hclsyntax.TokenQuotedLit,
		hclsyntax.TokenDot, hclsyntax.TokenComment:
	default:
		d.count()
	}
}

func (d *depth) count() {
	d.top().operators++
	d.total++
}
