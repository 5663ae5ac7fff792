package lsp

import (
	"context"
	"encoding/json"
	"runtime/debug"
	"slices"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// editor is what the client said of itself.
type editor struct {
	utf8     bool     // counts columns in bytes, else in UTF-16 units
	snippets bool     // takes places to fill in
	watches  bool     // can be asked to watch files
	folders  []string // of its workspace
	config   string   // the configuration that it was told to serve, "" if none
}

// handle answers one message. Whatever goes wrong with it, the next one is read.
func (s *Server) handle(ctx context.Context, req *jsonrpc2.Request) (result any, err error) {
	method := strings.Clone(req.Method())
	defer func() {
		if r := recover(); r != nil {
			s.opts.Log.Error("cannot answer", "method", method, "panic", r, "stack", string(debug.Stack()))
			result, err = nil, jsonrpc2.Errorf(jsonrpc2.InternalError, "%s failed; the log of syncd lsp says how", method)
		}
		if err != nil && !req.IsCall() {
			s.opts.Log.Warn("ignored", "method", method, "error", err)
			err = nil // it would end the connection
		}
	}()
	if err := s.admit(req); err != nil {
		return nil, err
	}
	if !req.IsCall() && strings.HasPrefix(method, "$/") {
		return nil, nil
	}
	return protocol.ServerHandler(s, jsonrpc2.MethodNotFoundHandler)(ctx, req)
}

// admit refuses what comes before initialize or after shutdown.
func (s *Server) admit(req *jsonrpc2.Request) error {
	switch method := req.Method(); {
	case method == protocol.MethodExit, s.phase == running && method != protocol.MethodInitialize,
		s.phase == fresh && method == protocol.MethodInitialize:
		return nil
	case s.phase == fresh:
		return jsonrpc2.Errorf(jsonrpc2.Code(protocol.ErrorCodesServerNotInitialized), "%s before initialize", method)
	default:
		return jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "%s does not belong here", method)
	}
}

// Initialize learns what the editor can do and tells what the server can.
func (s *Server) Initialize(_ context.Context, p *protocol.InitializeParams) (*protocol.InitializeResult, error) {
	s.editor = s.meet(p)
	s.phase = running
	full, yes := protocol.TextDocumentSyncKindFull, true
	result := &protocol.InitializeResult{
		ServerInfo: protocol.ServerInfo{Name: "syncd", Version: protocol.NewOptional(s.opts.Version)},
		Capabilities: protocol.ServerCapabilities{
			PositionEncoding:           protocol.PositionEncodingKindUTF16,
			TextDocumentSync:           &protocol.TextDocumentSyncOptions{OpenClose: &yes, Change: &full, Save: protocol.Boolean(true)},
			CompletionProvider:         &protocol.CompletionOptions{TriggerCharacters: []string{".", `"`, "[", "(", "{"}},
			HoverProvider:              protocol.Boolean(true),
			DefinitionProvider:         protocol.Boolean(true),
			DocumentSymbolProvider:     protocol.Boolean(true),
			DocumentFormattingProvider: protocol.Boolean(true),
		},
	}
	if s.editor.utf8 {
		result.Capabilities.PositionEncoding = protocol.PositionEncodingKindUTF8
	}
	return result, nil
}

func (s *Server) meet(p *protocol.InitializeParams) editor {
	e := editor{config: s.opts.Path}
	if folders, ok := p.WorkspaceFolders.Get(); ok {
		for _, f := range folders {
			e.addFolder(f.URI)
		}
	} else if root := p.RootURI; root != nil { //nolint:staticcheck // editors that know no folders yet say only this
		e.addFolder(*root)
	}
	var asked struct {
		Config string `json:"config"`
	}
	if err := json.Unmarshal(p.InitializationOptions, &asked); err == nil && asked.Config != "" {
		e.config = asked.Config
	}
	if c := p.Capabilities.General; c != nil {
		e.utf8 = slices.Contains(c.PositionEncodings, protocol.PositionEncodingKindUTF8)
	}
	if c := p.Capabilities.TextDocument; c != nil && c.Completion != nil && c.Completion.CompletionItem != nil {
		e.snippets = isTrue(c.Completion.CompletionItem.SnippetSupport)
	}
	if c := p.Capabilities.Workspace; c != nil && c.DidChangeWatchedFiles != nil {
		e.watches = isTrue(c.DidChangeWatchedFiles.DynamicRegistration)
	}
	return e
}

func (e *editor) addFolder(u uri.URI) {
	if u.IsFile() {
		e.folders = append(e.folders, u.FsPath())
	}
}

func isTrue(b *bool) bool { return b != nil && *b }

// Initialized begins to watch files. The answer to that is waited for elsewhere, since
// it can be read only when this has returned.
func (s *Server) Initialized(ctx context.Context, _ *protocol.InitializedParams) error {
	if s.editor.watches {
		ctx = jsonrpc2.DetachContext(ctx)
		s.background.Go(func() { s.watchFiles(ctx) })
	}
	return nil
}

// watchFiles asks the editor to tell of files that change outside of it. Which of
// them a configuration names, is known only when it is read.
func (s *Server) watchFiles(ctx context.Context) {
	options, err := protocol.Marshal(&protocol.DidChangeWatchedFilesRegistrationOptions{
		Watchers: []protocol.FileSystemWatcher{{GlobPattern: protocol.Pattern("**/*")}},
	})
	if err == nil {
		err = s.client.RegisterCapability(ctx, &protocol.RegistrationParams{Registrations: []protocol.Registration{
			{ID: "files", Method: protocol.MethodWorkspaceDidChangeWatchedFiles, RegisterOptions: options},
		}})
	}
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("the editor does not watch files", "error", err)
	}
}

// Shutdown ends the work; only exit follows.
func (s *Server) Shutdown(context.Context) error {
	s.phase = shutDown
	return nil
}

// Exit makes the stream end.
func (s *Server) Exit(context.Context) error {
	if s.phase == shutDown {
		s.phase = exited
	} else {
		s.phase = vanished
	}
	return nil
}
