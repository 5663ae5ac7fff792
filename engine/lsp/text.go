package lsp

import (
	"slices"
	"unicode/utf8"

	"go.lsp.dev/protocol"
)

// text is a file's content; it tells places as the editor counts them.
type text struct {
	content []byte
	lines   []int // where each line begins
	utf8    bool
}

func newText(content []byte, utf8 bool) *text {
	t := &text{content: content, lines: []int{0}, utf8: utf8}
	for i, c := range content {
		if c == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// line gives line n, counted from 0, without its end, and where it begins.
func (t *text) line(n int) (content []byte, start int) {
	start, end := t.lines[n], len(t.content)
	if n+1 < len(t.lines) {
		end = t.lines[n+1] - 1
	}
	if end > start && t.content[end-1] == '\r' {
		end--
	}
	return t.content[start:end], start
}

// offset is the byte at p, or the nearest there is.
func (t *text) offset(p protocol.Position) int {
	if int(p.Line) >= len(t.lines) {
		return len(t.content)
	}
	line, start := t.line(int(p.Line))
	if t.utf8 {
		return start + min(int(p.Character), len(line))
	}
	at, units := 0, int(p.Character)
	for at < len(line) && units > 0 {
		r, n := utf8.DecodeRune(line[at:])
		at, units = at+n, units-unitsOf(r)
	}
	return start + at
}

// position is the place of the byte at offset.
func (t *text) position(offset int) protocol.Position {
	offset = min(max(offset, 0), len(t.content))
	n, found := slices.BinarySearch(t.lines, offset)
	if !found {
		n--
	}
	before := t.content[t.lines[n]:offset]
	column := len(before)
	if !t.utf8 {
		column = 0
		for _, r := range string(before) {
			column += unitsOf(r)
		}
	}
	return protocol.Position{Line: uint32(n), Character: uint32(column)}
}

func (t *text) span(start, end int) protocol.Range {
	return protocol.Range{Start: t.position(start), End: t.position(end)}
}

// unitsOf is how many units of UTF-16 a character takes.
func unitsOf(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}
