package config

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
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
	return nearest(name, names) != ""
}

// shown is text, which stands at offset of f, as messages may quote it: what
// attributes that hold secrets are set to in so many words is starred out. Steps
// hold no secrets.
func (l *loader) shown(f *file, offset int, text string) string {
	if !strings.Contains(text, `"`) || f.inSteps(offset) {
		return text
	}
	h := hider{names: l.attributeNames()}
	tokens, _ := hclsyntax.LexConfig([]byte(text), "", hcl.InitialPos)
	for i := range tokens {
		h.token(tokens, i)
	}
	for _, literal := range slices.Backward(h.secrets) {
		stars := strings.Repeat("*", utf8.RuneCount(literal.Bytes)) // carets stay where they are
		text = text[:literal.Range.Start.Byte] + stars + text[literal.Range.End.Byte:]
	}
	return text
}

// inSteps tells whether offset is in a flow or transform.
func (f *file) inSteps(offset int) bool {
	within := ""
	for _, b := range f.body.Blocks {
		if b.TypeRange.Start.Byte <= offset {
			within = b.Type
		}
	}
	return within == "flow" || within == "transform"
}

// hider finds the literals in a piece of HCL that are to be hidden.
type hider struct {
	names   attributeNames
	secrets hclsyntax.Tokens
	hiding  bool
	depth   int  // of brackets since hiding began
	named   bool // the next literal is the name of what holds a secret
}

func (h *hider) token(ts hclsyntax.Tokens, i int) {
	switch t := ts[i]; t.Type {
	case hclsyntax.TokenIdent:
		h.ident(string(t.Bytes), ts[i+1].Type)
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
		h.hiding, h.depth = h.names.secret(name), 0
	case next == hclsyntax.TokenOParen && name == "sensitive":
		h.hiding, h.depth = true, 0
	}
}

// isKey tells whether the quoted literal ts[i] is the key of an item.
func isKey(ts hclsyntax.Tokens, i int) bool {
	if i+2 >= len(ts) || ts[i+1].Type != hclsyntax.TokenCQuote {
		return false
	}
	next := ts[i+2].Type
	return next == hclsyntax.TokenEqual || next == hclsyntax.TokenColon
}
