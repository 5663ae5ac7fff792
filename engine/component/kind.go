package component

import (
	"fmt"
	"strings"
	"time"
)

// Class is what a kind is.
type Class string

// The classes, as block types are called.
const (
	ClassSource     Class = "source"
	ClassStep       Class = "step"
	ClassSink       Class = "sink"
	ClassConnection Class = "connection"
)

// Kind is one way to be a source, step, sink or connection.
//
// Its configuration is a struct whose exported fields are the block's
// attributes and nested blocks, by tags:
//
//	hcl:"name"            an optional attribute
//	hcl:"name,required"   one that must be given
//	hcl:"name,identity"   one that says what is counted: a change starts the checkpoint over
//	hcl:"name,secret"     templates that take sensitive values, as headers and query do; a
//	                      Secret takes them anyway, and nothing else does
//	hcl:"name,block"      a nested block: *struct (at most one) or []struct (any number)
//	hcl:"name,oneof"      a nested block with one label that says which: the struct's fields, all
//	                      pointers to structs tagged hcl:"label", are the possible ones; at most
//	                      one such block for a struct or *struct field, any number for a slice
//	hcl:",label"          of a step: its label says which of the struct's fields, as for oneof, and
//	                      the attributes of that stand in the block beside the others
//	hcl:",fields"         all attributes that have no field of their own, as one object (expr.Expr)
//	doc:"One line."       required on every field; for the reference and for messages
//	enum:"a|b|c"          the values that a string, or list of strings, may take
//	example:"\"/x\""      HCL of a value, for messages and reference
//	default:"\"body\""    HCL of the default, for the reference, where NewConfig's value does not show it
//	ref:"connection.http" for Ref and []Ref: what may be referred to; several by "|"
//	escape:"path"         for expr.Template: the place it is filled into: text (default), path,
//	                      query, header, file, arg, html
//	scope:"record,cursor" for expr.Expr and expr.Template: names it sees beside the usual ones;
//	                      ?record: if its kind is one of records
//	yields:"bool"         for expr.Expr: what it must yield: bool, list or text
//	path:"file"           for strings and templates: a path, made absolute, relative to the file that it stands in
//	path:"place"          the same, unless the component has a connection: then it is a path there, which
//	                      must be absolute
//	min:"1" max:"100"     bounds of a number, size or duration (written as in HCL)
//
// Field types: string, bool, int, int64, float64, time.Duration, Size, Rate,
// Secret, Ref, netip.Prefix, any (a value), expr.Expr, expr.Template, and
// slices and map[string] of these. Pointers to bool and int are nil when not given.
//
// Defaults are what NewConfig returns; a nested struct's are set by its own
// SetDefaults() method on the pointer, if it has one. A config (also a nested one) may have
// Validate(*Problems) to check what tags cannot say, and Claims() []Claim; with paths that
// tags cannot tell, Locate(dir string), which comes first.
type Kind struct {
	Class Class
	Name  string
	Doc   string // one sentence
	Page  string // Markdown: what the sentence and the attributes leave open, with an example; see WithPage
	// NewConfig makes the configuration, a pointer to a struct, holding the defaults.
	NewConfig func() any
	// Records: its events are records of answers, so that none is at hand while the
	// block's own attributes are evaluated: these see no body, meta and event. In id and
	// key, record is another name of the body. See OfRecords.
	Records bool
	make    func(Env, any) (any, error)
}

// SourceKind declares a kind of source.
func SourceKind[C any](name, doc string, newConfig func() *C, open func(Env, *C) (Source, error)) Kind {
	return newKind(ClassSource, name, doc, newConfig, open)
}

// StepKind declares a kind of step.
func StepKind[C any](name, doc string, newConfig func() *C, open func(Env, *C) (Step, error)) Kind {
	return newKind(ClassStep, name, doc, newConfig, open)
}

// SinkKind declares a kind of sink.
func SinkKind[C any](name, doc string, newConfig func() *C, open func(Env, *C) (Sink, error)) Kind {
	return newKind(ClassSink, name, doc, newConfig, open)
}

// ConnectionKind declares a kind of connection; T is what its users get from Connect.
func ConnectionKind[C, T any](name, doc string, newConfig func() *C, open func(Env, *C) (T, error)) Kind {
	return newKind(ClassConnection, name, doc, newConfig, open)
}

// WithPage gives the kind its page in the reference: Markdown, whose configurations
// (fences of hcl) each run as they stand.
func (k Kind) WithPage(page string) Kind {
	k.Page = strings.TrimSpace(page)
	return k
}

// OfRecords says that the source's events are records of answers; see Kind.Records.
func (k Kind) OfRecords() Kind {
	k.Records = true
	return k
}

func newKind[C, T any](class Class, name, doc string, newConfig func() *C, open func(Env, *C) (T, error)) Kind {
	return Kind{
		Class: class, Name: name, Doc: doc,
		NewConfig: func() any { return newConfig() },
		make:      func(env Env, c any) (any, error) { return open(env, c.(*C)) },
	}
}

// Open makes the component. cfg is what NewConfig made, decoded. The result is a
// Source, Step or Sink, or a connection's own type. Local resources are opened
// here; remote peers on first use.
func (k Kind) Open(env Env, cfg any) (any, error) {
	c, err := k.make(env, cfg)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", env.Address, err)
	}
	return c, nil
}

// Problems collects what Validate finds wrong. An attribute is named by its path
// in the block: "path", "verify[0].hmac.algorithm".
type Problems struct{ List []Problem }

// Problem is one mistake, or a warning, at an attribute ("" is the block itself).
type Problem struct {
	Attr    string
	Summary string
	Detail  string
	Warning bool
}

// Error reports a mistake: summary says what is wrong, detail what to do.
func (p *Problems) Error(attr, summary, detail string) {
	p.List = append(p.List, Problem{Attr: attr, Summary: summary, Detail: detail})
}

// Warn reports what stops nothing but is probably not meant.
func (p *Problems) Warn(attr, summary, detail string) {
	p.List = append(p.List, Problem{Attr: attr, Summary: summary, Detail: detail, Warning: true})
}

// Memory is how long the receiver of a sink's deliveries knows one again, and why
// that matters. A sink's configuration that knows has Remembers() Memory: trying
// again for longer than that is warned of.
type Memory struct {
	For time.Duration
	Why string
}

// Claim is something that only one component may have: a path of a listener, an
// output file. Two equal claims are a load error that names both places.
type Claim struct {
	Attr string // the attribute to point at
	What string // "POST /hooks/orders on listener.http.public"
}
