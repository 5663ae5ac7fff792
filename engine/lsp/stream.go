package lsp

import (
	"context"
	"errors"
	"io"

	"go.lsp.dev/jsonrpc2"
)

// stream passes over messages that cannot be read, and ends with exit, since
// standard input stays open then.
type stream struct {
	jsonrpc2.Stream
	server *Server
}

func newStream(in io.Reader, out io.Writer, s *Server) stream {
	return stream{jsonrpc2.NewStream(pipes{in, out}), s}
}

func (s stream) Read(ctx context.Context) (jsonrpc2.Message, int64, error) {
	for {
		if s.server.phase >= vanished {
			return nil, 0, io.EOF
		}
		m, n, err := s.Stream.Read(ctx)
		var bad *jsonrpc2.Error
		if !errors.As(err, &bad) {
			return m, n, err
		}
		s.server.opts.Log.Warn("a message that cannot be read", "error", err)
	}
}

// pipes are not ours to close.
type pipes struct {
	io.Reader
	io.Writer
}

func (pipes) Close() error { return nil }
