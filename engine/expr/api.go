package expr

import "errors"

// Expr is a compiled expression, a constant, or an object or list of such. The
// zero Expr is an attribute that was not given.
type Expr struct{ node node }

type node interface {
	eval(in *Input) (any, error)
}

// Field is one field of an object of expressions.
type Field struct {
	Name  string
	Value Expr
}

// Scope is what an expression may see.
type Scope struct {
	// Names are the top-level names beside var, local and secret: "body", "meta", …
	Names []string
	// Var and Local hold the values known at load. Sensitive ones are left out
	// and named in Sensitive ("var.token"): using one is an error that says so.
	Var, Local map[string]any
	Sensitive  []string
	// Secrets may be used only as arguments of hash functions.
	Secrets map[string]string
}

// Escape says for which place a template's holes are escaped.
type Escape int

// The places that templates are filled into; language.md's rules for each.
const (
	Text     Escape = iota // as it is
	Path                   // one URL path segment
	Query                  // a query value
	Header                 // no line breaks
	FileName               // one path element
	Argument               // a command's word
	HTML                   // html/template's contexts
)

// Template is a compiled template. The zero Template was not given.
type Template struct{ impl *template }

type template struct{}

var errTODO = errors.New("expr: skeleton")

// Compile compiles src; the error is an *Error or Errors.
func Compile(src Source, sc *Scope) (Expr, error) { return Expr{}, errTODO }

// Constant is an expression that yields v.
func Constant(v any) Expr { return Expr{} }

// Object yields an object; the order of fields is kept for Fields.
func Object(fields []Field) Expr { return Expr{} }

// List yields a list.
func List(elems []Expr) Expr { return Expr{} }

// IsSet tells whether the attribute was given.
func (e Expr) IsSet() bool { return e.node != nil }

// Eval runs the expression. The error is an *Error with its place.
func (e Expr) Eval(in *Input) (any, error) { return e.node.eval(in) }

// Bool runs an expression that must yield a bool.
func (e Expr) Bool(in *Input) (bool, error) { return false, errTODO }

// Str runs an expression whose result is used as text: strings as they are,
// numbers and bools as JSON writes them, nil as "".
func (e Expr) Str(in *Input) (string, error) { return "", errTODO }

// Uses tells whether the top-level name ("body", "meta") occurs in it.
func (e Expr) Uses(name string) bool { return false }

// Fields are the names of an Object in order; nil for anything else.
func (e Expr) Fields() []string { return nil }

// CompileTemplate compiles src, whose holes are escaped for place.
func CompileTemplate(src Source, place Escape, sc *Scope) (Template, error) {
	return Template{}, errTODO
}

// IsSet tells whether the attribute was given.
func (t Template) IsSet() bool { return t.impl != nil }

// Eval fills the holes.
func (t Template) Eval(in *Input) (string, error) { return "", errTODO }

// Literal gives the text of a template without holes.
func (t Template) Literal() (string, bool) { return "", false }

// Uses tells whether the top-level name occurs in a hole.
func (t Template) Uses(name string) bool { return false }

// Error is a fault in an expression or template, at compile or run time.
type Error struct {
	Source Source
	Offset int // byte offset in Source.Text
	Length int // bytes, at least 1
	// Message says what is wrong ("body.total is nil"), Hint what to do ("" if nothing).
	Message, Hint string
}

func (e *Error) Error() string { return e.Message }

// Errors are all faults found in one text.
type Errors []*Error

func (e Errors) Error() string { return e[0].Error() }
