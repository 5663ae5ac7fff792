package lsp

import (
	"fmt"
	"strings"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/expr"
)

// attributeDoc tells of an attribute in Markdown.
func attributeDoc(a *config.Attribute) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** — %s\n\n%s", a.Name, a.Type, a.Doc)
	if a.Required {
		b.WriteString(" Required.")
	}
	if a.Secret {
		b.WriteString(" Sensitive values may stand here.")
	}
	if a.Identity {
		b.WriteString(" A change starts its checkpoint over.")
	}
	facts(&b, a)
	if a.Example != "" {
		fmt.Fprintf(&b, "\n\n```hcl\n%s = %s\n```", a.Name, a.Example)
	}
	return b.String()
}

func facts(b *strings.Builder, a *config.Attribute) {
	fact := func(what, value string) {
		if value != "" {
			fmt.Fprintf(b, "\n- %s: %s", what, value)
		}
	}
	b.WriteString("\n")
	fact("evaluated", map[string]string{"expr": "for every event, as an expression", "template": "for every event, as a template", "value": "when the configuration is read"}[a.Evaluated])
	fact("yields", a.Yields)
	fact("default", code(a.Default))
	fact("one of", codes(a.Enum))
	fact("refers to", codes(a.References))
	fact("at least", code(a.Min))
	fact("at most", code(a.Max))
	fact("sees", codes(a.Scope))
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func codes(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = code(s)
	}
	return strings.Join(quoted, ", ")
}

// blockDoc tells of a block in Markdown.
func blockDoc(s *config.Schema) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n\n%s", s.Address(), s.Doc)
	list := func(what string, names []string) {
		if len(names) > 0 {
			fmt.Fprintf(&b, "\n- %s: %s", what, codes(names))
		}
	}
	var required, others, nested []string
	for _, a := range s.Attributes {
		if a.Required {
			required = append(required, a.Name)
		} else {
			others = append(others, a.Name)
		}
	}
	for _, n := range s.Blocks {
		nested = append(nested, n.Address())
	}
	b.WriteString("\n")
	list("required", required)
	list("optional", others)
	list("blocks", nested)
	if s.Fields != nil {
		fmt.Fprintf(&b, "\n- any attribute: %s", s.Fields.Doc)
	}
	return b.String()
}

// functionDoc tells of a function in Markdown.
func functionDoc(f expr.FunctionDoc) string {
	doc := fmt.Sprintf("```\n%s\n```\n%s", f.Signature, f.Doc)
	if f.Example != "" {
		doc += "\n\n```\n" + f.Example
		if f.Yields != "" {
			doc += "\n→ " + f.Yields
		}
		doc += "\n```"
	}
	return doc
}

// maxShown bounds how much of a value is shown.
const maxShown = 1000

// declarationDoc tells of what is declared in the configuration.
func (v *view) declarationDoc(d *config.Declaration) string {
	doc := "**" + d.Address + "**"
	if d.Description != "" {
		doc += "\n\n" + d.Description
	}
	switch root, _, _ := strings.Cut(d.Address, "."); {
	case d.Sensitive:
		doc += "\n\nSensitive: its value does not show."
	case root != "var" && root != "local":
		if s := v.server.schemaOf(d.Address); s != nil {
			doc += "\n\n" + s.Address() + ": " + s.Doc
		}
	case d.Value == "":
		doc += "\n\nIts value is not known here."
	case len(d.Value) > maxShown:
		doc += "\n\n```hcl\n" + strings.ToValidUTF8(d.Value[:maxShown], "") + "\n…\n```"
	default:
		doc += "\n\n```hcl\n" + d.Value + "\n```"
	}
	return doc + fmt.Sprintf("\n\n%s:%d", v.name(d.Range.File), d.Range.Start.Line)
}

// schemaOf is what an address is declared by, nil if that is not known.
func (s *Server) schemaOf(address string) *config.Schema {
	parts := strings.Split(address, ".")
	if len(parts) == 3 {
		return s.language.Block(parts[0], parts[1])
	}
	return s.language.Block(parts[0], "")
}
