package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// brace is a { that is open.
type brace struct {
	at     hcl.Range
	line   int
	indent int // of its line
}

// unclosed is about a block that nothing closes. Which one of several lacks its
// brace only the indentation tells.
func (f *file) unclosed(at *spot) wording {
	b, found := f.culprit(at.start)
	if !found {
		b = f.braceAt(at.start)
	}
	at.start, at.end = f.headOf(b)
	name := at.source()
	return wording{"block without an end", fmt.Sprintf("No } closes %s. It belongs on a line of its own, below the block's content and in line with its beginning.", name)}
}

func (f *file) braceAt(offset int) brace {
	p := f.pos(offset)
	return brace{at: hcl.Range{Start: hcl.Pos{Byte: offset}}, line: p.Line}
}

// headOf is the stretch of a line in front of its last brace.
func (f *file) headOf(b brace) (start, end int) {
	begin := f.lines[b.line-1]
	head := string(f.text[begin:max(begin, b.at.Start.Byte)])
	trimmed := strings.TrimSpace(head)
	if trimmed == "" {
		return b.at.Start.Byte, b.at.Start.Byte + 1
	}
	start = begin + strings.Index(head, trimmed)
	return start, start + len(trimmed)
}

// culprit finds the block that most likely lacks its brace, of the one whose
// missing end was noticed, opened at or behind offset: the first one whose
// closing brace stands further left than its beginning, else the innermost that is open.
func (f *file) culprit(offset int) (brace, bool) {
	from := f.lines[f.pos(offset).Line-1]
	end := len(f.text)
	if next := f.nextBlock(offset); next >= 0 {
		end = next
	}
	all, _ := hclsyntax.LexConfig(f.text[from:end], "", hcl.Pos{Line: f.pos(from).Line, Column: 1, Byte: from})
	var open []brace
	line := 0
	for _, t := range all {
		first := t.Range.Start.Line != line
		line = t.Range.Start.Line
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenTemplateInterp:
			open = append(open, brace{t.Range, line, f.indent(line)})
		case hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd:
			if len(open) == 0 {
				return brace{}, false
			}
			last := open[len(open)-1]
			if first && f.indent(line) < last.indent {
				return last, true
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return brace{}, false
	}
	return open[len(open)-1], true
}

// indent counts the blanks that line n begins with, a tab as eight.
func (f *file) indent(n int) int {
	width := 0
	for _, c := range f.line(n) {
		switch c {
		case ' ':
			width++
		case '\t':
			width += 8
		default:
			return width
		}
	}
	return width
}
