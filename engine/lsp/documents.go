package lsp

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// document is a file that the editor has open. It never changes: a change makes a new one.
type document struct {
	*text
	uri     uri.URI // as the editor writes it
	path    string
	version int32
	project *project
}

// DidOpen takes a document in.
func (s *Server) DidOpen(_ context.Context, p *protocol.DidOpenTextDocumentParams) error {
	s.hold(p.TextDocument.URI, p.TextDocument.Version, p.TextDocument.Text)
	return nil
}

// DidChange takes the new text of a document.
func (s *Server) DidChange(_ context.Context, p *protocol.DidChangeTextDocumentParams) error {
	for _, c := range p.ContentChanges {
		if whole, ok := c.(*protocol.TextDocumentContentChangeWholeDocument); ok {
			s.hold(p.TextDocument.URI, p.TextDocument.Version, whole.Text)
		}
	}
	return nil
}

func (s *Server) hold(u uri.URI, version int32, content string) {
	if !u.IsFile() {
		return
	}
	path := filepath.Clean(u.FsPath())
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &document{text: newText([]byte(content), s.editor.utf8), uri: u, path: path, version: version}
	if had := s.documents[path]; had != nil {
		d.project = had.project
	} else {
		d.project = s.projectOf(path)
	}
	s.documents[path] = d
	s.stale(d.project)
}

// DidSave reads the configuration again, since what it names may have changed with it.
func (s *Server) DidSave(_ context.Context, p *protocol.DidSaveTextDocumentParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.document(p.TextDocument.URI); d != nil {
		s.stale(d.project)
	}
	return nil
}

// DidClose forgets a document: what is on disk counts again.
func (s *Server) DidClose(_ context.Context, p *protocol.DidCloseTextDocumentParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.document(p.TextDocument.URI); d != nil {
		delete(s.documents, d.path)
		s.stale(d.project)
	}
	return nil
}

// DidChangeWatchedFiles reads again what changed outside of the editor.
func (s *Server) DidChangeWatchedFiles(_ context.Context, p *protocol.DidChangeWatchedFilesParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, project := range s.projects {
		if slices.ContainsFunc(p.Changes, project.concerns) {
			s.stale(project)
		}
	}
	return nil
}

// concerns tells whether a change may be to a file of p, or to one that it reads.
func (p *project) concerns(change protocol.FileEvent) bool {
	if !change.URI.IsFile() {
		return false
	}
	path := filepath.Clean(change.URI.FsPath())
	if filepath.Ext(path) == ".hcl" || p.snapshot == nil {
		return true
	}
	return slices.ContainsFunc(slices.Concat(p.snapshot.Depends, p.snapshot.Files()), func(file string) bool {
		return file == path || strings.HasPrefix(file, path+string(filepath.Separator))
	})
}

// document is the open document at u, nil if there is none.
func (s *Server) document(u uri.URI) *document {
	if !u.IsFile() {
		return nil
	}
	return s.documents[filepath.Clean(u.FsPath())]
}

// look gives an open document and the latest snapshot of its configuration; the
// first one is waited for. nil: there is no such document.
func (s *Server) look(ctx context.Context, u uri.URI) *view {
	s.mu.Lock()
	d := s.document(u)
	s.mu.Unlock()
	if d == nil {
		return nil
	}
	select {
	case <-d.project.read:
	case <-ctx.Done():
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &view{document: d, server: s, snapshot: d.project.snapshot, snippets: s.editor.snippets}
}

// uriOf is how the editor calls the file at path.
func (s *Server) uriOf(path string) uri.URI {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.documents[path]; d != nil {
		return d.uri
	}
	return uri.File(path)
}
