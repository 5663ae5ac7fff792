package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// maxText bounds the text of one expression, and with it how deep it can nest.
const maxText = 64 << 10

// program is a compiled text. It never changes, and many machines run it at once.
type program struct {
	src    Source
	root   node
	kind   kind // what it may yield
	slots  int32
	frames int32
	uses   nameSet
	grows  bool   // the result may repeat parts of the input, or nest without bound
	known  uint64 // digest of the values known at load that it uses
}

// Compile compiles src; the error is an *Error or Errors. sc may be nil.
//
// The grammar is expr-lang's, and the parser its own. Names, functions and the
// kinds of values are checked here; what can only be known from an event is
// checked when it runs.
func Compile(src Source, sc *Scope) (Expr, error) {
	p, errs := compileText(src, 0, src.Text, sc)
	if len(errs) > 0 {
		return Expr{}, errs.err()
	}
	return Expr{p}, nil
}

// compileText compiles the part text of src, which starts at base.
func compileText(src Source, base int, text string, sc *Scope) (*program, Errors) {
	c := &compiler{offsets: newOffsets(text, base), src: src, scope: sc}
	if len(text) > maxText {
		c.errorAt(span{int32(base), int32(base + 1)}, "", "the expression is longer than %d KiB", maxText>>10)
		return nil, c.errs
	}
	tree, err := parse(text)
	if err != nil {
		c.syntaxError(err)
		return nil, c.errs
	}
	root := c.compile(tree)
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return &program{
		src: src, root: root.node, kind: root.kind, uses: c.uses, grows: root.grows && root.kind&^kScalar != 0,
		slots: int32(c.slots), frames: int32(c.frames), known: c.known.sum(),
	}, nil
}

// parse guards against a parser that panics on what it cannot read.
func parse(text string) (n ast.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &file.Error{Message: fmt.Sprintf("the parser gave up: %v", r)}
		}
	}()
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	return tree.Node, nil
}

// value is a compiled part of the text and what is known of what it yields.
type value struct {
	node node
	kind kind
	at   span
	// lowered: an object whose keys are lower case and looked up in any case.
	lowered bool
	// grows: see program.
	grows bool
}

type compiler struct {
	offsets
	src   Source
	scope *Scope
	errs  Errors
	uses  nameSet

	lets   []let
	slots  int
	loops  []loop // around the node being compiled
	frames int    // the most there were
	nodes  int    // compiled so far; a loop's share is the weight of its body
	known  known
}

// let is a variable in scope.
type let struct {
	name  string
	value value
}

// loop is what a predicate around the node offers.
type loop struct {
	item kind
	acc  bool
}

func (c *compiler) errorAt(at span, hint, format string, args ...any) value {
	c.errs = append(c.errs, &Error{
		Source: c.src, Offset: int(at.from), Length: max(1, int(at.to-at.from)),
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
	return value{node: open{}, kind: kAny, at: at}
}

func (c *compiler) quote(at span) string { return shorten(c.src.Text[at.from:at.to]) }

func (c *compiler) compile(n ast.Node) value {
	c.nodes++
	v := c.dispatch(n)
	v.at = c.of(n)
	return v
}

func (c *compiler) dispatch(n ast.Node) value {
	switch n := n.(type) {
	case *ast.NilNode:
		return literal(nil)
	case *ast.IntegerNode:
		return literal(int64(n.Value))
	case *ast.FloatNode:
		return literal(n.Value)
	case *ast.BoolNode:
		return literal(n.Value)
	case *ast.StringNode:
		return literal(n.Value)
	case *ast.BytesNode:
		return c.errorAt(c.of(n), "write it without the b", "text of bytes is not among the values of an event")
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.ChainNode: // nil is passed on with or without it
		return c.compile(n.Node)
	case *ast.PredicateNode:
		return c.compile(n.Node)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.builtin(n)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.VariableDeclaratorNode:
		return c.let(n)
	case *ast.SequenceNode:
		return c.sequence(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.MapNode:
		return c.mapping(n)
	}
	return c.errorAt(c.of(n), "", "this is not something an expression can say (%T)", n)
}

func literal(v any) value { return value{node: constant{v}, kind: kindOf(v)} }

func literalOf(v value) (any, bool) {
	k, ok := v.node.(constant)
	return k.v, ok
}

// needs reports at load what can never be of kind want, whatever the event holds.
func (c *compiler) needs(v value, want kind, who string) {
	if v.kind&want != 0 || v.kind == 0 {
		return
	}
	if v.kind == kNil {
		c.errorAt(v.at, "", "%s needs %s, not nil", who, want)
		return
	}
	if want != kNil {
		want &^= kNil
	}
	c.errorAt(v.at, c.convert(v, want), "%s needs %s, but %s is %s", who, want, c.quote(v.at), v.kind&^kNil)
}

// convert says what to write for v where a value of kind want is needed.
func (c *compiler) convert(v value, want kind) string {
	is, text := v.kind&^kNil, c.quote(v.at)
	k, isLiteral := literalOf(v)
	switch {
	case want == kText && strings.Trim(text, "-.0123456789") == "":
		return "write '" + text + "'"
	case want == kText && is&^(kNumber|kBool|kTime) == 0:
		return "write string(" + text + ")"
	case want&kNumber != 0 && is == kText && isLiteral:
		if _, err := strconv.ParseFloat(k.(string), 64); err == nil {
			return "write " + k.(string) + " without quotes"
		}
	case want&kNumber != 0 && is == kText:
		return "write number(" + text + ")"
	case want == kList && is == kObject:
		return "write values(" + text + ") or toPairs(" + text + ")"
	case want == kBool:
		return boolHint(is, k, text)
	}
	return ""
}

// syntaxError says in our words what the parser found.
func (c *compiler) syntaxError(err error) {
	var f *file.Error
	if !errors.As(err, &f) {
		c.errorAt(span{int32(c.base), int32(c.base + len(c.text))}, "", "%v", err)
		return
	}
	if say, at, ok := templateLike(c.text); ok {
		c.errorAt(span{int32(c.base + at), int32(c.base + at + 2)}, "write "+say, "this is an expression")
		return
	}
	message, hint := explainSyntax(f.Message)
	at := c.span(f.Location)
	from := int(at.from) - c.base
	if f.Message == "unexpected token EOF" { // which the parser places at the last character
		from = len(c.text)
	}
	if strings.HasPrefix(f.Message, "literal not terminated") && strings.HasPrefix(c.text[min(max(from, 0), len(c.text)):], "\n") {
		hint = `a line break in a text is written \n, which within the quotes of an attribute is "\\n"`
	}
	switch own := c.likelyFault(from, message); {
	case own.message != "":
		message, hint, at = own.message, own.hint, own.at
	case hint == "":
		hint = own.hint
	}
	if strings.TrimSpace(c.text) == "" {
		message, hint = "the expression is empty", ""
	}
	c.errorAt(at, hint, "%s", message)
}
