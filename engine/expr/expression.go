package expr

import (
	"slices"

	"github.com/syncd/syncd/engine/row"
)

// Expr is a compiled expression, a constant, or an object or list of such. The
// zero Expr is an attribute that was not given. It may be used from many
// goroutines at once.
type Expr struct{ tree tree }

// tree is what an Expr holds: a *program, fixed, *fields or elements.
type tree interface {
	eval(m *machine) any
	names() nameSet
	kinds() kind
	source() Source
}

// Field is one field of an object of expressions.
type Field struct {
	Name  string
	Value Expr
}

// Constant is an expression that yields v; that of Unknown fits everywhere. Numbers,
// lists and maps of Go's other types are turned into those that Input describes.
func Constant(v any) Expr {
	if _, ok := v.(Unknown); ok {
		return Expr{fixed{constant{"placeholder"}, true}}
	}
	return Expr{fixed{constant: constant{fromGo(v)}}}
}

// Object yields an object; the order of fields is kept for Fields.
func Object(list []Field) Expr {
	names := make([]string, len(list))
	for i, f := range list {
		names[i] = f.Name
	}
	return Expr{&fields{slices.Clone(list), row.NewShape(names)}}
}

// List yields a list.
func List(elems []Expr) Expr { return Expr{elements(slices.Clone(elems))} }

// IsSet tells whether the attribute was given.
func (e Expr) IsSet() bool { return e.tree != nil }

// Eval runs the expression; one that is not set yields nil. The error is an
// *Error with its place. All expressions of an Object or List share one budget.
func (e Expr) Eval(in *Input) (v any, err error) {
	if e.tree == nil {
		return nil, nil
	}
	m := newMachine(in)
	defer func() {
		if failed := m.release(recover()); failed != nil {
			v, err = nil, failed
		}
	}()
	return e.tree.eval(m), nil
}

// Body is Eval for what becomes a body: that of an Object is a *row.Row.
func (e Expr) Body(in *Input) (v any, err error) {
	o, ok := e.tree.(*fields)
	if !ok {
		return e.Eval(in)
	}
	m := newMachine(in)
	defer func() {
		if failed := m.release(recover()); failed != nil {
			v, err = nil, failed
		}
	}()
	return &row.Row{Shape: o.shape, Values: o.values(m)}, nil
}

// Bool runs an expression that must yield true or false; anything else, nil
// included, is an error.
func (e Expr) Bool(in *Input) (bool, error) {
	v, err := e.Eval(in)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, e.unfit("the result is "+kindOf(v).String()+", but true or false is needed", boolHint(kindOf(v), nil, "…"))
	}
	return b, nil
}

// boolHint says what to write where text yields something else than true or
// false; v is its value if that is known.
func boolHint(is kind, v any, text string) string {
	switch {
	case v == "true" || v == "yes" || v == "on":
		return "write true"
	case v == "false" || v == "no" || v == "off":
		return "write false"
	case text == "…" && is == kNil:
		return "compare it with something, or write (… ?? false)"
	case text == "…" || is == kNil || v != nil:
		return "compare it with something"
	case is == kText:
		return "compare it with something: " + text + " == '…'"
	case is&^kNumber == 0:
		return "compare it with something: " + text + " > 0"
	case is == kList || is == kObject:
		return "write len(" + text + ") > 0 for one that is not empty"
	}
	return "compare it with something"
}

// List runs an expression that must yield a list; anything else, nil included,
// is an error.
func (e Expr) List(in *Input) ([]any, error) {
	v, err := e.Eval(in)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if ok {
		return list, nil
	}
	hint := ""
	switch kindOf(v) {
	case kNil:
		hint = "write " + shorten(e.text("…")) + " ?? [] where it may be missing"
	case kObject:
		hint = "write [" + shorten(e.text("…")) + "] for a list of one"
	}
	return nil, e.unfit("the result is "+kindOf(v).String()+", but a list is needed", hint)
}

// Str runs an expression whose result is used as text: strings as they are,
// numbers and bools as JSON writes them, times as RFC 3339, lists and objects as
// JSON, nil as "".
func (e Expr) Str(in *Input) (s string, err error) {
	if e.tree == nil {
		return "", nil
	}
	m := newMachine(in)
	defer func() {
		if failed := m.release(recover()); failed != nil {
			s, err = "", failed
		}
	}()
	v := e.tree.eval(m)
	if v == nil {
		return "", nil
	}
	if s, ok := plainText(v); ok {
		return s, nil
	}
	if m.text == nil {
		m.text = &program{}
	}
	return m.toJSON(v, span{}), nil
}

// CheckBool tells, at load, of an expression that can never yield true or false.
// The error is an *Error.
func (e Expr) CheckBool() error { return e.check(kBool) }

// CheckList tells, at load, of an expression that can never yield a list. The
// error is an *Error.
func (e Expr) CheckList() error { return e.check(kList) }

// CheckText tells, at load, of an expression whose result can never stand as
// plain text: a list or an object. The error is an *Error.
func (e Expr) CheckText() error { return e.check(kPlain | kNil) }

func (e Expr) check(want kind) error {
	if e.tree == nil || e.tree.kinds()&want != 0 {
		return nil
	}
	hint := ""
	if want == kBool {
		v, _ := e.Always()
		hint = boolHint(e.tree.kinds(), v, shorten(e.text("…")))
	}
	return e.unfit("this yields "+e.tree.kinds().String()+", but "+want.String()+" is needed", hint)
}

// unfit is a fault of the whole expression.
func (e Expr) unfit(message, hint string) error {
	src := e.tree.source()
	return &Error{Source: src, Length: max(1, len(src.Text)), Message: message, Hint: hint}
}

func (e Expr) text(otherwise string) string {
	if s := e.tree.source().Text; s != "" {
		return s
	}
	return otherwise
}

// Text is what was written, "" if e is not given or a value.
func (e Expr) Text() string {
	if e.tree == nil {
		return ""
	}
	return e.text("")
}

// Uses tells whether the top-level name ("body", "meta") occurs in it.
func (e Expr) Uses(name string) bool { return e.tree != nil && e.tree.names().has(name) }

// Fields are the names of an Object in order; nil for anything else.
func (e Expr) Fields() []string {
	o, ok := e.tree.(*fields)
	if !ok {
		return nil
	}
	names := make([]string, len(o.list))
	for i, f := range o.list {
		names[i] = f.Name
	}
	return names
}

// Field gives the expression of an Object's field; the zero Expr where there is none.
func (e Expr) Field(name string) Expr {
	if o, ok := e.tree.(*fields); ok {
		for _, f := range o.list {
			if f.Name == name {
				return f.Value
			}
		}
	}
	return Expr{}
}

// Literal gives the value of a Constant.
func (e Expr) Literal() (any, bool) {
	c, ok := e.tree.(fixed)
	return c.v, ok
}

// fixed is a constant that stands as an expression of its own.
type fixed struct {
	constant
	unknown bool
}

func (fixed) names() nameSet { return 0 }
func (f fixed) kinds() kind {
	if f.unknown {
		return kAny
	}
	return kindOf(f.v)
}
func (fixed) source() Source { return Source{} }

// fields is an object of expressions.
type fields struct {
	list  []Field
	shape *row.Shape
}

func (f *fields) values(m *machine) []any {
	m.text = &unplaced
	out := m.newList(len(f.list), span{})
	for i := range f.list {
		out = append(out, f.list[i].Value.value(m))
	}
	return out
}

func (f *fields) eval(m *machine) any {
	m.text = &unplaced
	out := m.newObject(len(f.list), span{})
	for i := range f.list {
		out[f.list[i].Name] = f.list[i].Value.value(m)
	}
	return out
}

// unplaced stands for the text of what has none.
var unplaced program

func (e Expr) value(m *machine) any {
	if e.tree == nil {
		return nil
	}
	return e.tree.eval(m)
}

func (f *fields) names() (all nameSet) {
	for _, e := range f.list {
		all |= e.Value.nameSet()
	}
	return all
}

func (e Expr) nameSet() nameSet {
	if e.tree == nil {
		return 0
	}
	return e.tree.names()
}

func (f *fields) kinds() kind    { return kObject }
func (f *fields) source() Source { return Source{} }

// elements is a list of expressions.
type elements []Expr

func (l elements) eval(m *machine) any {
	m.text = &unplaced
	out := m.newList(len(l), span{})
	for _, e := range l {
		out = append(out, e.value(m))
	}
	return out
}

func (l elements) names() (all nameSet) {
	for _, e := range l {
		all |= e.nameSet()
	}
	return all
}

func (l elements) kinds() kind    { return kList }
func (l elements) source() Source { return Source{} }
