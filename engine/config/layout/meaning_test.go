package layout

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// meaning is the syntax tree of src.
func meaning(t *testing.T, src []byte) *hclsyntax.Body {
	t.Helper()
	f, diags := hclsyntax.ParseConfig(src, "", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return f.Body.(*hclsyntax.Body)
}

// byMeaning compares syntax trees by all but the places of things.
var byMeaning = cmp.Options{
	cmpopts.IgnoreTypes(hcl.Range{}, hcl.Pos{}),
	cmpopts.EquateEmpty(),
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b cty.Value) bool { return a.RawEquals(b) }),
	cmp.Comparer(func(a, b *hclsyntax.Operation) bool { return a == b }),
}

// texts are the quoted strings and heredocs of src, as they are written.
func texts(src []byte) []string {
	var list []string
	for _, p := range pieces(append(bytes.Clone(src), '\n')) {
		if !p.comment {
			list = append(list, strings.TrimRight(string(src[p.start:p.end]), " \t\r"))
		}
	}
	return list
}

// comments are the comments of src, without white space at the ends of lines.
func comments(src []byte) []string {
	var list []string
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth++
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth--
		case hclsyntax.TokenComment:
			if depth == 0 {
				list = append(list, strings.TrimSpace(string(trailing.ReplaceAll(plain(t.Bytes), nil))))
			}
		}
	}
	return list
}
