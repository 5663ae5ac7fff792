package lsp

import (
	"context"
	"path/filepath"
	"strings"

	"go.lsp.dev/protocol"
)

// Hover explains what stands at a place.
func (s *Server) Hover(ctx context.Context, p *protocol.HoverParams) (*protocol.Hover, error) {
	v := s.look(ctx, p.TextDocument.URI)
	if v == nil {
		return nil, nil
	}
	x, ok := v.subject(v.cursor(p.Position))
	doc := v.explain(x)
	if !ok || doc == "" {
		return nil, nil
	}
	at := v.span(x.start, x.end)
	return &protocol.Hover{Contents: &protocol.MarkupContent{Kind: protocol.MarkupKindMarkdown, Value: doc}, Range: &at}, nil
}

func (v *view) explain(x subject) string {
	switch {
	case x.schema != nil:
		doc := blockDoc(x.schema)
		if x.schema.Page != "" {
			doc += "\n\n" + x.schema.Page
		}
		return doc
	case x.declaration != nil:
		return v.declarationDoc(x.declaration)
	case x.function != nil:
		return functionDoc(*x.function)
	case x.attribute != nil:
		return attributeDoc(x.attribute)
	case x.path != "":
		return code(x.path)
	case x.name != "":
		return nameDoc(x.name)
	}
	return ""
}

// nameDoc tells of a name that expressions see, or of a field of one.
func nameDoc(path string) string {
	parts := strings.Split(path, ".")
	if len(parts) > 1 {
		known := map[string]map[string]string{"event": eventFields, "meta": metaFields, "response": responseFields, "each": eachFields}
		if doc, ok := known[parts[0]][parts[1]]; ok {
			return "**" + parts[0] + "." + parts[1] + "**\n\n" + doc
		}
	}
	return "**" + parts[0] + "**\n\n" + names[parts[0]]
}

// name is how messages call the file at path.
func (v *view) name(path string) string {
	if rel, err := filepath.Rel(v.project.root, path); err == nil && rel != "." {
		return rel
	}
	return filepath.Base(path)
}
