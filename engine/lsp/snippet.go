package lsp

import (
	"fmt"
	"strings"

	"github.com/syncd/syncd/engine/config"
)

// valueSnippet is what an attribute can be set to, to be typed over.
func valueSnippet(a *config.Attribute) string { return numbered(a, 1) }

func numbered(a *config.Attribute, n int) string {
	list := strings.HasPrefix(a.Type, "list")
	switch {
	case a.Evaluated == "reference" && list:
		return fmt.Sprintf("[$%d]", n)
	case a.Evaluated == "reference":
		return fmt.Sprintf("$%d", n)
	case len(a.Enum) > 0 && list:
		return fmt.Sprintf(`["$%d"]`, n)
	case len(a.Enum) > 0:
		return fmt.Sprintf(`"$%d"`, n)
	case a.Example != "":
		return fmt.Sprintf("${%d:%s}", n, escapeSnippet(a.Example))
	case a.Default != "":
		return fmt.Sprintf("${%d:%s}", n, escapeSnippet(a.Default))
	case list:
		return fmt.Sprintf("[$%d]", n)
	case strings.HasPrefix(a.Type, "object"):
		return fmt.Sprintf("{\n  $%d\n}", n)
	case a.Type == "any value", strings.HasSuffix(a.Type, "number"), a.Type == "true or false":
		return fmt.Sprintf("$%d", n)
	}
	return fmt.Sprintf(`"$%d"`, n)
}

// blockSnippet is a block with what it must have, and the same without anything to
// type over.
func blockSnippet(b *config.Schema) (snippet, plain string) {
	header, bare, n := b.Address(), b.Address(), 1
	if b.Named {
		header += fmt.Sprintf(` "${%d:name}"`, n)
		bare += ` "name"`
		n++
	}
	var body strings.Builder
	for i := range b.Attributes {
		if a := &b.Attributes[i]; a.Required {
			fmt.Fprintf(&body, "  %s = %s\n", a.Name, strings.ReplaceAll(numbered(a, n), "\n", "\n  "))
			n++
		}
	}
	if len(b.Attributes)+len(b.Blocks) == 0 && b.Fields == nil && !b.Steps {
		return header + " {}", bare + " {}"
	}
	return header + " {\n" + body.String() + "  $0\n}", bare + " {\n}"
}

var snippetEscapes = strings.NewReplacer(`\`, `\\`, `$`, `\$`, `}`, `\}`)

func escapeSnippet(s string) string { return snippetEscapes.Replace(s) }
