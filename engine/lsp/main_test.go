package lsp

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect"
	"github.com/syncd/syncd/sinks"
	"github.com/syncd/syncd/sources"
	"github.com/syncd/syncd/transforms"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func allKinds() []component.Kind {
	return slices.Concat(connect.Kinds(), sources.Kinds(), transforms.Kinds(), sinks.Kinds())
}

// session is an editor that talks to a server in this process.
type session struct {
	protocol.Server
	t         testing.TB
	dir       string
	conn      jsonrpc2.Conn
	published chan *protocol.PublishDiagnosticsParams
	watched   chan string
	ended     chan error
	version   int32
}

// editorSide is what the server may call.
type editorSide struct {
	protocol.UnimplementedClient
	s *session
}

func (e editorSide) PublishDiagnostics(_ context.Context, p *protocol.PublishDiagnosticsParams) error {
	e.s.published <- p
	return nil
}

// RegisterCapability is answered when the test takes note of it, if ever.
func (e editorSide) RegisterCapability(ctx context.Context, p *protocol.RegistrationParams) error {
	jsonrpc2.Async(ctx)
	select {
	case e.s.watched <- p.Registrations[0].Method:
	case <-e.s.t.Context().Done():
	}
	return nil
}

// connect starts a server that knows nothing yet.
func connectTo(t testing.TB, opts Options) *session {
	t.Helper()
	s := &session{t: t, published: make(chan *protocol.PublishDiagnosticsParams, 1000), watched: make(chan string), ended: make(chan error, 1)}
	fromServer, toEditor := pipe(t)
	fromEditor, toServer := pipe(t)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	opts.Kinds = allKinds()
	go func() {
		s.ended <- Serve(context.Background(), fromEditor, toEditor, opts)
		toEditor.Close()
	}()
	s.conn = jsonrpc2.NewConn(jsonrpc2.NewStream(wire{fromServer, toServer}), jsonrpc2.WithCodec(codec{}))
	s.conn.Go(context.Background(), protocol.ClientHandler(editorSide{s: s}, jsonrpc2.MethodNotFoundHandler))
	s.Server = protocol.ServerDispatcher(s.conn)
	t.Cleanup(func() {
		toServer.Close()
		<-s.conn.Done()
	})
	return s
}

// pipe holds some messages, as the one between an editor and its server does.
func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, w
}

type wire struct {
	io.Reader
	io.WriteCloser
}

// start is an editor with files, by name, in its workspace.
func start(t testing.TB, files map[string]string) *session {
	t.Helper()
	s := connectTo(t, Options{})
	s.dir = t.TempDir()
	for name, content := range files {
		s.write(name, content)
	}
	yes := true
	s.initialize(&protocol.InitializeParams{Capabilities: protocol.ClientCapabilities{
		TextDocument: &protocol.TextDocumentClientCapabilities{Completion: &protocol.CompletionClientCapabilities{
			CompletionItem: &protocol.ClientCompletionItemOptions{SnippetSupport: &yes},
		}},
		Workspace: &protocol.WorkspaceClientCapabilities{DidChangeWatchedFiles: &protocol.DidChangeWatchedFilesClientCapabilities{DynamicRegistration: &yes}},
	}})
	return s
}

func (s *session) initialize(p *protocol.InitializeParams) *protocol.InitializeResult {
	s.t.Helper()
	p.WorkspaceFolders = protocol.NewNullable([]protocol.WorkspaceFolder{{URI: uri.File(s.dir), Name: "config"}})
	result, err := s.Initialize(s.t.Context(), p)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.Initialized(s.t.Context(), &protocol.InitializedParams{}); err != nil {
		s.t.Fatal(err)
	}
	return result
}

func (s *session) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) uri(name string) uri.URI { return uri.File(filepath.Join(s.dir, name)) }

// open opens or changes a document and waits until it has been looked at.
func (s *session) open(name, content string) []protocol.Diagnostic {
	s.t.Helper()
	s.version++
	var err error
	if s.version == 1 {
		err = s.DidOpen(s.t.Context(), &protocol.DidOpenTextDocumentParams{TextDocument: protocol.TextDocumentItem{URI: s.uri(name), Version: s.version, Text: content}})
	} else {
		s.send(name, content)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return s.await(name, s.version)
}

// send changes a document; one that is not open is opened by it.
func (s *session) send(name, content string) {
	s.t.Helper()
	err := s.DidChange(s.t.Context(), &protocol.DidChangeTextDocumentParams{
		TextDocument:   protocol.VersionedTextDocumentIdentifier{TextDocumentIdentifier: protocol.TextDocumentIdentifier{URI: s.uri(name)}, Version: s.version},
		ContentChanges: []protocol.TextDocumentContentChangeEvent{&protocol.TextDocumentContentChangeWholeDocument{Text: content}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// await gives the diagnostics of a file at a version; 0: as it is on disk.
func (s *session) await(name string, version int32) []protocol.Diagnostic {
	s.t.Helper()
	for {
		select {
		case p := <-s.published:
			v, _ := p.Version.Get()
			if p.URI == s.uri(name) && v == version {
				return p.Diagnostics
			}
		case err := <-s.ended:
			s.t.Fatalf("the server has ended: %v", err)
		}
	}
}

// place takes the mark out of content and gives its position.
func (s *session) place(name, marked string) (content string, at protocol.TextDocumentPositionParams) {
	s.t.Helper()
	before, after, ok := strings.Cut(marked, "¦")
	if !ok {
		s.t.Fatalf("no mark in %q", marked)
	}
	content = before + after
	return content, protocol.TextDocumentPositionParams{
		TextDocument: protocol.TextDocumentIdentifier{URI: s.uri(name)},
		Position:     newText([]byte(content), false).position(len(before)),
	}
}

func (s *session) complete(name, marked string) []protocol.CompletionItem {
	s.t.Helper()
	content, at := s.place(name, marked)
	s.open(name, content)
	result, err := s.Completion(s.t.Context(), &protocol.CompletionParams{TextDocumentPositionParams: at})
	if err != nil {
		s.t.Fatal(err)
	}
	return result.(*protocol.CompletionList).Items
}

func labels(items []protocol.CompletionItem) []string {
	slices.SortStableFunc(items, func(a, b protocol.CompletionItem) int {
		x, _ := a.SortText.Get()
		y, _ := b.SortText.Get()
		return strings.Compare(x, y)
	})
	var list []string
	for _, i := range items {
		list = append(list, i.Label)
	}
	return list
}

// apply gives content with an item put in.
func apply(content string, i protocol.CompletionItem) string {
	e := i.TextEdit.(*protocol.TextEdit)
	t := newText([]byte(content), false)
	return content[:t.offset(e.Range.Start)] + e.NewText + content[t.offset(e.Range.End):]
}
