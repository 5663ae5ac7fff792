package lsp

import (
	"slices"
	"strings"
	"testing"
)

// declared is what the other file of the workspace holds.
const declared = `variable "site" {
  description = "Where we are."
  default     = "scl"
}
locals { tag = "acme" }
secret "erp" { value = "s3cret" }
connection "http" "crm" { base_url = "https://crm.example" }
source "webhook" "shop" {
  path = "/shop"
  verify "none" {}
}
sink "log" "debug" { description = "For people." }
sink "http" "erp" { connection = connection.http.crm }
transform "clean" {
  filter { when = "true" }
}
`

func TestCompletion(t *testing.T) {
	for name, tc := range map[string]struct {
		text  string
		first string   // label that comes first, "" for any
		want  []string // labels among what is offered
		not   []string
		item  string // label of the item that is put in …
		after string // … and what becomes of the text
	}{
		"top level": {
			text: "¦", want: []string{"daemon", `source "webhook"`, `sink "http"`, "flow", `listener "http"`, "locals"}, not: []string{"filter", "path"},
			item: `source "webhook"`, after: "source \"webhook\" \"${1:name}\" {\n  path = ${2:\"/hooks/orders\"}\n  $0\n}",
		},
		"top level, a word": {text: "flow \"a\" {\n}\nfl¦", want: []string{"flow"}, item: "flow", after: "flow \"a\" {\n}\nflow \"${1:name}\" {\n  $0\n}"},
		"kind":              {text: `sink "¦`, want: []string{`"http"`, `"log"`, `"files"`}, not: []string{`"webhook"`}, item: `"log"`, after: "sink \"log\" \"${1:name}\" {\n  $0\n}"},
		"kind, with more":   {text: "sink \"h¦\" \"erp\" {\n}", want: []string{`"http"`}, item: `"http"`, after: "sink \"http\" \"erp\" {\n}"},
		"kind, unquoted":    {text: "source ¦", want: []string{`"webhook"`}},
		"name":              {text: `sink "http" "¦`, not: []string{`"http"`, "path"}},
		"attributes": {
			text: "source \"webhook\" \"a\" {\n  ¦\n}", first: "path", want: []string{"path", "methods", "verify \"hmac\"", "description"}, not: []string{"filter", "base_url"},
			item: "methods", after: "source \"webhook\" \"a\" {\n  methods = [\"$1\"]\n}",
		},
		"attributes given":        {text: "source \"webhook\" \"a\" {\n  path = \"/a\"\n  me¦\n}", want: []string{"methods"}, not: []string{"path"}},
		"attributes, block open":  {text: "source \"webhook\" \"a\" {\n  ¦\n\nsink \"log\" \"x\" {\n}", want: []string{"path"}},
		"attributes, quote open":  {text: "source \"webhook\" \"a\" {\n  id = \"body.id\n  ¦\n}", want: []string{"path"}, not: []string{"id"}},
		"attributes, bracket":     {text: "flow \"a\" {\n  to = [sink.log.debug\n  ¦\n}\n", not: []string{"filter"}},
		"attributes behind it":    {text: "flow \"a\" {\n  to = [sink.log.debug\n  concurrency = 1\n  ¦\n}\n", want: []string{"filter", "order_by"}, not: []string{"to", "concurrency"}},
		"nested block":            {text: "source \"webhook\" \"a\" {\n  verify \"hmac\" {\n    ¦\n  }\n}", want: []string{"secret", "header"}, not: []string{"path"}},
		"nested kind":             {text: "source \"webhook\" \"a\" {\n  verify \"¦\n}", want: []string{`"hmac"`, `"none"`}, not: []string{`"webhook"`}},
		"steps":                   {text: "flow \"a\" {\n  ¦\n}", want: []string{"filter", "map", "route", "apply", "from", "to"}, not: []string{"case", "path"}},
		"format of a step":        {text: "flow \"a\" {\n  decode \"¦\n}", want: []string{`"csv"`, `"xlsx"`}, not: []string{`"http"`}, item: `"xml"`, after: "flow \"a\" {\n  decode \"xml\" {\n  $0\n}\n}"},
		"attributes of a format":  {text: "flow \"a\" {\n  decode \"csv\" {\n    ¦\n  }\n}", want: []string{"from", "as", "delimiter"}, not: []string{"each"}},
		"steps of a transform":    {text: "transform \"a\" {\n  ¦\n}", want: []string{"filter", "description"}, not: []string{"from"}},
		"route":                   {text: "flow \"a\" {\n  route {\n    ¦\n  }\n}", want: []string{"case", "otherwise", "mode"}, not: []string{"filter"}},
		"case":                    {text: "flow \"a\" {\n  route {\n    case \"x\" {\n      ¦\n    }\n  }\n}", want: []string{"when", "to", "filter"}, not: []string{"from"}},
		"one line":                {text: "flow \"a\" {\n  filter { wh¦ }\n}", want: []string{"when"}},
		"daemon":                  {text: "daemon {\n  ¦\n}", want: []string{"state_dir", "log", "journal"}},
		"block that may be once":  {text: "daemon {\n  log {}\n  ¦\n}", want: []string{"journal"}, not: []string{"log"}},
		"fields":                  {text: "flow \"a\" {\n  map {\n    ¦\n  }\n}", not: []string{"filter"}},
		"sources":                 {text: "flow \"a\" {\n  from = ¦\n}", want: []string{"source.webhook.shop"}, not: []string{"sink.log.debug", "var.site", "env"}},
		"references in a list":    {text: "flow \"a\" {\n  to = [sink.log.debug, ¦]\n}", want: []string{"sink.http.erp", "flow.a"}, not: []string{"sink.log.debug", "source.webhook.shop"}},
		"references begun":        {text: "flow \"a\" {\n  to = [sink.ht¦\n}", want: []string{"sink.http.erp"}, item: "sink.http.erp", after: "flow \"a\" {\n  to = [sink.http.erp\n}"},
		"connection":              {text: "sink \"http\" \"b\" {\n  connection = ¦\n}", want: []string{"connection.http.crm"}, not: []string{"sink.http.erp"}},
		"transform":               {text: "flow \"a\" {\n  apply { transform = t¦ }\n}", want: []string{"transform.clean"}},
		"enum in quotes":          {text: "daemon {\n  log {\n    level = \"¦\"\n  }\n}", want: []string{"info", "debug"}, item: "debug", after: "daemon {\n  log {\n    level = \"debug\"\n  }\n}"},
		"enum without":            {text: "daemon {\n  log {\n    level = ¦\n  }\n}", want: []string{`"info"`, "var.site", "env"}},
		"enum begun, quote open":  {text: "daemon {\n  reload = \"ma¦\n}\n", want: []string{"manual"}, item: "manual", after: "daemon {\n  reload = \"manual\n}\n"},
		"enum in a list":          {text: "source \"webhook\" \"a\" {\n  methods = [\"POST\", \"¦\"]\n}", want: []string{"PUT"}},
		"bool":                    {text: "flow \"a\" {\n  enabled = ¦\n}", first: "false", want: []string{"true", "false"}},
		"value":                   {text: "locals {\n  a = ¦\n}", want: []string{"var.site", "local.tag", "secret.erp", "env", "jsondecode"}, not: []string{"hmacSha256", "body"}},
		"var.":                    {text: "locals {\n  a = var.¦\n}", want: []string{"var.site"}, not: []string{"env"}, item: "var.site", after: "locals {\n  a = var.site\n}"},
		"in ${}":                  {text: "source \"webhook\" \"a\" {\n  path = \"/x/${var.¦}\"\n}", want: []string{"var.site"}},
		"in ${, open":             {text: "source \"webhook\" \"a\" {\n  path = \"/x/${¦\n}\n", want: []string{"var.site", "lower"}},
		"in a function":           {text: "locals {\n  a = lower(¦)\n}", want: []string{"var.site", "upper"}},
		"plain text":              {text: "source \"webhook\" \"a\" {\n  path = \"/¦\"\n}", not: []string{"var.site", "env", "body"}},
		"expr":                    {text: "flow \"a\" {\n  filter { when = \"¦\" }\n}", want: []string{"body", "meta", "event", "vars", "lower", "hmacSha256", "var.site", "secret"}, not: []string{"env", "response", "jsondecode"}},
		"expr, word":              {text: "flow \"a\" {\n  filter { when = \"body.total > 0 and lo¦", want: []string{"lower"}, item: "lower", after: "flow \"a\" {\n  filter { when = \"body.total > 0 and lower($0)"},
		"expr, event.":            {text: "flow \"a\" {\n  filter { when = \"event.¦\" }\n}", want: []string{"id", "source", "time", "key"}, not: []string{"lower"}, item: "id", after: "flow \"a\" {\n  filter { when = \"event.id\" }\n}"},
		"expr, meta.":             {text: "flow \"a\" {\n  filter { when = \"meta.he¦\" }\n}", want: []string{"header", "headers", "query"}, item: "header", after: "flow \"a\" {\n  filter { when = \"meta.header\" }\n}"},
		"expr, var.":              {text: "flow \"a\" {\n  filter { when = \"body.x == var.¦\" }\n}", want: []string{"var.site"}, not: []string{"body"}},
		"expr, unknown fields":    {text: "flow \"a\" {\n  filter { when = \"body.¦\" }\n}", not: []string{"lower", "id", "body"}},
		"expr, of an element":     {text: "flow \"a\" {\n  map { n = \"map(body.items, .¦)\" }\n}", not: []string{"lower", "body"}},
		"expr, in its own text":   {text: "flow \"a\" {\n  filter { when = \"body.x == 'lo¦\" }\n}", not: []string{"lower", "local"}},
		"expr in an object":       {text: "flow \"a\" {\n  map {\n    s = { city = \"up¦\" }\n  }\n}", want: []string{"upper", "body"}},
		"key of an object":        {text: "flow \"a\" {\n  map {\n    s = { ¦ }\n  }\n}", not: []string{"upper", "env", "body"}},
		"expr as a value":         {text: "flow \"a\" {\n  order_by = ¦\n}", want: []string{`""`, "var.site"}, item: `""`, after: "flow \"a\" {\n  order_by = \"$0\"\n}"},
		"expr in a heredoc":       {text: "flow \"a\" {\n  filter {\n    when = <<-EXPR\n      body.total > 0 and\n      lo¦\n    EXPR\n  }\n}", want: []string{"lower", "body"}},
		"response":                {text: "sink \"http\" \"b\" {\n  success = \"response.¦\"\n}", want: []string{"status"}},
		"template, outside holes": {text: "sink \"http\" \"b\" {\n  path = \"/x/¦\"\n}", not: []string{"body", "lower"}},
		"template, in a hole":     {text: "sink \"http\" \"b\" {\n  path = \"/x/{{ body.id }}/{{ ¦ }}\"\n}", want: []string{"body", "lower"}},
		"template, open hole":     {text: "sink \"http\" \"b\" {\n  path = \"/x/{{ event.¦\n}\n", want: []string{"id"}},
		"template, behind a hole": {text: "sink \"http\" \"b\" {\n  path = \"/x/{{ map(body.l, {{a: .b}}) }}/¦\"\n}", not: []string{"body"}},
		"template in an object":   {text: "sink \"http\" \"b\" {\n  headers = { X-Id = \"{{ ev¦ }}\" }\n}", want: []string{"event"}},
		"unknown block":           {text: "sink \"nonsense\" \"b\" {\n  ¦\n}", not: []string{"path", "flow"}},
		"behind a character of two units": {
			text: "flow \"a\" {\n  filter { when = \"body.x == '𝄞ñ' and lo¦\" }\n}", want: []string{"lower"},
			item: "lower", after: "flow \"a\" {\n  filter { when = \"body.x == '𝄞ñ' and lower($0)\" }\n}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, map[string]string{"other.hcl": declared})
			items := s.complete("a.hcl", tc.text)
			got := labels(items)
			for _, label := range tc.want {
				if !slices.Contains(got, label) {
					t.Errorf("%s is not among %q", label, got)
				}
			}
			for _, label := range tc.not {
				if slices.Contains(got, label) {
					t.Errorf("%s is among %q", label, got)
				}
			}
			if tc.first != "" && (len(got) == 0 || got[0] != tc.first) {
				t.Errorf("%q, not %s first", got, tc.first)
			}
			if i := slices.Index(got, tc.item); tc.item != "" && i >= 0 {
				if after := apply(strings.Replace(tc.text, "¦", "", 1), items[i]); after != tc.after {
					t.Errorf("%s makes\n%s\nnot\n%s", tc.item, after, tc.after)
				}
			}
		})
	}
}
