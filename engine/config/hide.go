package config

import (
	"bytes"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/spelling"
)

// attributeNames are the names that kinds and blocks give to attributes, true for
// those that hold a secret somewhere.
type attributeNames map[string]bool

func (l *loader) attributeNames() attributeNames {
	if l.attributes == nil {
		l.attributes = attributeNames{}
		for _, top := range []any{variableConfig{}, secretConfig{}, listenerConfig{}, daemonConfig{}} {
			l.attributes.collect(l.specs, reflect.TypeOf(top))
		}
		for _, kinds := range l.kinds {
			for _, k := range kinds {
				l.attributes.collect(l.specs, reflect.TypeOf(k.NewConfig()).Elem())
			}
		}
	}
	return l.attributes
}

func (a attributeNames) collect(s specs, t reflect.Type) {
	for _, f := range s.of(t).fields {
		switch {
		case f.form == block:
			a.collect(s, structOf(f.typ))
		case f.form == choice:
			for _, label := range s.of(structOf(f.typ)).fields {
				a.collect(s, structOf(label.typ))
			}
		default:
			a[f.name] = a[f.name] || f.secret || holdsSecret(f.typ)
		}
	}
}

func holdsSecret(t reflect.Type) bool {
	return t == secretType || t.Kind() == reflect.Map && t.Elem() == secretType
}

// secret tells whether name is an attribute that holds secrets, or was probably
// meant to be one.
func (a attributeNames) secret(name string) bool {
	secret, known := a[name]
	if known {
		return secret
	}
	var names []string
	for n, secret := range a {
		if secret {
			names = append(names, n)
		}
	}
	return slices.ContainsFunc(names, func(n string) bool { return spelling.Distance(name, n) <= 2 }) || spelling.Nearest(name, names) != ""
}

// shown is text, which stands at offset of f, as messages may quote it: what
// attributes that hold secrets are set to in so many words is starred out. Steps
// hold no secrets.
func (l *loader) shown(f *file, offset int, text string) string {
	return hidePasswords(l.hide(f, offset, text, func(t hclsyntax.Token) string {
		return strings.Repeat("*", utf8.RuneCount(t.Bytes)) // carets stay where they are
	}))
}

// password is that of a URL.
var password = regexp.MustCompile(`(//[^/@\s":]*:)([^/@\s"]+)@`)

// hidePasswords stars out what stands in URLs.
func hidePasswords(text string) string {
	return password.ReplaceAllStringFunc(text, func(url string) string {
		m := password.FindStringSubmatch(url)
		return m[1] + strings.Repeat("*", utf8.RuneCountInString(m[2])) + "@"
	})
}

// hide puts something else in the place of each secret in text.
func (l *loader) hide(f *file, offset int, text string, instead func(hclsyntax.Token) string) string {
	around := f.blockAt(offset)
	if !strings.ContainsAny(text, `"=`) || holdsSteps(around) {
		return text
	}
	h := hider{names: l.attributeNames(), plain: isPlain(around)}
	tokens, _ := hclsyntax.LexConfig([]byte(text), "", hcl.InitialPos)
	for i := range tokens {
		h.token(tokens, i)
	}
	for _, literal := range slices.Backward(h.secrets) {
		text = text[:literal.Range.Start.Byte] + instead(literal) + text[literal.Range.End.Byte:]
	}
	return text
}

// blockAt is the block of the top level that offset is in, or behind; nil before the first.
func (f *file) blockAt(offset int) *hclsyntax.Block {
	var at *hclsyntax.Block
	for _, b := range f.body.Blocks {
		if b.TypeRange.Start.Byte <= offset {
			at = b
		}
	}
	return at
}

func holdsSteps(b *hclsyntax.Block) bool {
	return b != nil && (b.Type == "flow" || b.Type == "transform")
}

// isPlain tells of a variable that is not sensitive: its default may be shown.
func isPlain(b *hclsyntax.Block) bool {
	return b != nil && b.Type == "variable" && b.Body.Attributes["sensitive"] == nil
}

// hider finds the literals in a piece of HCL that are to be hidden.
type hider struct {
	names   attributeNames
	secrets hclsyntax.Tokens
	hiding  bool
	depth   int  // of brackets since hiding began
	named   bool // the next literal is the name of what holds a secret
	plain   bool // a default is none
}

func (h *hider) token(ts hclsyntax.Tokens, i int) {
	switch t := ts[i]; t.Type {
	case hclsyntax.TokenIdent:
		h.ident(string(t.Bytes), ts[i+1].Type)
		if h.hiding && h.bare(ts, i) {
			h.secrets = append(h.secrets, t)
		}
	case hclsyntax.TokenNumberLit:
		if h.hiding {
			h.secrets = append(h.secrets, t)
		}
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp:
		h.depth++
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
		h.depth--
		h.hiding = h.hiding && h.depth >= 0
	case hclsyntax.TokenNewline:
		h.hiding = h.hiding && h.depth > 0
	case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		// A template's own text is no secret.
		if h.hiding && !h.named && !isKey(ts, i) && !bytes.Contains(t.Bytes, []byte("{{")) {
			h.secrets = append(h.secrets, t)
		}
		h.named = false
	}
}

// ident begins to hide at NAME = and sensitive(, and ends at the next attribute.
func (h *hider) ident(name string, next hclsyntax.TokenType) {
	switch {
	case next == hclsyntax.TokenOParen && (name == "env" || name == "credential" || name == "file"):
		h.named = true
	case h.hiding && h.depth > 0:
	case next == hclsyntax.TokenEqual:
		h.hiding, h.depth = h.names.secret(name) && !(h.plain && name == "default"), 0
	case next == hclsyntax.TokenOParen && name == "sensitive":
		h.hiding, h.depth = true, 0
	}
}

// bare tells whether the word ts[i] is most likely a text whose quotes are missing:
// no name of anything, no call, no key.
func (h *hider) bare(ts hclsyntax.Tokens, i int) bool {
	switch string(ts[i].Bytes) {
	case "true", "false", "null":
		return false
	}
	switch ts[i+1].Type {
	case hclsyntax.TokenOParen, hclsyntax.TokenDot, hclsyntax.TokenOBrack, hclsyntax.TokenEqual, hclsyntax.TokenColon,
		hclsyntax.TokenOBrace, hclsyntax.TokenOQuote:
		return false
	}
	return i == 0 || ts[i-1].Type != hclsyntax.TokenDot
}

// hidden tells whether what stands at at is starred out where it is shown.
func (l *loader) hidden(at spot) bool {
	from := at.file.lines[at.file.pos(at.start).Line-1]
	line := string(at.file.text[from:at.end])
	return !strings.HasSuffix(l.shown(at.file, at.start, line+"\n"), string(at.file.text[at.start:at.end])+"\n")
}

// isKey tells whether the quoted literal ts[i] is the key of an item.
func isKey(ts hclsyntax.Tokens, i int) bool {
	if i+2 >= len(ts) || ts[i+1].Type != hclsyntax.TokenCQuote {
		return false
	}
	next := ts[i+2].Type
	return next == hclsyntax.TokenEqual || next == hclsyntax.TokenColon
}
