package lsp

import (
	"context"
	"os"

	"go.lsp.dev/protocol"
)

// Definition leads to where what stands at a place is declared.
func (s *Server) Definition(ctx context.Context, p *protocol.DefinitionParams) (protocol.DefinitionResult, error) {
	v := s.look(ctx, p.TextDocument.URI)
	if v == nil {
		return nil, nil
	}
	x, ok := v.subject(v.cursor(p.Position))
	switch {
	case !ok:
		return nil, nil
	case x.path != "":
		if info, err := os.Stat(x.path); err != nil || !info.Mode().IsRegular() {
			return nil, nil
		}
		return &protocol.Location{URI: s.uriOf(x.path)}, nil
	case x.near != nil:
		return &protocol.Location{URI: v.uri, Range: v.span(x.near.start, x.near.start+len(x.near.name))}, nil
	case x.declaration == nil:
		return nil, nil
	}
	at := x.declaration.Range
	content, _ := v.snapshot.Text(at.File)
	t := newText(content, s.editor.utf8)
	return &protocol.Location{URI: s.uriOf(at.File), Range: t.span(at.Start.Byte, at.End.Byte)}, nil
}
