package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// loopKind is a builtin that runs a predicate for each element of a list.
type loopKind struct {
	test     bool // the predicate must be true or false
	result   kind
	optional bool // there may be no predicate: then it is the element itself
	// elements: the result holds elements of the list, each at most once.
	elements bool
	run      func(n *loopNode, m *machine, list []any) any
}

var loopKinds = map[string]*loopKind{
	"all":           {test: true, result: kBool, run: (*loopNode).all},
	"none":          {test: true, result: kBool, run: (*loopNode).none},
	"any":           {test: true, result: kBool, run: (*loopNode).any},
	"one":           {test: true, result: kBool, run: (*loopNode).one},
	"filter":        {test: true, result: kList, run: (*loopNode).filter, elements: true},
	"map":           {result: kList, run: (*loopNode).mapped},
	"count":         {test: true, result: kInt, run: (*loopNode).count, optional: true},
	"sum":           {result: kNumber, run: (*loopNode).sum, optional: true},
	"find":          {test: true, result: kData, run: (*loopNode).find, elements: true},
	"findIndex":     {test: true, result: kInt | kNil, run: (*loopNode).findIndex},
	"findLast":      {test: true, result: kData, run: (*loopNode).findLast, elements: true},
	"findLastIndex": {test: true, result: kInt | kNil, run: (*loopNode).findLastIndex},
	"groupBy":       {result: kObject, run: (*loopNode).groupBy, elements: true},
	"sortBy":        {result: kList, run: (*loopNode).sortBy, elements: true},
	"reduce":        {result: kAny, run: (*loopNode).reduce},
}

type loopNode struct {
	loopKind          *loopKind
	name              string
	list, body, extra node // extra: sortBy's order, reduce's first value
	at, listAt        span
	bodyAt, extraAt   span
	depth             int // its frame
	weight            int // steps of one turn
}

// builtin compiles what the parser knows as a builtin of expr-lang.
func (c *compiler) builtin(n *ast.BuiltinNode) value {
	name := c.span(n.Location())
	kind, ok := loopKinds[n.Name]
	if !ok {
		return c.function(n.Name, n.Arguments, c.of(n), name)
	}
	list := c.compile(n.Arguments[0])
	c.needs(list, kList, n.Name)
	node := &loopNode{loopKind: kind, name: n.Name, list: list.node, at: c.of(n), listAt: list.at, depth: len(c.loops)}
	body := value{node: item(node.depth), kind: kAny, at: list.at, grows: true}
	c.loops = append(c.loops, loop{item: kAny, acc: n.Name == "reduce"})
	c.frames = max(c.frames, len(c.loops))
	before := c.nodes
	if len(n.Arguments) > 1 {
		body = c.compile(n.Arguments[1])
	}
	c.loops = c.loops[:node.depth]
	node.weight = 1 + (c.nodes-before)/2
	node.body, node.bodyAt = body.node, body.at
	c.checkBody(n.Name, kind, body)
	v := value{node: node, kind: kind.result, grows: list.grows}
	if len(n.Arguments) > 2 {
		extra := c.compile(n.Arguments[2])
		node.extra, node.extraAt = extra.node, extra.at
		if n.Name == "sortBy" {
			c.needs(extra, kText, "the order of sortBy")
		}
	}
	switch {
	case n.Name == "reduce":
		v.kind, v.grows = body.kind, true
	case !kind.elements:
		v.grows = body.kind&^kScalar != 0
	case len(c.loops) > 0:
		v.grows = true // once for each turn around it
	}
	return v
}

func (c *compiler) checkBody(name string, kind *loopKind, body value) {
	switch {
	case kind.test:
		c.needs(body, kBool, "the predicate of "+name)
	case name == "sum":
		c.needs(body, kNumber, name)
	case name == "groupBy":
		c.needs(body, kPlain, "the key of groupBy")
	case name == "sortBy":
		c.needs(body, ordered, "the key of sortBy")
	}
}

func (n *loopNode) eval(m *machine) any {
	v := n.list.eval(m)
	list, ok := v.([]any)
	if !ok {
		m.wrong(n.listAt, n.at, v, kList, true, n.name)
	}
	m.step(1, n.at)
	return n.loopKind.run(n, m, list)
}

// turn runs the predicate for element i.
func (n *loopNode) turn(m *machine, list []any, i int) any {
	m.step(n.weight, n.at)
	f := &m.frames[n.depth]
	f.item, f.index = list[i], i
	return n.body.eval(m)
}

func (n *loopNode) test(m *machine, list []any, i int) bool {
	v := n.turn(m, list, i)
	b, ok := v.(bool)
	if !ok {
		m.wrong(n.bodyAt, n.bodyAt, v, kBool, false, "the predicate of "+n.name)
	}
	return b
}

// index gives the first i for which the predicate yields want, or -1.
func (n *loopNode) index(m *machine, list []any, want bool) int {
	for i := range list {
		if n.test(m, list, i) == want {
			return i
		}
	}
	return -1
}

func (n *loopNode) lastIndex(m *machine, list []any) int {
	for i := len(list) - 1; i >= 0; i-- {
		if n.test(m, list, i) {
			return i
		}
	}
	return -1
}

func (n *loopNode) all(m *machine, list []any) any  { return n.index(m, list, false) < 0 }
func (n *loopNode) none(m *machine, list []any) any { return n.index(m, list, true) < 0 }
func (n *loopNode) any(m *machine, list []any) any  { return n.index(m, list, true) >= 0 }

func (n *loopNode) counted(m *machine, list []any) (count int64) {
	for i := range list {
		if n.test(m, list, i) {
			count++
		}
	}
	return count
}

func (n *loopNode) one(m *machine, list []any) any   { return n.counted(m, list) == 1 }
func (n *loopNode) count(m *machine, list []any) any { return n.counted(m, list) }

func elementAt(list []any, i int) any {
	if i < 0 {
		return nil
	}
	return list[i]
}

func indexOrNil(i int) any {
	if i < 0 {
		return nil
	}
	return int64(i)
}

func (n *loopNode) find(m *machine, list []any) any {
	return elementAt(list, n.index(m, list, true))
}
func (n *loopNode) findLast(m *machine, list []any) any {
	return elementAt(list, n.lastIndex(m, list))
}
func (n *loopNode) findIndex(m *machine, list []any) any {
	return indexOrNil(n.index(m, list, true))
}
func (n *loopNode) findLastIndex(m *machine, list []any) any {
	return indexOrNil(n.lastIndex(m, list))
}

func (n *loopNode) filter(m *machine, list []any) any {
	out := []any{}
	for i, v := range list {
		if n.test(m, list, i) {
			out = m.push(out, v, n.at)
		}
	}
	return out
}

func (n *loopNode) mapped(m *machine, list []any) any {
	out := m.newList(len(list), n.at)
	for i := range list {
		out = append(out, n.turn(m, list, i))
	}
	return out
}

func (n *loopNode) sum(m *machine, list []any) any {
	var total number
	inner, _ := n.body.(*arithNode)
	for i := range list {
		total = n.add(m, total, n.summand(m, list, i, inner))
	}
	return total.value()
}

// summand is turn where a number is needed; arithmetic gives it without allocating.
func (n *loopNode) summand(m *machine, list []any, i int, inner *arithNode) number {
	if inner != nil && !inner.mixed {
		m.step(n.weight, n.at)
		f := &m.frames[n.depth]
		f.item, f.index = list[i], i
		return inner.num(m)
	}
	v := n.turn(m, list, i)
	x, ok := numberOf(v)
	if !ok {
		if n.bodyAt == n.listAt {
			m.fail(n.bodyAt, "", "sum needs numbers, but %s[%d] is %s", m.quote(n.listAt), i, kindOf(v))
		}
		m.wrong(n.bodyAt, n.bodyAt, v, kNumber, true, "sum")
	}
	return x
}

func (n *loopNode) add(m *machine, a, b number) number {
	total, fault := compute('+', a, b)
	if fault != fine {
		m.fail(n.at, "", "%s %s", m.quote(n.at), fault)
	}
	return total
}

// groupBy makes an object of lists, by the key as text.
func (n *loopNode) groupBy(m *machine, list []any) any {
	out := m.newObject(0, n.at)
	for i, v := range list {
		k := n.turn(m, list, i)
		key, ok := plainText(k)
		if !ok {
			m.wrong(n.bodyAt, n.bodyAt, k, kText, true, "the key of groupBy")
		}
		group, _ := out[key].([]any)
		if group == nil {
			m.take(pairWeight+len(key), n.at)
		}
		out[key] = m.push(group, v, n.at)
	}
	return out
}

// sortBy keeps the order of elements with equal keys.
func (n *loopNode) sortBy(m *machine, list []any) any {
	type keyed struct{ key, v any }
	descending := n.descending(m)
	m.take(len(list)*2*slotWeight, n.at)
	pairs := make([]keyed, len(list))
	for i, v := range list {
		pairs[i] = keyed{n.turn(m, list, i), v}
		if kindOf(pairs[i].key)&ordered == 0 {
			m.wrong(n.bodyAt, n.bodyAt, pairs[i].key, ordered, true, "the key of sortBy")
		}
	}
	slices.SortStableFunc(pairs, func(a, b keyed) int { return m.sortOrder(a.key, b.key, descending, n.at) })
	out := m.newList(len(list), n.at)
	for _, p := range pairs {
		out = append(out, p.v)
	}
	return out
}

func (n *loopNode) descending(m *machine) bool {
	if n.extra == nil {
		return false
	}
	return m.descending(n.extra.eval(m), n.extraAt)
}

func (m *machine) descending(order any, at span) bool {
	switch order {
	case "asc":
		return false
	case "desc":
		return true
	}
	m.fail(at, "", "the order of a sort is 'asc' or 'desc'")
	return false
}

func (m *machine) sortOrder(a, b any, descending bool, at span) int {
	m.step(3, at)
	c, ok := m.order(a, b, at)
	if !ok {
		m.fail(at, "", "sorting needs values of one kind, but here %s meets %s", kindOf(a), kindOf(b))
	}
	if descending {
		return -c
	}
	return c
}

func (n *loopNode) reduce(m *machine, list []any) any {
	var total any
	i := 0
	switch {
	case n.extra != nil:
		total = n.extra.eval(m)
	case len(list) == 0:
		m.fail(n.at, "give reduce a first value as its third argument", "%s is empty: there is nothing to reduce", m.quote(n.listAt))
	default:
		total, i = list[0], 1
	}
	for ; i < len(list); i++ {
		m.frames[n.depth].acc = total
		total = n.turn(m, list, i)
	}
	return total
}
