package expr

import (
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// function is something that expressions can call.
type function struct {
	// args says what each argument may be; the last one repeats if many.
	args []kind
	min  int // how many must be given
	many bool
	// result is what it yields.
	result kind
	// grows: the result holds parts of its arguments.
	grows bool
	// hash: secrets may be arguments.
	hash bool
	// quick: the cost does not depend on the size of the arguments.
	quick bool
	// prepare looks at the arguments at load.
	prepare func(c *compiler, n *callNode, args []value)
	run     func(m *machine, n *callNode, a []any) any
}

// functions are all of them but the loops, which loopKinds has.
var functions = together(textFunctions, listFunctions, numberFunctions, timeFunctions, parseFunctions, webFunctions, tableFunctions)

func together(groups ...map[string]*function) map[string]*function {
	all := map[string]*function{}
	for _, g := range groups {
		maps.Copy(all, g)
	}
	return all
}

const hashFunctions = "sha256(…) or hmacSha256(…)"

func functionNames() []string {
	return slices.Concat(slices.Collect(maps.Keys(functions)), slices.Collect(maps.Keys(loopKinds)))
}

type callNode struct {
	fn      *function
	name    string
	args    []node
	ats     []span
	at      span
	place   int32    // of uuid: how many loops are around it
	pattern *pattern // one that is known at load
	table   *Table   // that table() names; nil where it could not be read
}

// call compiles a function's or method's call.
func (c *compiler) call(n *ast.CallNode) value {
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		return c.function(callee.Value, n.Arguments, c.of(n), c.of(callee))
	case *ast.MemberNode:
		if name, ok := callee.Property.(*ast.StringNode); ok {
			return c.method(callee.Node, name.Value, n.Arguments, c.of(n), c.of(name))
		}
	}
	return c.errorAt(c.of(n), "", "only functions can be called")
}

func (c *compiler) function(name string, args []ast.Node, at, nameAt span) value {
	fn, ok := functions[name]
	if !ok {
		return c.errorAt(nameAt, c.unknownFunction(name, args), "there is no function %s", name)
	}
	return c.invoke(fn, name, args, at)
}

// unknownFunction is what to write instead of a function that there is not.
func (c *compiler) unknownFunction(name string, args []ast.Node) string {
	arg := "…"
	if len(args) > 0 {
		arg = c.quote(c.of(args[0]))
	}
	if hint := foreign(name, arg); hint != "" {
		return hint
	}
	return didYouMean(name, functionNames())
}

func (c *compiler) invoke(fn *function, name string, args []ast.Node, at span) value {
	n := &callNode{fn: fn, name: name, at: at, place: int32(len(c.loops))}
	values := make([]value, len(args))
	grows := false
	for i, a := range args {
		values[i] = c.argument(fn, a)
		n.args = append(n.args, values[i].node)
		n.ats = append(n.ats, values[i].at)
		grows = grows || values[i].grows
	}
	if !c.checkCount(fn, name, len(args), at) {
		return value{node: n, kind: fn.result}
	}
	faulty := false
	for i, v := range values {
		had := len(c.errs)
		c.needs(v, fn.arg(i), name)
		faulty = faulty || len(c.errs) > had
	}
	before := len(c.errs)
	if fn.prepare != nil {
		fn.prepare(c, n, values)
	}
	v := value{node: n, kind: fn.result, grows: fn.grows && (grows || len(c.loops) > 0)}
	if len(c.errs) > before || len(args) == 0 || fn.hash || faulty {
		return v
	}
	return c.fold(v, values...)
}

func (c *compiler) argument(fn *function, n ast.Node) value {
	if fn.hash {
		if v, ok := c.secret(n); ok {
			c.nodes++
			return v
		}
	}
	return c.compile(n)
}

func (c *compiler) checkCount(fn *function, name string, n int, at span) bool {
	most := len(fn.args)
	if n >= fn.min && (n <= most || fn.many) {
		return true
	}
	want := plural(fn.min, "argument")
	switch {
	case fn.many:
		want = "at least " + want
	case fn.min != most:
		want = itoa(fn.min) + " to " + plural(most, "argument")
	}
	c.errorAt(at, usage(name), "%s takes %s, not %d", name, want, n)
	return false
}

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}

func (f *function) arg(i int) kind { return f.args[min(i, len(f.args)-1)] }

func (n *callNode) eval(m *machine) any {
	base := len(m.args)
	for _, a := range n.args {
		v := a.eval(m)
		m.args = append(m.args, v)
	}
	args := m.args[base:]
	for i, v := range args {
		if kindOf(v)&n.fn.arg(i) == 0 {
			m.wrong(n.ats[i], n.at, v, n.fn.arg(i), true, n.name)
		}
		if !n.fn.quick {
			n.weigh(m, v)
		}
	}
	out := n.fn.run(m, n, args)
	clear(args)
	m.args = m.args[:base]
	return out
}

// weigh takes steps for going once through an argument.
func (n *callNode) weigh(m *machine, v any) {
	switch v := v.(type) {
	case string:
		if len(v) > 32 {
			m.step(len(v)/32, n.at)
		}
	case []any:
		m.step(len(v), n.at)
	case map[string]any:
		m.step(len(v), n.at)
	}
}

// fail says that the call failed, at the call itself.
func (n *callNode) fail(m *machine, format string, args ...any) {
	m.fail(n.at, "", n.name+": "+format, args...)
}

// text gives argument i as a string that was checked to be one, or otherwise where it is not given.
func text(a []any, i int, otherwise string) string {
	if i < len(a) {
		return a[i].(string)
	}
	return otherwise
}

// whole gives argument i as a whole number.
func (n *callNode) whole(m *machine, a []any, i int) int64 {
	x, ok := wholeNumber(a[i])
	if !ok {
		m.fail(n.ats[i], "", "%s needs a whole number, but %s is %v", n.name, m.quote(n.ats[i]), a[i])
	}
	return x
}

// method compiles a call on a time or duration: event.time.Year().
func (c *compiler) method(base ast.Node, name string, args []ast.Node, at, nameAt span) value {
	fn, ok := methods[name]
	if !ok {
		hint := foreign(name, c.quote(c.of(base)))
		if hint == "" {
			hint = didYouMean(name, slices.Collect(maps.Keys(methods)))
		}
		if _, ok := functions[name]; ok {
			hint = "write " + name + "(" + c.quote(c.of(base)) + ")"
		} else if f := strings.ToLower(name[:1]) + name[1:]; functions[f] != nil {
			hint = "write " + f + "(" + c.quote(c.of(base)) + ")"
		}
		return c.errorAt(nameAt, hint, "there is no method %s", name)
	}
	return c.invoke(fn, name, append([]ast.Node{base}, args...), at)
}
