package lsp

import (
	"context"
	"testing"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/syncd/syncd/engine/config"
)

// Whatever the text is and wherever the cursor, every question has an answer, and the
// places in it are places of the document.
func FuzzAnswers(f *testing.F) {
	for _, text := range []string{
		declared, "flow \"a\" {\n  map {\n    s = { a = \"upper(body.x)\", b = \"x\n  to = [sink.", "a = <<-E\n  x ${ \"y\n E\n}}}", "sink \"http\" \"b\" {\n  path = \"/{{ map(a, {{b: ",
		"locals { a = file(\"𝄞", "source \"", "\xff\x00{\"${%{", "x \"y\" { a = \"${\"${\"", "daemon {\r\n  log {\r\n    level = \"\r\n",
	} {
		for _, at := range []int{0, len(text) / 3, len(text) / 2, len(text)} {
			f.Add(text, at)
		}
	}
	s := newServer(Options{Kinds: allKinds()})
	s.editor.snippets = true
	other := config.Read("/other.hcl", s.opts.Kinds, config.Options{Overlay: map[string][]byte{"/other.hcl": []byte(declared)}})
	f.Fuzz(func(t *testing.T, content string, at int) {
		read := make(chan struct{})
		close(read)
		d := &document{text: newText([]byte(content), false), uri: uri.File("/a.hcl"), path: "/a.hcl", project: &project{root: "/", read: read, snapshot: other}}
		s.documents = map[string]*document{d.path: d}
		pos := protocol.TextDocumentPositionParams{TextDocument: protocol.TextDocumentIdentifier{URI: d.uri}, Position: d.position(at)}
		if got := d.position(d.offset(pos.Position)); got != pos.Position {
			t.Errorf("position %v became %v", pos.Position, got)
		}
		ctx := context.Background()
		check := func(r protocol.Range) {
			if start, end := d.offset(r.Start), d.offset(r.End); start > end || d.span(start, end) != r {
				t.Errorf("%+v is no place in %q", r, content)
			}
		}
		if list, _ := s.Completion(ctx, &protocol.CompletionParams{TextDocumentPositionParams: pos}); list != nil {
			for _, i := range list.(*protocol.CompletionList).Items {
				check(i.TextEdit.(*protocol.TextEdit).Range)
			}
		}
		if h, _ := s.Hover(ctx, &protocol.HoverParams{TextDocumentPositionParams: pos}); h != nil {
			check(*h.Range)
		}
		_, _ = s.Definition(ctx, &protocol.DefinitionParams{TextDocumentPositionParams: pos})
		symbols, _ := s.DocumentSymbol(ctx, &protocol.DocumentSymbolParams{TextDocument: pos.TextDocument})
		for _, x := range symbols.(protocol.DocumentSymbolSlice) {
			check(x.Range)
			check(x.SelectionRange)
		}
		edits, _ := s.Formatting(ctx, &protocol.DocumentFormattingParams{TextDocument: pos.TextDocument})
		for _, e := range edits {
			check(e.Range)
		}
	})
}
