package expr

import (
	"encoding/json"
	"time"

	"github.com/expr-lang/expr/ast"
)

// binary compiles an operator between two expressions.
func (c *compiler) binary(n *ast.BinaryNode) value {
	if n.Operator == "matches" {
		return c.matches(n)
	}
	l, r := c.compile(n.Left), c.compile(n.Right)
	at := c.of(n)
	if n.Operator == "or" || n.Operator == "||" {
		if hint := c.oneOf(n, r); hint != "" {
			c.errorAt(r.at, hint, "or needs true or false, but %s is %s", c.quote(r.at), r.kind)
			r.kind = kAny
		}
	}
	before := len(c.errs)
	v := c.operate(n.Operator, l, r, at)
	if len(c.errs) > before || v.kind&^kScalar != 0 {
		return v
	}
	return c.fold(v, l, r)
}

func (c *compiler) operate(op string, l, r value, at span) value {
	switch op {
	case "+", "-", "*", "/", "%", "**", "^":
		return c.arithmetic(op, l, r, at)
	case "==", "!=":
		return c.equality(l, r, at, op == "!=")
	case "<", ">", "<=", ">=":
		return c.ordering(op, l, r, at)
	case "and", "&&", "or", "||":
		return c.logic(op, l, r, at)
	case "??":
		k := l.kind&^kNil | r.kind
		return value{node: &coalesceNode{l.node, r.node}, kind: k, grows: l.grows || r.grows}
	case "in":
		return c.membership(l, r, at)
	case "contains", "startsWith", "endsWith":
		return c.textTest(op, l, r, at)
	case "..":
		c.needs(l, kNumber, "..")
		c.needs(r, kNumber, "..")
		return value{node: &rangeNode{l: l.node, r: r.node, at: at, lat: l.at, rat: r.at}, kind: kList}
	}
	return c.errorAt(at, "", "there is no operator %s", op)
}

// equality compiles == and !=, which never fail; what can never be equal is
// reported at load.
func (c *compiler) equality(l, r value, at span, negate bool) value {
	if wide(l.kind)&wide(r.kind) == 0 && (l.kind|r.kind)&kNil == 0 && l.kind != 0 && r.kind != 0 {
		c.errorAt(at, "", "this compares %s with %s, which are never equal", l.kind, r.kind)
	}
	return value{node: &equalNode{l: l.node, r: r.node, at: at, negate: negate}, kind: kBool}
}

// wide makes all kinds of numbers one.
func wide(k kind) kind {
	if k&(kNumber|kBig) != 0 {
		k |= kNumber | kBig
	}
	return k
}

type equalNode struct {
	l, r   node
	at     span
	negate bool
}

func (n *equalNode) eval(m *machine) any {
	return m.equal(n.l.eval(m), n.r.eval(m), n.at, 0) != n.negate
}

// equal compares by value; 1 equals 1.0. Values of different kinds are not equal.
func (m *machine) equal(a, b any, at span, depth int) bool {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok || len(x) != len(y) {
			return false
		}
		m.long(len(x), at)
		return x == y
	case int64, float64:
		l, _ := numberOf(a)
		r, ok := numberOf(b)
		return ok && compareNumbers(l, r) == 0
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case []any:
		y, ok := b.([]any)
		return ok && m.equalLists(x, y, at, depth+1)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && m.equalObjects(x, y, at, depth+1)
	case nil, bool, json.Number, time.Duration, *time.Location:
		if kindOf(b) != kindOf(a) {
			return false
		}
		return a == b
	}
	return false
}

// long takes steps for work on so many bytes of text that is quick, but not free.
func (m *machine) long(bytes int, at span) {
	if bytes > 256 {
		m.step(bytes/256, at)
	}
}

func (m *machine) deeper(depth int, at span) {
	if depth > maxDepth {
		m.fail(at, "", "a value nests deeper than %d levels", maxDepth)
	}
}

func (m *machine) equalLists(a, b []any, at span, depth int) bool {
	m.deeper(depth, at)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		m.step(1, at)
		if !m.equal(a[i], b[i], at, depth) {
			return false
		}
	}
	return true
}

func (m *machine) equalObjects(a, b map[string]any, at span, depth int) bool {
	m.deeper(depth, at)
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		m.step(1, at)
		w, ok := b[k]
		if !ok || !m.equal(v, w, at, depth) {
			return false
		}
	}
	return true
}

const ordered = kNumber | kText | kTime | kDuration

// ordering compiles < > <= >= of two numbers, texts, times or durations.
func (c *compiler) ordering(op string, l, r value, at span) value {
	c.needs(l, ordered, op)
	c.needs(r, ordered, op)
	a, b := l.kind&ordered, r.kind&ordered
	if wide(a)&wide(b) == 0 && a != 0 && b != 0 {
		c.errorAt(at, "", "%s cannot order %s and %s", op, a, b)
	}
	return value{node: &orderNode{op: op, l: l.node, r: r.node, at: at, lat: l.at, rat: r.at}, kind: kBool}
}

type orderNode struct {
	l, r         node
	op           string
	at, lat, rat span
}

func (n *orderNode) eval(m *machine) any {
	a, b := n.l.eval(m), n.r.eval(m)
	c, ok := m.order(a, b, n.at)
	if !ok {
		n.clash(m, a, b)
	}
	switch n.op {
	case "<":
		return c < 0
	case ">":
		return c > 0
	case "<=":
		return c <= 0
	}
	return c >= 0
}

func (n *orderNode) clash(m *machine, a, b any) {
	ka, kb := kindOf(a), kindOf(b)
	// The side that is known to be fine tells what the other one should have been.
	want := func(other kind) kind {
		if other&ordered == 0 || other&kNumber != 0 {
			return kNumber
		}
		return other
	}
	if ka&ordered == 0 || ka&kNumber == 0 && kb&kNumber != 0 {
		m.wrong(n.lat, n.at, a, want(kb), false, n.op)
	}
	m.wrong(n.rat, n.at, b, want(ka), false, n.op)
}

// order compares two values that have an order among each other.
func (m *machine) order(a, b any, at span) (int, bool) {
	switch x := a.(type) {
	case int64, float64:
		l, _ := numberOf(a)
		r, ok := numberOf(b)
		return compareNumbers(l, r), ok
	case string:
		y, ok := b.(string)
		m.long(min(len(x), len(y)), at)
		return order(x, y), ok
	case time.Time:
		y, ok := b.(time.Time)
		return x.Compare(y), ok
	case time.Duration:
		y, ok := b.(time.Duration)
		return order(int64(x), int64(y)), ok
	}
	return 0, false
}

type rangeNode struct {
	l, r         node
	at, lat, rat span
}

func (n *rangeNode) eval(m *machine) any {
	from, to := n.end(m, n.l, n.lat), n.end(m, n.r, n.rat)
	if from > to {
		return []any{}
	}
	size := uint64(to) - uint64(from) + 1
	if size > maxBytes || size == 0 {
		size = maxBytes
	}
	list := m.newList(int(size), n.at)
	m.step(int(size), n.at)
	for i := range int64(size) {
		list = append(list, from+i)
	}
	return list
}

func (n *rangeNode) end(m *machine, e node, at span) int64 {
	v := e.eval(m)
	i, ok := wholeNumber(v)
	if !ok {
		m.wrong(at, n.at, v, kInt, false, "..")
	}
	return i
}
