package config

import (
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// parse reads the syntax of f. A file that has mistakes keeps what could be read.
func (l *loader) parse(f *file) {
	if at, deep := tooDeep(f.text); deep {
		f.broken = true
		l.report(Error, spot{file: f, start: at, end: at + 1}, "expression nested too deeply",
			"A single expression may hold so many brackets and operators inside one another, but no more. Break it up with locals.")
		return
	}
	parsed, diags := hclsyntax.ParseConfig(f.text, f.path, hcl.InitialPos)
	if parsed != nil {
		f.body, _ = parsed.Body.(*hclsyntax.Body)
	}
	for _, d := range diags {
		f.broken = f.broken || d.Severity == hcl.DiagError
		l.syntaxError(f, d)
	}
	l.incomplete = l.incomplete || f.broken
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
			detail = "A block on one line holds at most one argument and no block. Write it over lines:\n\n" + rewritten
		}
	case "Invalid template interpolation value", "Extra characters after interpolation expression":
		detail += ` Text that really has ${ in it is written $${.`
	case "Attribute redefined":
		summary = "attribute set twice"
		detail = f.firstPlace(d) + "Keep one of the two."
	case "Invalid argument name":
		detail = "Names of attributes are not quoted. A field whose name is no plain word can be set by replace { body = … } as one expression."
	case "Missing newline after argument", "Missing newline after block definition":
		detail = "Each argument and each block ends at the end of its line; what follows needs a line of its own."
	}
	l.report(severityOf(d), at, summary, detail)
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
