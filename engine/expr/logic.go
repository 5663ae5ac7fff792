package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// logic compiles and, or; the right side runs only if it matters.
func (c *compiler) logic(op string, l, r value, at span) value {
	isOr := op == "or" || op == "||"
	c.needs(l, kBool, op)
	c.needs(r, kBool, op)
	return value{node: &logicNode{l: l.node, r: r.node, at: at, lat: l.at, rat: r.at, or: isOr}, kind: kBool}
}

// oneOf notices a == 'x' or 'y', which people say and computers do not.
func (c *compiler) oneOf(n *ast.BinaryNode, r value) (hint string) {
	first, ok := n.Left.(*ast.BinaryNode)
	k, isLiteral := literalOf(r)
	if !ok || first.Operator != "==" || !isLiteral || kindOf(k)&kBool != 0 {
		return ""
	}
	return "write " + c.quote(c.of(first.Left)) + " in [" + c.quote(c.of(first.Right)) + ", " + c.quote(r.at) + "]"
}

type logicNode struct {
	l, r         node
	at, lat, rat span
	or           bool
}

func (n *logicNode) eval(m *machine) any {
	who := "and"
	if n.or {
		who = "or"
	}
	if m.truth(n.l, n.lat, n.at, who) == n.or {
		return n.or
	}
	return m.truth(n.r, n.rat, n.at, who)
}

type coalesceNode struct{ l, r node }

func (n *coalesceNode) eval(m *machine) any {
	if v := n.l.eval(m); v != nil {
		return v
	}
	return n.r.eval(m)
}

// conditional compiles a ? b : c and if a { b } else { c }.
func (c *compiler) conditional(n *ast.ConditionalNode) value {
	cond, yes, no := c.compile(n.Cond), c.compile(n.Exp1), c.compile(n.Exp2)
	c.needs(cond, kBool, "?")
	return value{
		node: &conditionalNode{cond: cond.node, yes: yes.node, no: no.node, at: cond.at},
		kind: yes.kind | no.kind, grows: yes.grows || no.grows,
	}
}

type conditionalNode struct {
	cond, yes, no node
	at            span
}

func (n *conditionalNode) eval(m *machine) any {
	if m.truth(n.cond, n.at, n.at, "?") {
		return n.yes.eval(m)
	}
	return n.no.eval(m)
}

// membership compiles in. nil holds nothing.
func (c *compiler) membership(l, r value, at span) value {
	if r.kind&^kNil == kText {
		c.errorAt(at, "write "+c.quote(r.at)+" contains "+c.quote(l.at), "in looks into a list or an object, not into text")
	} else {
		c.needs(r, kList|kObject|kNil, "in")
	}
	if r.lowered {
		l.node = lowered{l.node}
	}
	if list, ok := literalOf(r); ok {
		if set := textSet(list); set != nil {
			return value{node: &inSet{l.node, set}, kind: kBool}
		}
	}
	return value{node: &inNode{l: l.node, r: r.node, at: at, rat: r.at}, kind: kBool}
}

// textSet makes a set of a literal list of texts.
func textSet(list any) map[string]struct{} {
	texts, ok := list.([]any)
	if !ok {
		return nil
	}
	set := make(map[string]struct{}, len(texts))
	for _, v := range texts {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		set[s] = struct{}{}
	}
	return set
}

type inSet struct {
	l   node
	set map[string]struct{}
}

func (n *inSet) eval(m *machine) any {
	s, ok := n.l.eval(m).(string)
	if !ok {
		return false
	}
	_, ok = n.set[s]
	return ok
}

type inNode struct {
	l, r    node
	at, rat span
}

func (n *inNode) eval(m *machine) any {
	what := n.l.eval(m)
	switch in := n.r.eval(m).(type) {
	case nil:
		return false
	case []any:
		for _, v := range in {
			m.step(1, n.at)
			if m.equal(v, what, n.at, 0) {
				return true
			}
		}
		return false
	case map[string]any:
		key, ok := what.(string)
		if !ok {
			return false
		}
		_, ok = in[key]
		return ok
	case string:
		m.fail(n.at, "write "+m.quote(n.rat)+" contains …", "in looks into a list or an object, but %s is text", m.quote(n.rat))
	default:
		m.wrong(n.rat, n.at, in, kList|kObject, false, "in")
	}
	return nil
}

// textTest compiles contains, startsWith and endsWith. As in expr-lang, nil
// contains nothing and starts with nothing.
func (c *compiler) textTest(op string, l, r value, at span) value {
	c.needs(l, kText|kNil, op)
	c.needs(r, kText|kNil, op)
	test := strings.Contains
	switch op {
	case "startsWith":
		test = strings.HasPrefix
	case "endsWith":
		test = strings.HasSuffix
	}
	return value{node: &textTest{test: test, op: op, l: l.node, r: r.node, at: at, lat: l.at, rat: r.at}, kind: kBool}
}

type textTest struct {
	test         func(s, part string) bool
	op           string
	l, r         node
	at, lat, rat span
}

func (n *textTest) eval(m *machine) any {
	l, r := n.l.eval(m), n.r.eval(m)
	if l == nil || r == nil {
		return false
	}
	s, ok := l.(string)
	if !ok {
		m.wrong(n.lat, n.at, l, kText, false, n.op)
	}
	part, ok := r.(string)
	if !ok {
		m.wrong(n.rat, n.at, r, kText, false, n.op)
	}
	m.step((len(s)+len(part))/32, n.at)
	return n.test(s, part)
}
