package lsp

import (
	"strings"
	"testing"

	"go.lsp.dev/protocol"
)

func (s *session) hover(name, marked string) string {
	s.t.Helper()
	content, at := s.place(name, marked)
	s.open(name, content)
	h, err := s.Hover(s.t.Context(), &protocol.HoverParams{TextDocumentPositionParams: at})
	if err != nil {
		s.t.Fatal(err)
	}
	if h == nil {
		return ""
	}
	t := newText([]byte(content), false)
	return content[t.offset(h.Range.Start):t.offset(h.Range.End)] + "\n" + h.Contents.(*protocol.MarkupContent).Value
}

func TestHover(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string // the first is what is marked; none: there is no hover
	}{
		"block":              {`so¦urce "webhook" "a" {}`, []string{"source \"webhook\" \"a\"\n", "**source \"webhook\"**", "required: `path`"}},
		"step":               {"flow \"a\" {\n  fil¦ter { when = \"true\" }\n}", []string{"filter\n", "**filter**", "`when`"}},
		"nested":             {"source \"webhook\" \"a\" {\n  verify \"hm¦ac\" {\n  }\n}", []string{"verify \"hmac\"\n", "`secret`"}},
		"attribute":          {"daemon {\n  rel¦oad = \"auto\"\n}", []string{"reload\n", "**reload** — text", "default: `\"auto\"`", "one of: `auto`, `manual`"}},
		"value":              {"daemon {\n  reload = \"au¦to\"\n}", []string{"reload\n", "**reload**"}},
		"expr attribute":     {"flow \"a\" {\n  filter { wh¦en = \"true\" }\n}", []string{"when\n", "as an expression", "yields: bool", "sees: `body`"}},
		"field":              {"flow \"a\" {\n  map {\n    to¦tal = \"body.total\"\n  }\n}", []string{"total\n", "**NAME**"}},
		"reference":          {"flow \"a\" {\n  to = [sink.log.deb¦ug]\n}", []string{"sink.log.debug\n", "For people.", "sink \"log\"", "other.hcl:12"}},
		"variable":           {"locals {\n  a = var.si¦te\n}", []string{"var.site\n", "Where we are.", `"scl"`, "other.hcl:1"}},
		"variable in expr":   {"flow \"a\" {\n  filter { when = \"body.x == var.si¦te\" }\n}", []string{"var.site\n", "Where we are."}},
		"variable in ${}":    {"source \"webhook\" \"a\" {\n  path = \"/${var.si¦te}\"\n}", []string{"var.site\n", `"scl"`}},
		"local itself":       {"locals {\n  a¦b = 1\n}", []string{"ab\n", "**local.ab**", "```hcl\n1\n```", "a.hcl:2"}},
		"secret":             {"sink \"http\" \"b\" {\n  sign \"standard\" { secret = secret.e¦rp }\n}", []string{"secret.erp\n", "does not show"}},
		"load function":      {"locals {\n  a = jsonde¦code(\"1\")\n}", []string{"jsondecode\n", "jsondecode(s)", "→ [1,2]"}},
		"expr function":      {"flow \"a\" {\n  filter { when = \"hmacSha¦256('k', body.x) == ''\" }\n}", []string{"hmacSha256\n", "hmacSha256(key, s)"}},
		"name":               {"flow \"a\" {\n  filter { when = \"bo¦dy.total > 0\" }\n}", []string{"body\n", "decoded payload"}},
		"field of event":     {"flow \"a\" {\n  filter { when = \"event.i¦d != ''\" }\n}", []string{"event.id\n", "sortable by time"}},
		"in a hole":          {"sink \"http\" \"b\" {\n  path = \"/{{ event.i¦d }}\"\n}", []string{"event.id\n", "sortable by time"}},
		"outside of a hole":  {"sink \"http\" \"b\" {\n  path = \"/bo¦dy/{{ event.id }}\"\n}", []string{"path\n", "**path**"}},
		"in a text of expr":  {"flow \"a\" {\n  filter { when = \"'bo¦dy' == ''\" }\n}", []string{"when\n"}},
		"heredoc":            {"flow \"a\" {\n  filter {\n    when = <<-E\n      low¦er(body.x) == ''\n    E\n  }\n}", []string{"lower\n", "lower(s)"}},
		"file":               {"locals {\n  a = file(\"x.j¦son\")\n}", []string{"x.json\n", "/x.json"}},
		"unknown block":      {"nonsen¦se {}", nil},
		"between":            {"flow \"a\" {\n}\n¦\nflow \"b\" {\n}", nil},
		"unknown attribute":  {"daemon {\n  nonsen¦se = 1\n}", nil},
		"reference in value": {"locals {\n  a = sink.log.deb¦ug\n}", []string{"sink.log.debug\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, map[string]string{"other.hcl": declared})
			got := s.hover("a.hcl", tc.text)
			if len(tc.want) == 0 && got != "" {
				t.Errorf("unexpected\n%s", got)
			}
			for i, part := range tc.want {
				if at := strings.Index(got, part); at < 0 || i == 0 && at > 0 {
					t.Errorf("%q is not in\n%s", part, got)
				}
			}
		})
	}
}

// A secret shows nowhere, whatever is asked for.
func TestSecretsStaySecret(t *testing.T) {
	hidden := "variable \"token\" {\n  default   = \"s3cret\"\n  sensitive = true\n}\nlocals { key = sensitive(\"s3cret\") }\n"
	for _, name := range []string{"secret.erp", "var.token", "local.key"} {
		s := start(t, map[string]string{"other.hcl": declared, "hidden.hcl": hidden})
		text := "sink \"http\" \"b\" {\n  sign \"standard\" { secret = " + name + "¦ }\n}"
		if got := s.hover("a.hcl", text); !strings.Contains(got, "does not show") || strings.Contains(got, "s3cret") {
			t.Errorf("%s:\n%s", name, got)
		}
		for _, i := range s.complete("a.hcl", text) {
			if doc, ok := i.Documentation.(*protocol.MarkupContent); ok && strings.Contains(doc.Value, "s3cret") {
				t.Errorf("%s:\n%s", i.Label, doc.Value)
			}
		}
	}
}
