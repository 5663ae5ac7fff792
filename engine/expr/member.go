package expr

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// member compiles a.b, a["b"] and a[0].
func (c *compiler) member(n *ast.MemberNode) value {
	entry, isName := n.Property.(*ast.StringNode)
	if base, ok := n.Node.(*ast.IdentifierNode); ok && isName && !c.isLet(base.Value) {
		switch base.Value {
		case "var", "local", "secret", "each":
			return c.group(base.Value, entry.Value, c.of(n), c.of(entry))
		case "event":
			if c.scope.sees("event") {
				return c.eventField(entry.Value, c.of(entry))
			}
		}
	}
	if v, ok := c.eachField(n); ok {
		return v
	}
	base := c.compile(n.Node)
	at := c.of(n)
	if !isName {
		return c.indexed(base, n, at)
	}
	c.hasField(base, entry.Value, at)
	c.checkColumn(base, entry.Value, c.of(entry))
	field := entry.Value
	if base.lowered {
		field = strings.ToLower(field)
	}
	member := &memberNode{base: base.node, name: field, at: at, baseAt: base.at}
	v := value{node: member, kind: kData, grows: base.grows}
	if base.node == bodyName {
		v.node = &bodyField{memberNode: member}
	}
	v.lowered = hasHeaders(base) && (field == "header" || field == "headers")
	if isResponse(base) {
		v.kind = c.responseField(entry.Value, c.of(entry))
	}
	return v
}

func isResponse(v value) bool {
	n, ok := v.node.(name)
	return ok && loaders[n].name == "response"
}

var responseFields = []string{"body", "headers", "status"}

// responseField is what a field of response may be.
func (c *compiler) responseField(entry string, at span) kind {
	switch entry {
	case "status":
		return kNumber
	case "headers":
		return kObject
	case "body":
		return kData
	}
	c.errorAt(at, didYouMean(entry, responseFields), "a response has no %s: only %s", entry, strings.Join(responseFields, ", "))
	return kAny
}

// hasField reports what can never have a field.
func (c *compiler) hasField(base value, name string, at span) {
	if base.kind&(kObject|kNil) != 0 || base.kind == 0 {
		return
	}
	text, hint := c.quote(base.at), ""
	if base.kind == kList {
		hint = "write map(" + text + ", ." + name + ") for all of them, or first(" + text + ")." + name
	}
	c.errorAt(at, hint, "%s is %s: it has no field %s", text, base.kind, name)
}

func (c *compiler) isLet(name string) bool {
	for _, l := range c.lets {
		if l.name == name {
			return true
		}
	}
	return false
}

// hasHeaders tells whether v holds headers, whose names know no case: they are kept in
// lower case. meta does, a response, and a mail.
func hasHeaders(v value) bool {
	if m, ok := v.node.(*memberNode); ok && m.name == "mail" {
		n, ok := m.base.(name)
		return ok && loaders[n].name == "meta"
	}
	n, ok := v.node.(name)
	return ok && (loaders[n].name == "meta" || loaders[n].name == "response")
}

type memberNode struct {
	base       node
	name       string
	at, baseAt span
}

func (n *memberNode) eval(m *machine) any {
	switch v := n.base.eval(m).(type) {
	case map[string]any:
		return v[n.name]
	case nil:
		return nil
	default:
		n.fail(m, v)
		return nil
	}
}

func (n *memberNode) fail(m *machine, v any) {
	base := m.quote(n.baseAt)
	hint := ""
	if kindOf(v) == kList {
		hint = "write map(" + base + ", ." + n.name + ") for all of them, or first(" + base + ")." + n.name
	}
	m.fail(n.at, hint, "%s is %s: it has no field %s", base, kindOf(v), n.name)
}

// indexed compiles a[key] with a key that is no literal name.
func (c *compiler) indexed(base value, n *ast.MemberNode, at span) value {
	key := c.compile(n.Property)
	c.needs(base, kList|kObject|kNil, "[…]")
	c.needs(key, kText|kNumber, "[…]")
	if base.lowered {
		key.node = lowered{key.node}
	}
	return value{node: &indexNode{base: base.node, key: key.node, at: at, baseAt: base.at, keyAt: key.at}, kind: kData, grows: base.grows}
}

// lowered gives text in lower case, for names of headers.
type lowered struct{ node }

func (n lowered) eval(m *machine) any {
	v := n.node.eval(m)
	if s, ok := v.(string); ok {
		return strings.ToLower(s)
	}
	return v
}

type indexNode struct {
	base, key         node
	at, baseAt, keyAt span
}

func (n *indexNode) eval(m *machine) any {
	base := n.base.eval(m)
	if base == nil {
		return nil
	}
	key := n.key.eval(m)
	switch v := base.(type) {
	case map[string]any:
		if s, ok := key.(string); ok {
			return v[s]
		}
		m.wrong(n.keyAt, n.at, key, kText, true, "an object's key")
	case []any:
		i, ok := wholeNumber(key)
		if !ok {
			m.wrong(n.keyAt, n.at, key, kInt, true, "a list's index")
		}
		return m.element(v, i, n)
	case string:
		m.fail(n.at, "write "+m.quote(n.baseAt)+"[0:1] for a part of it", "%s is text: it has no elements", m.quote(n.baseAt))
	}
	m.fail(n.at, "", "%s is %s: it has no elements", m.quote(n.baseAt), kindOf(base))
	return nil
}

func (m *machine) element(list []any, i int64, n *indexNode) any {
	at := i
	if at < 0 {
		at += int64(len(list))
	}
	if at < 0 || at >= int64(len(list)) {
		m.fail(n.at, "write get("+m.quote(n.baseAt)+", "+m.quote(n.keyAt)+") to get nil instead",
			"%s has %d elements: there is no [%d]", m.quote(n.baseAt), len(list), i)
	}
	return list[at]
}

// wholeNumber gives a number without a fraction as an int64.
func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return wholeFloat(v)
	}
	return 0, false
}

func wholeFloat(f float64) (int64, bool) {
	if f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// slice compiles a[from:to] of a list, or of text, which counts characters.
func (c *compiler) slice(n *ast.SliceNode) value {
	base := c.compile(n.Node)
	c.needs(base, kList|kText, "[:]")
	s := &sliceNode{base: base.node, at: c.of(n), baseAt: base.at}
	for _, end := range []struct {
		n    ast.Node
		into *node
	}{{n.From, &s.from}, {n.To, &s.to}} {
		if end.n != nil {
			v := c.compile(end.n)
			c.needs(v, kNumber, "[:]")
			*end.into = v.node
		}
	}
	return value{node: s, kind: base.kind & (kList | kText), grows: base.grows}
}

type sliceNode struct {
	base, from, to node
	at, baseAt     span
}

func (n *sliceNode) eval(m *machine) any {
	switch v := n.base.eval(m).(type) {
	case []any:
		from, to := n.bounds(m, len(v))
		return v[from:to:to]
	case string:
		m.step(len(v)/64+1, n.at)
		from, to := n.bounds(m, utf8.RuneCountInString(v))
		return v[runeOffset(v, from):runeOffset(v, to)]
	default:
		m.wrong(n.baseAt, n.at, v, kList|kText, false, "[:]")
		return nil
	}
}

// bounds gives from and to within 0..length; negative ones count from the end.
func (n *sliceNode) bounds(m *machine, length int) (from, to int) {
	from, to = n.bound(m, n.from, 0, length), n.bound(m, n.to, length, length)
	return min(from, to), to
}

func (n *sliceNode) bound(m *machine, e node, otherwise, length int) int {
	if e == nil {
		return otherwise
	}
	v := e.eval(m)
	i, ok := wholeNumber(v)
	if !ok {
		m.fail(n.at, "", "[:] needs whole numbers, but got %s", kindOf(v))
	}
	if i < 0 {
		i += int64(length)
	}
	return int(min(max(i, 0), int64(length)))
}

// runeOffset is where the n-th character of s starts.
func runeOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}
