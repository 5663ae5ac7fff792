package lsp

import (
	"bytes"
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"go.lsp.dev/protocol"

	"github.com/syncd/syncd/engine/config/layout"
)

// Formatting gives a document its canonical layout. One with mistakes in its syntax
// stays as it is.
func (s *Server) Formatting(_ context.Context, p *protocol.DocumentFormattingParams) ([]protocol.TextEdit, error) {
	s.mu.Lock()
	d := s.document(p.TextDocument.URI)
	s.mu.Unlock()
	if d == nil {
		return nil, nil
	}
	if _, diags := hclsyntax.ParseConfig(d.content, d.path, hcl.InitialPos); diags.HasErrors() {
		return nil, nil
	}
	return d.edits(layout.Format(d.content)), nil
}

// edits replaces the lines in which the document and formatted differ.
func (d *document) edits(formatted []byte) []protocol.TextEdit {
	if bytes.Equal(d.content, formatted) {
		return []protocol.TextEdit{}
	}
	same := 0
	for i := 0; i < len(d.content) && i < len(formatted) && d.content[i] == formatted[i]; i++ {
		if d.content[i] == '\n' {
			same = i + 1
		}
	}
	tail := 0
	for i := 1; i <= min(len(d.content), len(formatted))-same && d.content[len(d.content)-i] == formatted[len(formatted)-i]; i++ {
		if d.content[len(d.content)-i] == '\n' {
			tail = i - 1
		}
	}
	at := d.span(same, len(d.content)-tail)
	return []protocol.TextEdit{{Range: at, NewText: string(formatted[same : len(formatted)-tail])}}
}
