package lsp

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/expr"
)

// cursor is a place in a document and what is around it.
type cursor struct {
	*outline
	offset    int
	block     *block
	schema    *config.Schema    // of block; nil: the top level, or a block that is not known
	attribute *attribute        // whose value the place is in, nil if in none
	declared  *config.Attribute // what attribute is, nil if that is not known
	literal   *literal          // the string or heredoc that it is in, nil if in none
	key       bool              // where an object's keys stand
}

// literal is the inside of a string or heredoc.
type literal struct {
	start, end int
	heredoc    bool
	argument   string // of the function of that name
}

// cursorAt looks around at offset.
func (s *Server) cursorAt(content []byte, offset int) *cursor {
	c := &cursor{outline: around(content, offset, s.opening), offset: offset}
	c.block = c.root
	for down := true; down; {
		down = false
		for _, b := range c.block.blocks {
			if b.open <= offset && offset <= b.end {
				c.block, down = b, true
				break
			}
		}
	}
	c.schema = s.schema(c.block)
	for i, a := range c.block.attributes {
		if a.open <= offset && offset <= a.end {
			c.attribute = &c.block.attributes[i]
			c.declared = attributeOf(c.schema, a.name)
			c.findLiteral()
		}
	}
	return c
}

func attributeOf(s *config.Schema, name string) *config.Attribute {
	if s == nil {
		return nil
	}
	return s.Attribute(name)
}

// schema says what may stand in b, nil if that is not known.
func (s *Server) schema(b *block) *config.Schema {
	var path []*block
	for ; b.parent != nil; b = b.parent {
		path = append(path, b)
	}
	var at *config.Schema
	for i := len(path) - 1; i >= 0; i-- {
		at = s.inside(at, path[i])
		if at == nil {
			return nil
		}
	}
	return at
}

// inside is the schema of b in a block of schema outer, nil for the top level.
func (s *Server) inside(outer *config.Schema, b *block) *config.Schema {
	for _, kind := range []string{b.label(0), ""} {
		if outer != nil {
			if found := outer.Find(b.typ, kind); found != nil {
				return found
			}
		}
		if outer == nil || outer.Steps {
			if found := s.language.Block(b.typ, kind); found != nil {
				return found
			}
		}
	}
	return nil
}

// findLiteral follows the tokens of the value up to the place.
func (c *cursor) findLiteral() {
	type bracket struct {
		token int
		key   bool // a key may come next
	}
	var open []bracket
	i := c.attribute.from
	for ; i < c.attribute.upTo && c.tokens[i].Range.Start.Byte < c.offset; i++ {
		t := c.tokens[i]
		if t.Range.End.Byte > c.offset && t.Type != hclsyntax.TokenOHeredoc {
			break
		}
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, bracket{i, t.Type == hclsyntax.TokenOBrace})
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			open = open[:max(0, len(open)-1)]
		case hclsyntax.TokenEqual, hclsyntax.TokenColon:
			if n := len(open); n > 0 {
				open[n-1].key = false
			}
		case hclsyntax.TokenComma, hclsyntax.TokenNewline:
			if quote := slices.IndexFunc(open, func(b bracket) bool { return c.is(b.token, hclsyntax.TokenOQuote) }); quote >= 0 && t.Type == hclsyntax.TokenNewline {
				open = open[:quote] // without an end
			}
			if n := len(open); n > 0 {
				open[n-1].key = c.is(open[n-1].token, hclsyntax.TokenOBrace)
			}
		}
	}
	if len(open) == 0 {
		return
	}
	last := open[len(open)-1]
	c.key = last.key
	switch opener := c.tokens[last.token]; opener.Type {
	case hclsyntax.TokenOQuote:
		c.key = len(open) > 1 && open[len(open)-2].key
		c.literal = &literal{start: opener.Range.End.Byte, end: c.closing(i, false), argument: c.calls(last.token)}
	case hclsyntax.TokenOHeredoc:
		c.literal = &literal{start: opener.Range.End.Byte, end: c.closing(i, true), heredoc: true}
	}
}

// closing is where the literal ends that token i is in.
func (c *cursor) closing(i int, heredoc bool) int {
	depth := 0
	for ; i < c.attribute.upTo; i++ {
		switch t := c.tokens[i]; t.Type {
		case hclsyntax.TokenNewline:
			if !heredoc {
				return max(t.Range.Start.Byte, c.offset)
			}
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth++
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			if depth == 0 {
				return max(t.Range.Start.Byte, c.offset)
			}
			depth--
		}
	}
	return max(c.attribute.end, c.offset)
}

// calls is the function whose argument begins with token i, "" if there is none.
func (c *cursor) calls(i int) string {
	if i >= 2 && c.is(i-1, hclsyntax.TokenOParen) && c.is(i-2, hclsyntax.TokenIdent) {
		return string(c.tokens[i-2].Bytes)
	}
	return ""
}

// expression is what stands before the place in the expression that it is in, which
// may be in a hole of a template. False: it is in none.
func (c *cursor) expression() (before string, ok bool) {
	if c.literal == nil || c.declared == nil || c.key {
		return "", false
	}
	before = string(c.content[c.literal.start:c.offset])
	switch c.declared.Evaluated {
	case "expr":
		return before, true
	case "template":
		return expr.OpenHole(before)
	}
	return "", false
}
