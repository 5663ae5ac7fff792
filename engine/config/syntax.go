package config

import (
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
			Detail: "Brackets and operators stand inside one another here beyond what can be read. Break the expression up with locals."}}
		return
	}
	parsed, faults := hclsyntax.ParseConfig(f.text, f.path, hcl.InitialPos)
	f.body, _ = parsed.Body.(*hclsyntax.Body)
	f.faults = faults
}

func (l *loader) syntaxErrors(f *file) {
	unterminated := false
	for _, d := range f.faults {
		if unterminated && (d.Summary == openString || d.Summary == noEnd) {
			continue // one missing quote turns all text behind it inside out
		}
		unterminated = unterminated || d.Summary == openString
		l.syntaxError(f, d)
	}
}

// damaged tells whether the block of the top level around offset has a mistake in
// its syntax. What is said about such a block is mostly a consequence.
func (f *file) damaged(offset int) bool {
	if len(f.broken) == 0 {
		return false
	}
	from, to := 0, len(f.text)+1
	for _, b := range f.body.Blocks {
		if at := b.TypeRange.Start.Byte; at <= offset {
			from = max(from, at)
		} else {
			to = min(to, at)
		}
	}
	return slices.ContainsFunc(f.broken, func(at int) bool { return from <= at && at < to })
}

// syntaxError says in our words what HCL found.
func (l *loader) syntaxError(f *file, d *hcl.Diagnostic) {
	at := spot{file: f}
	if d.Subject != nil {
		at.start, at.end = d.Subject.Start.Byte, d.Subject.End.Byte
	}
	summary, detail := lowerFirst(d.Summary), d.Detail
	switch d.Summary {
	case "Invalid single-argument block definition", "Argument definition required":
		if rewritten, ok := f.rewriteLine(at.start); ok {
			summary = "more than one argument in a block on one line"
			detail = "A block on one line holds at most one argument and no block. Write it over lines:\n\n" + l.shown(f, at.start, rewritten)
		}
	case "Invalid template interpolation value", "Extra characters after interpolation expression":
		detail += ` Text that really has ${ in it is written $${.`
	case openString:
		summary = "string without an end"
		detail = "A quoted string ends on the line that it begins on: is its closing quote missing? Text of several lines is written as a heredoc, <<-EOT."
	case "Attribute redefined":
		summary = "attribute set twice"
		detail = f.firstPlace(d) + "Keep one of the two."
	case "Invalid argument name":
		detail = "Names of attributes are not quoted. A field whose name is no plain word can be set by replace { body = … } as one expression."
	case "Missing newline after argument", "Missing newline after block definition":
		detail = "Each argument and each block ends at the end of its line; what follows needs a line of its own."
	}
	if severityOf(d) == Error {
		f.broken = append(f.broken, at.start)
		l.incomplete = true
	}
	l.note(severityOf(d), at, summary, detail)
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
