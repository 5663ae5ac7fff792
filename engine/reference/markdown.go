package reference

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/expr"
)

// Links and emphasis in Markdown.
var (
	link     = regexp.MustCompile(`\[([^\]]*)\]\(([^)]*)\)`)
	emphasis = regexp.MustCompile(`\*+([^*\s]+)\*+`)
)

// generated says on every page where it comes from.
const generated = "<!-- Written by `make docs` from the declarations in the code. -->\n\n"

// FileName is the page of a block: source-webhook.md.
func FileName(s *config.Schema) string {
	if s.Kind == "" {
		return s.Type + ".md"
	}
	return s.Type + "-" + s.Kind + ".md"
}

// Pages are all pages of the reference, by file name.
func Pages(lang *config.Language) map[string]string {
	pages := map[string]string{"README.md": index(lang), "functions.md": functionsPage()}
	for _, s := range lang.All() {
		pages[FileName(&s)] = generated + Markdown(&s)
	}
	return pages
}

// index lists the pages.
func index(lang *config.Language) string {
	var b strings.Builder
	b.WriteString(generated + "# Reference\n\nEvery block, step and function of a configuration. The same in a terminal: `syncd explain`, `syncd explain source webhook`. How files, names and values work, [the configuration language](../configuration.md) says.\n")
	for _, group := range []struct {
		title   string
		schemas []config.Schema
	}{{"Blocks", lang.Blocks}, {"Steps of a flow", lang.Steps}} {
		fmt.Fprintf(&b, "\n## %s\n\n| | |\n|---|---|\n", group.title)
		for _, s := range group.schemas {
			fmt.Fprintf(&b, "| [`%s`](%s) | %s |\n", cell(s.Address()), FileName(&s), cell(s.Doc))
		}
	}
	b.WriteString("\n## Functions\n\n[Functions](functions.md) of expressions, and those of values when the configuration is read.\n")
	return b.String()
}

// Markdown is the page on a block.
func Markdown(s *config.Schema) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", s.Address(), s.Doc)
	if s.Page != "" {
		fmt.Fprintf(&b, "\n%s\n", s.Page)
	}
	section(&b, s, 2)
	return b.String()
}

func section(b *strings.Builder, s *config.Schema, level int) {
	var own, common []config.Attribute
	for _, a := range s.Attributes {
		if a.Common {
			common = append(common, a)
		} else {
			own = append(own, a)
		}
	}
	if s.Fields != nil {
		own = append(own, *s.Fields)
	}
	attributes(b, own)
	if len(common) > 0 {
		fmt.Fprintf(b, "\n%s What every %s takes\n", strings.Repeat("#", level), s.Type)
		attributes(b, common)
	}
	if s.Steps {
		b.WriteString("\nSteps stand in it in the order in which they run.\n")
	}
	for i := range s.Blocks {
		inner := &s.Blocks[i]
		fmt.Fprintf(b, "\n%s %s\n\n%s (%s)\n", strings.Repeat("#", level), heading(inner), inner.Doc, presence(inner))
		section(b, inner, min(level+1, 6))
	}
	for i := range s.Choices {
		c := &s.Choices[i]
		fmt.Fprintf(b, "\n%s %s\n\n%s\n", strings.Repeat("#", level), heading(c), c.Doc)
		section(b, c, min(level+1, 6))
	}
}

func attributes(b *strings.Builder, all []config.Attribute) {
	if len(all) == 0 {
		return
	}
	b.WriteString("\n| attribute | is | default | what |\n|---|---|---|---|\n")
	for _, a := range all {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", a.Name, cell(form(a)), standard(a), cell(about(a)))
	}
}

func standard(a config.Attribute) string {
	switch {
	case a.Required:
		return "required"
	case a.Default != "":
		return code(a.Default)
	}
	return ""
}

// about is all that the other columns do not say.
func about(a config.Attribute) string {
	text := a.Doc
	if len(a.Enum) > 0 {
		names := choices(a)
		for i, name := range names {
			names[i] = code(name)
		}
		text += " One of " + strings.Join(names, ", ") + "."
	}
	a.Required, a.Default = false, ""
	if rest := notes(a); len(rest) > 0 {
		text += " (" + strings.Join(rest, ", ") + ")"
	}
	if a.Example != "" {
		text += " For example " + code(a.Example) + "."
	}
	return text
}

func functionsPage() string {
	var b strings.Builder
	b.WriteString(generated)
	_ = MarkdownFunctions(&b, expr.Functions(), config.LoadFunctions()) // a Builder takes everything
	return b.String()
}

// MarkdownFunctions writes tables of functions.
func MarkdownFunctions(w io.Writer, inExpressions, atLoad []expr.FunctionDoc) error {
	var b strings.Builder
	b.WriteString("# Functions\n")
	if len(inExpressions) > 0 {
		b.WriteString("\n## In expressions\n\nFor every event, in expressions and in the holes of templates; [the language](../expressions.md) has operators as well.\n")
		functionTables(&b, inExpressions)
	}
	if len(atLoad) > 0 {
		b.WriteString("\n## In values\n\nOnce, when the configuration is read.\n")
		functionTables(&b, atLoad)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func functionTables(b *strings.Builder, all []expr.FunctionDoc) {
	group := ""
	for _, f := range all {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(b, "\n**%s**\n\n| function | what | for example |\n|---|---|---|\n", strings.ToUpper(group[:1])+group[1:])
		}
		example := code(f.Example)
		if f.Yields != "" {
			example += " yields " + code(f.Yields)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", code(f.Signature), cell(f.Doc), example)
	}
}

// code is s as code in a cell of a table.
func code(s string) string { return "`" + cell(s) + "`" }

// cell is s as it may stand in a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
