// Package lsp is a language server: it lets editors show what `syncd validate` finds
// while a configuration is being typed, complete it, explain it and lead to what it
// names. The protocol itself is the library's, go.lsp.dev/protocol.
package lsp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"sync"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/expr"
)

// Options say what a server serves.
type Options struct {
	Kinds   []component.Kind
	Path    string         // of the configuration; "": found from the workspace or the file that is open
	Config  config.Options // what the configuration may refer to
	Version string         // of this program, for the editor's logs
	Log     *slog.Logger   // never to standard output, which belongs to the protocol
}

// GCPercent is how the garbage collector of a process should be set that serves an
// editor: what it keeps is small, and nearly all that a keystroke makes goes at once.
const GCPercent = 400

// Server answers one editor.
//
// Requests and notifications are handled one after the other as they arrive, from
// what is at hand: the text of the document and what the latest reading of its
// configuration found. Reading happens beside them, in a goroutine of its own.
type Server struct {
	protocol.UnimplementedServer

	opts     Options
	language *config.Language
	opening  *regexp.Regexp              // see opening
	values   map[string]expr.FunctionDoc // functions of values
	exprs    map[string]expr.FunctionDoc // functions of expressions
	client   protocol.Client
	editor   editor // as initialize told
	phase    phase
	wake     chan struct{} // a project has become stale

	background sync.WaitGroup // of what runs beside the reader of messages

	mu        sync.Mutex           // guards what follows
	documents map[string]*document // that are open, by path
	projects  map[string]*project  // by root
}

// phase is how far the protocol has come. Only the reader of messages looks at it.
type phase int

const (
	fresh phase = iota
	running
	shutDown
	vanished // exit without shutdown
	exited
)

// ErrNotShutDown is what Serve returns when the editor has gone without a shutdown.
var ErrNotShutDown = errors.New("the editor has gone without saying so")

// Serve answers the editor that writes to in and reads from out until it says exit, or
// in ends. All that it started has then ended.
func Serve(ctx context.Context, in io.Reader, out io.Writer, opts Options) error {
	s := newServer(opts)
	conn := jsonrpc2.NewConn(newStream(in, out, s), jsonrpc2.WithCodec(codec{}))
	s.client = protocol.ClientDispatcher(conn)
	ctx, cancel := context.WithCancel(ctx)
	s.background.Go(func() { s.keepReading(ctx) })
	conn.Go(ctx, s.handle)
	<-conn.Done()
	cancel()
	s.background.Wait()
	if s.phase != exited {
		return errors.Join(ErrNotShutDown, conn.Err())
	}
	return nil
}

func newServer(opts Options) *Server {
	language := config.Describe(opts.Kinds)
	return &Server{
		opts: opts, language: language, opening: opening(language), wake: make(chan struct{}, 1),
		values: byName(config.LoadFunctions()), exprs: byName(expr.Functions()),
		documents: map[string]*document{}, projects: map[string]*project{},
	}
}

func byName(all []expr.FunctionDoc) map[string]expr.FunctionDoc {
	m := make(map[string]expr.FunctionDoc, len(all))
	for _, f := range all {
		m[f.Name] = f
	}
	return m
}

// codec reads and writes the payloads of messages.
type codec struct{}

func (codec) Marshal(v any) ([]byte, error)      { return protocol.Marshal(v) }
func (codec) Unmarshal(data []byte, v any) error { return protocol.Unmarshal(data, v) }
