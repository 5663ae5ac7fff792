package expr

import (
	"github.com/expr-lang/expr/ast"
)

// constant is a value known at load.
type constant struct{ v any }

func (n constant) eval(*machine) any { return n.v }

// array compiles [a, b]; one of literals alone is made once.
func (c *compiler) array(n *ast.ArrayNode) value {
	nodes := make([]node, len(n.Nodes))
	fixed := make([]any, 0, len(n.Nodes))
	grows := false
	for i, e := range n.Nodes {
		v := c.compile(e)
		nodes[i], grows = v.node, grows || v.grows
		if k, ok := literalOf(v); ok {
			fixed = append(fixed, k)
		}
	}
	if len(fixed) == len(nodes) {
		return value{node: constant{fixed}, kind: kList}
	}
	return value{node: &arrayNode{nodes, c.of(n)}, kind: kList, grows: grows || len(c.loops) > 0}
}

type arrayNode struct {
	nodes []node
	at    span
}

func (n *arrayNode) eval(m *machine) any {
	list := m.newList(len(n.nodes), n.at)
	for _, e := range n.nodes {
		list = append(list, e.eval(m))
	}
	return list
}

// mapping compiles {a: 1, (key): 2}.
func (c *compiler) mapping(n *ast.MapNode) value {
	m := &mapNode{at: c.of(n), pairs: make([]pair, 0, len(n.Pairs))}
	grows := false
	for _, e := range n.Pairs {
		p := e.(*ast.PairNode)
		k, v := c.compile(p.Key), c.compile(p.Value)
		c.needs(k, kText, "a key")
		text, _ := literalOf(k)
		name, _ := text.(string)
		m.pairs = append(m.pairs, pair{name: name, key: k.node, at: k.at, value: v.node})
		if text != nil {
			m.pairs[len(m.pairs)-1].key = nil
		}
		grows = grows || v.grows
	}
	return value{node: m, kind: kObject, grows: grows || len(c.loops) > 0}
}

type mapNode struct {
	pairs []pair
	at    span
}

// pair has a name, or a key that gives it.
type pair struct {
	name       string
	key, value node
	at         span
}

func (n *mapNode) eval(m *machine) any {
	out := m.newObject(len(n.pairs), n.at)
	for i := range n.pairs {
		p := &n.pairs[i]
		name := p.name
		if p.key != nil {
			name = m.textOf(p.key, p.at, n.at, "a key")
		}
		out[name] = p.value.eval(m)
	}
	return out
}

// textOf evaluates what must be text.
func (m *machine) textOf(n node, at, whole span, who string) string {
	v := n.eval(m)
	s, ok := v.(string)
	if !ok {
		m.wrong(at, whole, v, kText, false, who)
	}
	return s
}

// sequence compiles a; b: only the last one counts.
func (c *compiler) sequence(n *ast.SequenceNode) value {
	var nodes []node
	var last value
	for _, e := range n.Nodes {
		last = c.compile(e)
		nodes = append(nodes, last.node)
	}
	last.node = sequence(nodes)
	return last
}

type sequence []node

func (n sequence) eval(m *machine) (last any) {
	for _, e := range n {
		last = e.eval(m)
	}
	return last
}
