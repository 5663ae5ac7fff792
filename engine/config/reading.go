package config

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
)

// Reading is one reading of a configuration, with all that it was made of.
type Reading struct {
	Config      *Config // nil when any of the diagnostics is an error
	Diagnostics Diagnostics
	Texts       []Text    // its files
	Depends     []string  // the other files that it read or looked for, absolute
	Time        time.Time // when it began
	masked      []Text
	loader      *loader // until masked is made
}

// Text is a file of a configuration.
type Text struct {
	Path string // absolute
	Name string // below the configuration's directory: "orders.hcl"
	Text []byte
}

// Open reads the file or directory at path as Load does.
func Open(path string, kinds []component.Kind, opts Options) *Reading {
	began := time.Now()
	l := newLoader(kinds, opts)
	l.read(path)
	return l.reading(began)
}

// OpenTexts reads texts that are not on disk any more, as if they were.
func OpenTexts(texts []Text, kinds []component.Kind, opts Options) *Reading {
	began := time.Now()
	l := newLoader(kinds, opts)
	for _, t := range texts {
		l.add(newFile(t.Path, t.Name, t.Text))
	}
	return l.reading(began)
}

func (l *loader) reading(began time.Time) *Reading {
	r := &Reading{loader: l, Time: began}
	r.Config, r.Diagnostics = l.finish()
	for _, f := range l.files {
		r.Texts = append(r.Texts, Text{f.path, f.name, f.text})
	}
	r.Depends = l.depends
	return r
}

// Mask stands in a masked text for a secret that was written there in so many words.
const Mask = "(sensitive)"

// Masked are the texts without the secrets that are written in them, fit to be
// kept. Afterwards the reading holds little more than they and its configuration.
// It is not safe for concurrent use.
func (r *Reading) Masked() []Text {
	if r.loader != nil {
		r.masked = slices.Clone(r.Texts)
		for i, f := range r.loader.files {
			r.masked[i].Text = []byte(r.loader.masked(f))
		}
		r.loader = nil
	}
	return r.masked
}

// masked is the text of f, block by block.
func (l *loader) masked(f *file) string {
	var out strings.Builder
	last := 0
	for _, b := range f.body.Blocks {
		from, to := b.TypeRange.Start.Byte, b.CloseBraceRange.End.Byte
		out.Write(f.text[last:from])
		out.WriteString(l.hide(f, from, string(f.text[from:to]), func(hclsyntax.Token) string { return Mask }))
		last = to
	}
	out.Write(f.text[last:])
	return out.String()
}

// MaskedAt are the places where a masked text lacks a secret: "orders.hcl:14".
func MaskedAt(texts []Text) []string {
	var places []string
	for _, t := range texts {
		f := newFile(t.Path, t.Name, t.Text)
		tokens, _ := hclsyntax.LexConfig(t.Text, t.Path, hcl.InitialPos)
		for _, token := range tokens {
			if string(token.Bytes) == Mask && token.Type != hclsyntax.TokenComment {
				places = append(places, f.place(token.Range))
			}
		}
	}
	return places
}

// include notes a file that the configuration depends on.
func (l *loader) include(path string) {
	if path = filepath.Clean(path); !slices.Contains(l.depends, path) {
		l.depends = append(l.depends, path)
	}
}
