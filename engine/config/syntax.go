package config

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const (
	openString = "Invalid multi-line string"
	noEnd      = "Unterminated template string"
	tooNested  = "Expression nested too deeply"
)

// parse reads the syntax of f.
func (f *file) parse() {
	if at, deep := tooDeep(f.text); deep {
		f.body = &hclsyntax.Body{}
		f.faults = hcl.Diagnostics{{Severity: hcl.DiagError, Summary: tooNested, Subject: &hcl.Range{Start: at, End: at},
			Detail: wordings[tooNested].detail}}
		return
	}
	f.body = &hclsyntax.Body{Attributes: hclsyntax.Attributes{}}
	for from, read := 0, 0; from >= 0; {
		read += len(f.text) - from
		from = f.parseFrom(from, read < maxReread)
	}
}

// maxReread bounds how much is read again after mistakes.
const maxReread = 4 << 20

// parseFrom reads what follows the byte at from. HCL's parser understands little
// of what follows a mistake: with restart, reading stops there and goes on at the
// next block of the top level, which is returned; -1 is the end.
func (f *file) parseFrom(from int, restart bool) (next int) {
	parsed, faults := hclsyntax.ParseConfig(f.text[from:], f.path, hcl.Pos{Line: f.pos(from).Line, Column: 1, Byte: from})
	body, _ := parsed.Body.(*hclsyntax.Body)
	next = -1
	if first := firstError(faults); first >= 0 && restart {
		next = f.nextBlock(first)
	}
	if next >= 0 {
		faults = slices.DeleteFunc(faults, func(d *hcl.Diagnostic) bool { return d.Subject != nil && d.Subject.Start.Byte >= next })
		prune(body, next)
	}
	f.faults = append(f.faults, withoutEchoes(faults)...)
	f.body.Blocks = append(f.body.Blocks, body.Blocks...)
	maps.Copy(f.body.Attributes, body.Attributes)
	return next
}

// firstError is where the first error of the file stands, -1 if there is none.
func firstError(faults hcl.Diagnostics) int {
	first := -1
	for _, d := range faults {
		if d.Severity == hcl.DiagError && d.Subject != nil && (first < 0 || d.Subject.Start.Byte < first) {
			first = d.Subject.Start.Byte
		}
	}
	return first
}

// nextBlock is where the first line behind offset begins that opens a block of
// the top level, as everybody writes them: without indentation. -1: there is none.
func (f *file) nextBlock(offset int) int {
	for _, at := range f.lines {
		word := blockWord.Find(f.text[at:min(at+20, len(f.text))])
		if _, ok := blockTypes[string(bytes.TrimSpace(word))]; ok && at > offset {
			return at
		}
	}
	return -1
}

// blockWord is a word that begins a line and that a label or brace follows.
var blockWord = regexp.MustCompile(`^[a-z]+[ \t]`)

// prune takes everything out of body that begins at or behind offset.
func prune(body *hclsyntax.Body, offset int) {
	body.Blocks = slices.DeleteFunc(body.Blocks, func(b *hclsyntax.Block) bool { return b.TypeRange.Start.Byte >= offset })
	maps.DeleteFunc(body.Attributes, func(_ string, a *hclsyntax.Attribute) bool { return a.NameRange.Start.Byte >= offset })
	for _, b := range body.Blocks {
		prune(b.Body, offset)
	}
}

// withoutEchoes keeps one mistake of a line, the one that says most, and leaves out
// what follows from one missing quote, which turns all text behind it inside out.
func withoutEchoes(faults hcl.Diagnostics) hcl.Diagnostics {
	first := map[int]*hcl.Diagnostic{} // by line
	unterminated := false
	for _, d := range faults {
		switch line := lineOf(d); {
		case unterminated && (d.Summary == openString || d.Summary == noEnd):
		case first[line] == nil || telling(d) > telling(first[line]):
			first[line] = d
		}
		unterminated = unterminated || d.Summary == openString
	}
	return slices.DeleteFunc(faults, func(d *hcl.Diagnostic) bool { return first[lineOf(d)] != d })
}

func lineOf(d *hcl.Diagnostic) int {
	if d.Subject == nil {
		return 0
	}
	return d.Subject.Start.Line
}

// telling is how near a message of the parser is to its cause.
func telling(d *hcl.Diagnostic) int {
	switch d.Summary {
	case "Invalid character", "Unsupported operator", "Unclosed template interpolation sequence":
		return 2
	case openString, "Invalid escape sequence", "Invalid character encoding":
		return 1
	}
	return 0
}

func (l *loader) syntaxErrors(f *file) {
	for _, d := range f.faults {
		l.syntaxError(f, d)
	}
}

// damaged tells whether what is said of the thing at offset may be a consequence of
// a mistake in the syntax: in its line, or further up or down in its block of the top
// level. What ends before the first mistake of the block was read as it was meant.
func (f *file) damaged(offset int) bool {
	if len(f.broken) == 0 && len(f.marred) == 0 {
		return false
	}
	if slices.Contains(f.marred, f.pos(offset).Line) {
		return true
	}
	var around *hclsyntax.Block
	from, to := 0, len(f.text)+1
	for _, b := range f.body.Blocks {
		if at := b.TypeRange.Start.Byte; at > offset {
			to = min(to, at)
		} else if at >= from {
			around, from = b, at
		}
	}
	first := to
	for _, at := range f.broken {
		if from <= at {
			first = min(first, at)
		}
	}
	return first < to && (around == nil || !endsBefore(around.Body, offset, f.pos(first).Line))
}

// endsBefore tells whether the attribute or block of body at offset ends above line.
func endsBefore(body *hclsyntax.Body, offset, line int) bool {
	for _, a := range body.Attributes {
		if a.SrcRange.ContainsOffset(offset) {
			return a.SrcRange.End.Line < line
		}
	}
	for _, b := range body.Blocks {
		if hcl.RangeBetween(b.TypeRange, b.CloseBraceRange).ContainsOffset(offset) {
			return b.CloseBraceRange.End.Line < line || endsBefore(b.Body, offset, line)
		}
	}
	return false
}

// mayStand tells whether what is called name may be declared where a file or block
// could not be read for mistakes of its own.
func (l *loader) mayStand(name string) bool {
	return l.misdeclared[name] || slices.ContainsFunc(l.files, func(f *file) bool {
		return len(f.broken) > 0 && bytes.Contains(f.text, []byte(`"`+name+`"`))
	})
}

// syntaxError says in our words what HCL found.
func (l *loader) syntaxError(f *file, d *hcl.Diagnostic) {
	at := spot{file: f}
	if d.Subject != nil {
		at.start, at.end = d.Subject.Start.Byte, d.Subject.End.Byte
	}
	broken := at.start
	said := f.reworded(d, &at)
	switch d.Summary {
	case "Invalid single-argument block definition", "Argument definition required":
		if rewritten, ok := f.rewriteLine(at.start); ok {
			said = wording{"more than one argument in a block on one line",
				"A block on one line holds at most one argument and no block. Write it over lines:\n\n" + l.shown(f, at.start, rewritten)}
		}
	}
	switch {
	case d.Summary == "Attribute redefined" || d.Summary == "Invalid escape sequence":
		f.marred = append(f.marred, f.pos(broken).Line)
	case severityOf(d) == Error:
		f.broken = append(f.broken, broken)
		l.incomplete = true
	}
	l.note(severityOf(d), at, said.summary, said.detail)
}

// firstPlace names the line of the attribute that d says was set before.
func (f *file) firstPlace(d *hcl.Diagnostic) string {
	_, rest, ok := strings.Cut(d.Detail, f.path+":")
	if !ok {
		return ""
	}
	line, _, ok := strings.Cut(rest, ",")
	if !ok {
		return ""
	}
	return "It is set already in line " + line + ". "
}

func severityOf(d *hcl.Diagnostic) Severity {
	if d.Severity == hcl.DiagWarning {
		return Warning
	}
	return Error
}

func lowerFirst(s string) string {
	first, rest, _ := strings.Cut(s, " ")
	if len(first) > 1 && strings.ToUpper(first) == first {
		return s // an acronym
	}
	r := []rune(first)
	if len(r) > 0 {
		r[0] = unicode.ToLower(r[0])
	}
	return strings.TrimSpace(string(r) + " " + rest)
}
