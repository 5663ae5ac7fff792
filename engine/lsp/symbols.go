package lsp

import (
	"context"
	"strings"

	"go.lsp.dev/protocol"
)

// maxSymbols bounds how deep the tree of symbols is.
const maxSymbols = 8

// DocumentSymbol lists the blocks of a document, steps below their flows.
func (s *Server) DocumentSymbol(_ context.Context, p *protocol.DocumentSymbolParams) (protocol.DocumentSymbolResult, error) {
	s.mu.Lock()
	d := s.document(p.TextDocument.URI)
	s.mu.Unlock()
	if d == nil {
		return nil, nil
	}
	list := protocol.DocumentSymbolSlice{}
	for _, o := range all(d.content, s.opening) {
		list = append(list, d.symbols(o.root, 1)...)
	}
	return list, nil
}

// symbols are those of the blocks in b, and of the values in locals.
func (d *document) symbols(b *block, depth int) []protocol.DocumentSymbol {
	if depth > maxSymbols {
		return nil
	}
	var list []protocol.DocumentSymbol
	if b.typ == "locals" {
		for _, a := range b.attributes {
			list = append(list, protocol.DocumentSymbol{
				Name: "local." + a.name, Kind: protocol.SymbolKindVariable,
				Range: d.span(a.start, a.end), SelectionRange: d.span(a.start, a.start+len(a.name)),
			})
		}
	}
	for _, inner := range b.blocks {
		list = append(list, protocol.DocumentSymbol{
			Name: symbolName(inner, depth), Kind: symbolKind(inner, depth),
			Range: d.span(inner.start, min(inner.end+1, len(d.content))), SelectionRange: d.span(inner.start, inner.header),
			Children: d.symbols(inner, depth+1),
		})
	}
	return list
}

// symbolName is a block's address, or its type and labels where it has none.
func symbolName(b *block, depth int) string {
	if depth == 1 {
		return addressOf(b)
	}
	return strings.Join(append([]string{b.typ}, b.labels...), " ")
}

func symbolKind(b *block, depth int) protocol.SymbolKind {
	if depth > 1 {
		return protocol.SymbolKindProperty
	}
	switch b.typ {
	case "flow", "transform":
		return protocol.SymbolKindFunction
	case "variable", "locals":
		return protocol.SymbolKindVariable
	case "secret":
		return protocol.SymbolKindKey
	case "source":
		return protocol.SymbolKindEvent
	}
	return protocol.SymbolKindObject
}
