package lsp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

func TestLifecycle(t *testing.T) {
	s := connectTo(t, Options{Version: "1.2.3"})
	s.dir = t.TempDir()
	_, err := s.Hover(t.Context(), &protocol.HoverParams{})
	if code := codeOf(err); code != -32002 {
		t.Errorf("before initialize: %v", err)
	}
	result := s.initialize(&protocol.InitializeParams{Capabilities: protocol.ClientCapabilities{
		General: &protocol.GeneralClientCapabilities{PositionEncodings: []protocol.PositionEncodingKind{"utf-32", "utf-8"}},
	}})
	if v, _ := result.ServerInfo.Version.Get(); result.ServerInfo.Name != "syncd" || v != "1.2.3" || result.Capabilities.PositionEncoding != "utf-8" {
		t.Errorf("%+v", result)
	}
	if got := shown(s.open("a.hcl", "locals { a = \"ñ\" } }\n")); len(got) != 1 || !strings.HasPrefix(got[0], "1 0:20-0:21 ") {
		t.Errorf("places in bytes: %q", got)
	}
	if h, err := s.Hover(t.Context(), &protocol.HoverParams{}); h != nil || err != nil {
		t.Errorf("of no document: %v, %v", h, err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.Hover(t.Context(), &protocol.HoverParams{}); codeOf(err) != -32600 {
		t.Errorf("after shutdown: %v", err)
	}
	if err := s.Exit(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("ended: %v", err)
	}
}

func codeOf(err error) int {
	var e *jsonrpc2.Error
	if !errors.As(err, &e) {
		return 0
	}
	return int(e.Code)
}

// conversation serves what an editor says and gives all that it is answered.
func conversation(t *testing.T, said ...string) (answers, log string, err error) {
	t.Helper()
	var in strings.Builder
	for _, m := range said {
		fmt.Fprintf(&in, "Content-Length: %d\r\n\r\n%s", len(m), m)
	}
	var out, logged bytes.Buffer
	err = Serve(context.Background(), strings.NewReader(in.String()), &out, Options{Log: slog.New(slog.NewTextHandler(&logged, nil))})
	return out.String(), logged.String(), err
}

const (
	initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}`
	shutdown   = `{"jsonrpc":"2.0","id":99,"method":"shutdown"}`
	exit       = `{"jsonrpc":"2.0","method":"exit"}`
)

// A message that makes no sense is answered or passed over; what follows is served.
func TestBrokenMessages(t *testing.T) {
	for _, broken := range []string{
		`{`, `nonsense`, `[]`, `[1]`, `"x"`, `{"jsonrpc":"2.0"}`, `{"jsonrpc":"1.0","id":2,"method":"x"}`, `{"jsonrpc":"2.0","id":2,"method":"nonsense"}`,
		`{"jsonrpc":"2.0","method":"nonsense"}`, `{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7}}`, `{"jsonrpc":"2.0","method":"$/cancelRequest","params":7}`,
		`{"jsonrpc":"2.0","method":"textDocument/didChange","params":7}`, `{"jsonrpc":"2.0","id":2,"method":"textDocument/hover","params":[]}`,
		`{"jsonrpc":"2.0","id":2,"method":"textDocument/hover"}`, `{"jsonrpc":"2.0","id":2,"result":7}`, `{"jsonrpc":"2.0","id":2,"method":"initialize","params":{}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"untitled:x","languageId":"hcl","version":1,"text":"x"}}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didClose","params":{"textDocument":{"uri":"file:///nowhere"}}}`,
	} {
		out, _, err := conversation(t, initialize, broken, shutdown, exit)
		if err != nil || !strings.Contains(out, `"id":99,"result":null`) {
			t.Errorf("%s: %v\n%s", broken, err, out)
		}
	}
}

func TestEndWithoutShutdown(t *testing.T) {
	for name, said := range map[string][]string{"exit": {initialize, exit}, "gone": {initialize}, "at once": nil, "after shutdown": {initialize, shutdown}} {
		if _, _, err := conversation(t, said...); !errors.Is(err, ErrNotShutDown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Serve(context.Background(), strings.NewReader("nonsense\r\n\r\n"), io.Discard, Options{Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, ErrNotShutDown) {
		t.Errorf("no header: %v", err)
	}
}
