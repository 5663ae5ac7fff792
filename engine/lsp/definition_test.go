package lsp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"
)

func TestDefinition(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"source":         {"flow \"a\" {\n  from = source.webhook.sh¦op\n}", "other.hcl 7:0-7:23"},
		"sink":           {"flow \"a\" {\n  to = [sink.http.erp, si¦nk.log.debug]\n}", "other.hcl 11:0-11:18"},
		"flow here":      {"flow \"a\" {\n  to = flow.¦b\n}\nflow \"b\" {\n}", "a.hcl 3:0-3:8"},
		"transform":      {"flow \"a\" {\n  apply { transform = transform.cle¦an }\n}", "other.hcl 13:0-13:17"},
		"variable":       {"locals {\n  a = lower(var.si¦te)\n}", "other.hcl 0:0-0:15"},
		"local in expr":  {"flow \"a\" {\n  filter { when = \"body.x == local.t¦ag\" }\n}", "other.hcl 4:9-4:12"},
		"local, further": {"locals { o = { a = 1 } }\nflow \"a\" {\n  filter { when = \"body.x == local.o.¦a\" }\n}", "a.hcl 0:9-0:10"},
		"secret in expr": {"flow \"a\" {\n  filter { when = \"sha256(secret.e¦rp) == ''\" }\n}", "other.hcl 5:0-5:12"},
		"in a hole":      {"sink \"http\" \"b\" {\n  path = \"/{{ var.si¦te }}\"\n}", "other.hcl 0:0-0:15"},
		"its own name":   {"flow \"¦a\" {\n}", "a.hcl 0:0-0:8"},
		"file":           {"locals {\n  a = file(\"sub/x.j¦son\")\n}", "sub/x.json 0:0-0:0"},
		"no file":        {"locals {\n  a = file(\"sub/y.j¦son\")\n}", ""},
		"unknown":        {"flow \"a\" {\n  to = sink.log.no¦where\n}", ""},
		"function":       {"locals {\n  a = low¦er(\"A\")\n}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, map[string]string{"other.hcl": declared, "sub/x.json": "{}"})
			content, at := s.place("a.hcl", tc.text)
			s.open("a.hcl", content)
			result, err := s.Definition(t.Context(), &protocol.DefinitionParams{TextDocumentPositionParams: at})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if l, ok := result.(*protocol.Location); ok {
				r := l.Range
				got = fmt.Sprintf("%s %d:%d-%d:%d", strings.TrimPrefix(string(l.URI), string(s.uri("."))+"/"), r.Start.Line, r.Start.Character, r.End.Line, r.End.Character)
			}
			if got != tc.want {
				t.Errorf("%s, not %s", got, tc.want)
			}
		})
	}
}

func TestSymbols(t *testing.T) {
	s := start(t, nil)
	s.open("a.hcl", "locals {\n  tag = 1\n}\nflow \"a\" {\n  filter { when = \"true\" }\n  route {\n    case \"x\" {\n      set { a = \"1\" }\n    }\n  }\n  lookup \"http\" \"c\" {\n\nsink \"log\" \"l\" {}\n")
	result, err := s.DocumentSymbol(t.Context(), &protocol.DocumentSymbolParams{TextDocument: protocol.TextDocumentIdentifier{URI: s.uri("a.hcl")}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var list func(all []protocol.DocumentSymbol, indent string)
	list = func(all []protocol.DocumentSymbol, indent string) {
		for _, x := range all {
			got = append(got, fmt.Sprintf("%s%s %d-%d", indent, x.Name, x.Range.Start.Line, x.Range.End.Line))
			list(x.Children, indent+" ")
		}
	}
	list(result.(protocol.DocumentSymbolSlice), "")
	want := []string{
		"locals 0-2", " local.tag 1-1", "flow.a 3-12", " filter 4-4", " route 5-9", "  case x 6-8", "   set 7-7", " lookup http c 10-12", "sink.log.l 12-12",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFormatting(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"layout":   {"flow \"a\" {\nconcurrency=1\n  order_by = \"a\"\n}\n\n# ñ𝄞\nsink \"log\" \"l\" {\n}\n", "flow \"a\" {\n  concurrency = 1\n  order_by    = \"a\"\n}\n\n# ñ𝄞\nsink \"log\" \"l\" {\n}\n"},
		"done":     {"flow \"a\" {\n}\n", ""},
		"mistakes": {"flow \"a\" {\n  a=1\n", ""},
		"last":     {"a {\n  b=1\n}\n", "a {\n  b = 1\n}\n"},
		"empty":    {"", ""},
	} {
		s := start(t, nil)
		s.open("a.hcl", tc.text)
		edits, err := s.Formatting(t.Context(), &protocol.DocumentFormattingParams{TextDocument: protocol.TextDocumentIdentifier{URI: s.uri("a.hcl")}})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range edits {
			got = apply(tc.text, protocol.CompletionItem{TextEdit: &e})
		}
		if got != tc.want {
			t.Errorf("%s: %+v makes\n%s", name, edits, got)
		}
		if name == "layout" && (edits[0].Range.Start.Line != 1 || edits[0].Range.End.Line != 3) {
			t.Errorf("more was replaced than has changed: %+v", edits)
		}
	}
}
