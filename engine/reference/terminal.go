package reference

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/expr"
)

// columns is how wide the text in a terminal may be.
const columns = 88

// terminal writes paragraphs below one another.
type terminal struct{ strings.Builder }

// Write prints what there is to say of a block, for a terminal.
func Write(w io.Writer, s *config.Schema) error {
	var t terminal
	fmt.Fprintf(&t, "%s {\n  …\n}\n\n", heading(s))
	t.paragraph("", s.Doc)
	t.block(s, "")
	if s.Page != "" {
		t.page(s.Page)
	}
	_, err := io.WriteString(w, strings.TrimRight(t.String(), "\n")+"\n")
	return err
}

// WriteFunctions prints functions for a terminal: those of expressions, and those of values at load.
func WriteFunctions(w io.Writer, inExpressions, atLoad []expr.FunctionDoc) error {
	var t terminal
	t.functions("In expressions, for every event:", inExpressions)
	t.functions("In values, once, when the configuration is read:", atLoad)
	_, err := io.WriteString(w, strings.TrimRight(t.String(), "\n")+"\n")
	return err
}

func (t *terminal) functions(title string, all []expr.FunctionDoc) {
	if len(all) > 0 {
		t.WriteString(title + "\n\n")
	}
	for _, f := range all {
		t.WriteString(f.Signature + "\n")
		t.paragraph("    ", f.Doc)
		if f.Yields != "" {
			fmt.Fprintf(t, "    %s yields %s\n", f.Example, f.Yields)
		}
		t.WriteString("\n")
	}
}

// page prints Markdown that is simple enough to be read as it is.
func (t *terminal) page(markdown string) {
	code := false
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code && line != "":
			t.WriteString("    " + line + "\n")
		case line == "" || code:
			t.WriteString("\n")
		case strings.HasPrefix(line, "- "):
			t.wrapped("", "  ", plain(line))
		default:
			t.paragraph("", plain(line))
		}
	}
}

// plain is a line of Markdown without its marks.
func plain(line string) string {
	line = link.ReplaceAllString(line, "$1 ($2)")
	line = emphasis.ReplaceAllString(line, "$1")
	return strings.ReplaceAll(line, "`", "")
}

func (t *terminal) block(s *config.Schema, indent string) {
	t.WriteString("\n")
	attributes := s.Attributes
	if s.Fields != nil {
		attributes = append(attributes[:len(attributes):len(attributes)], *s.Fields)
	}
	width := 0
	for _, a := range attributes {
		width = max(width, utf8.RuneCountInString(a.Name))
	}
	common := false
	for _, a := range attributes {
		if a.Common && !common {
			fmt.Fprintf(t, "%sWhat every %s takes:\n\n", indent, s.Type)
			common = true
		}
		t.attribute(a, indent+"  ", width)
	}
	for i := range s.Blocks {
		t.inner(&s.Blocks[i], presence(&s.Blocks[i]), indent)
	}
	for i := range s.Choices {
		t.inner(&s.Choices[i], "one of these", indent)
	}
	if s.Steps {
		fmt.Fprintf(t, "%s  Steps, in the order in which they run.\n\n", indent)
	}
}

// inner prints a block within another, or one of the forms that a block has.
func (t *terminal) inner(s *config.Schema, presence, indent string) {
	fmt.Fprintf(t, "%s  %s { … }   %s\n", indent, heading(s), presence)
	t.paragraph(indent+"    ", s.Doc)
	if len(s.Attributes) > 0 || s.Fields != nil || len(s.Blocks) > 0 {
		t.block(s, indent+"  ")
		return
	}
	t.WriteString("\n")
}

func (t *terminal) attribute(a config.Attribute, indent string, width int) {
	facts := strings.Join(append([]string{form(a)}, notes(a)...), ", ")
	fmt.Fprintf(t, "%s%-*s  %s\n", indent, width, a.Name, facts)
	indent += strings.Repeat(" ", width+2)
	text := a.Doc
	if len(a.Enum) > 0 {
		text += " One of " + strings.Join(choices(a), ", ") + "."
	}
	t.paragraph(indent, text)
	if a.Example != "" {
		example := a.Example
		if a.Name != "NAME" {
			example = a.Name + " = " + example
		}
		t.WriteString(indent + example + "\n")
	}
	t.WriteString("\n")
}

// paragraph prints text with its words broken over lines.
func (t *terminal) paragraph(indent, text string) { t.wrapped(indent, indent, text) }

// wrapped is paragraph with an indent of its own for the first line.
func (t *terminal) wrapped(first, indent, text string) {
	used := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
			t.WriteString(first)
			used = utf8.RuneCountInString(first)
		case used+1+n > columns:
			t.WriteString("\n" + indent)
			used = utf8.RuneCountInString(indent)
		default:
			t.WriteString(" ")
			used++
		}
		t.WriteString(word)
		used += n
	}
	t.WriteString("\n")
}
