package lsp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
)

// repeated is what the other file holds here.
const repeated = `table "countries" {
  description = "By code."
  file        = "countries.csv"
  key         = "code"
}
source "webhook" "many" {
  for_each = toset(["cl", "pe"])
  path     = "/many/${each.key}"
  verify "none" {}
}
`

// TestEachAndTables completes, explains and follows the names of tables, each and the
// keys of a for_each.
func TestEachAndTables(t *testing.T) {
	flow := func(when string) string { return "flow \"a\" {\n  filter { when = \"" + when + "\" }\n}" }
	each := func(line string) string { return "flow \"a\" {\n  for_each = { x = 1 }\n  " + line + "\n}" }
	for name, tc := range map[string]struct {
		text       string
		offered    string // all labels, "" if that does not matter
		hover      string // part of it
		definition string
	}{
		"table":               {flow("table('¦countries', body.c) != nil"), "countries", "By code.", "other.hcl 0:0"},
		"table begun":         {flow("table('cou¦"), "countries", "", ""},
		"table, double quote": {flow("table(\\\"coun¦tries\\\", body.c) != nil"), "countries", "table: Lookup data", "other.hcl 0:0"},
		"unknown table":       {flow("table('nope¦', body.c) != nil"), "countries", "**when**", ""},
		"text":                {flow("lower('¦') != nil"), "-", "", ""},
		"each":                {each("order_by = \"each.k¦ey\""), "key value", "The key of the element", "a.hcl 1:2"},
		"each at load":        {each("description = each.val¦ue"), "", "The value of the element", "a.hcl 1:2"},
		"each without":        {flow("each.¦key == ''"), "-", "**when**", ""},
		"key":                 {each("from = source.webhook.many[\"c¦l\"]"), "cl pe", "source.webhook.many[\"cl\"]", "other.hcl 5:0"},
		"key begun":           {each("from = source.webhook.many[¦]"), "\"cl\" \"pe\" each.key each.value", "", ""},
		"key in list":         {each("from = [source.webhook.many[\"cl\"], source.webhook.many[\"¦\"]]"), "cl pe", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, map[string]string{"other.hcl": repeated, "countries.csv": "code,name\ncl,Chile\n"})
			if tc.offered != "" {
				if got := s.offers("a.hcl", tc.text); strings.Join(got, " ") != strings.Trim(tc.offered, "-") {
					t.Errorf("offered: %q, not %q", got, tc.offered)
				}
			}
			if got := s.hover("a.hcl", tc.text); tc.hover != "" && !strings.Contains(got, tc.hover) {
				t.Errorf("hover: %q, not %q", got, tc.hover)
			}
			if got := s.defined("a.hcl", tc.text); got != tc.definition {
				t.Errorf("definition: %q, not %q", got, tc.definition)
			}
		})
	}
}

// offers are the labels of what is offered, in order.
func (s *session) offers(name, marked string) []string {
	s.t.Helper()
	got := labels(s.complete(name, marked))
	slices.Sort(got)
	return got
}

// defined is the place that a definition leads to, "" for none.
func (s *session) defined(name, marked string) string {
	s.t.Helper()
	_, at := s.place(name, marked)
	result, err := s.Definition(s.t.Context(), &protocol.DefinitionParams{TextDocumentPositionParams: at})
	if err != nil {
		s.t.Fatal(err)
	}
	l, ok := result.(*protocol.Location)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s %d:%d", strings.TrimPrefix(string(l.URI), string(s.uri("."))+"/"), l.Range.Start.Line, l.Range.Start.Character)
}
