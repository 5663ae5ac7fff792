package expr

import (
	"time"

	"github.com/expr-lang/expr/ast"
)

// arithmetic compiles + - * / % **. Where both sides must be numbers, no
// intermediate result is allocated.
func (c *compiler) arithmetic(op string, l, r value, at span) value {
	symbol := op[0]
	if op == "**" {
		symbol = '^'
	}
	n := &arithNode{op: symbol, l: l.node, r: r.node, at: at, lat: l.at, rat: r.at}
	possible := kNumber
	switch symbol {
	case '+':
		possible |= kText | kTime | kDuration
	case '-':
		possible |= kTime | kDuration
	case '*':
		possible |= kDuration
	}
	n.mixed = n.mayMix(l.kind&possible, r.kind&possible)
	if textMeetsNumber := l.kind == kText && r.kind&^kNumber == 0 || r.kind == kText && l.kind&^kNumber == 0; textMeetsNumber && symbol == '+' {
		c.errorAt(at, "write string(…) to join texts, number(…) to add numbers", "+ needs two numbers or two texts")
		return value{node: n, kind: kAny}
	}
	if symbol == '+' && l.kind == kList && r.kind == kList {
		c.errorAt(at, "write concat("+c.quote(l.at)+", "+c.quote(r.at)+")", "+ does not join lists")
		return value{node: n, kind: kAny}
	}
	if !n.mixed {
		possible = kNumber
	}
	c.needs(l, possible, op)
	c.needs(r, possible, op)
	if k, ok := literalOf(r); ok && (symbol == '/' || symbol == '%') {
		if x, isNumber := numberOf(k); isNumber && x.asFloat() == 0 {
			c.errorAt(at, "", "this divides by zero")
			return value{node: n, kind: kNumber}
		}
	}
	switch {
	case symbol == '/':
		return value{node: n, kind: kFloat}
	case !n.mixed && (l.kind|r.kind)&^kNil == kInt:
		return value{node: n, kind: kInt}
	case !n.mixed:
		return value{node: n, kind: kNumber}
	case symbol == '+' && (l.kind == kText || r.kind == kText):
		return value{node: n, kind: kText}
	}
	return value{node: n, kind: kNumber | kText | kTime | kDuration}
}

// mayMix tells whether something else than two numbers may meet here.
func (n *arithNode) mayMix(l, r kind) bool {
	if n.op == '*' {
		return (l|r)&kDuration != 0
	}
	return l&^kNumber != 0 && r&^kNumber != 0
}

type arithNode struct {
	l, r         node
	at, lat, rat span
	op           byte
	mixed        bool
}

func (n *arithNode) eval(m *machine) any {
	if n.mixed {
		l, r := n.l.eval(m), n.r.eval(m)
		a, okA := numberOf(l)
		b, okB := numberOf(r)
		if okA && okB {
			return n.compute(m, a, b).value()
		}
		return n.mix(m, l, r)
	}
	return n.num(m).value()
}

// num is eval where a number is needed.
func (n *arithNode) num(m *machine) number {
	return n.compute(m, n.operand(m, n.l, n.lat), n.operand(m, n.r, n.rat))
}

func (n *arithNode) operand(m *machine, e node, at span) number {
	if a, ok := e.(*arithNode); ok && !a.mixed {
		return a.num(m)
	}
	v := e.eval(m)
	x, ok := numberOf(v)
	if !ok {
		m.wrong(at, n.at, v, kNumber, false, n.symbol())
	}
	return x
}

func (n *arithNode) symbol() string {
	if n.op == '^' {
		return "**"
	}
	return string(n.op)
}

func (n *arithNode) compute(m *machine, a, b number) number {
	r, fault := compute(n.op, a, b)
	if fault != fine {
		m.fail(n.at, "", "%s %s", m.quote(n.at), fault)
	}
	return r
}

// mix does what + - * do beside numbers: joining texts, times and durations.
func (n *arithNode) mix(m *machine, l, r any) any {
	switch a := l.(type) {
	case string:
		if b, ok := r.(string); ok && n.op == '+' {
			m.take(len(a)+len(b), n.at)
			return a + b
		}
	case time.Time:
		switch b := r.(type) {
		case time.Duration:
			if n.op == '-' {
				return a.Add(-b)
			} else if n.op == '+' {
				return a.Add(b)
			}
		case time.Time:
			if n.op == '-' {
				m.exotic = true
				return a.Sub(b)
			}
		}
	case time.Duration:
		if b, ok := r.(time.Time); ok && n.op == '+' {
			return b.Add(a)
		}
		if v, ok := n.duration(m, a, r); ok {
			return v
		}
	default:
		if b, ok := r.(time.Duration); ok && n.op == '*' {
			if v, ok := n.duration(m, b, l); ok {
				return v
			}
		}
	}
	n.clash(m, l, r)
	return nil
}

// duration does d op x with x a duration, or a number to multiply by.
func (n *arithNode) duration(m *machine, d time.Duration, x any) (any, bool) {
	m.exotic = true
	if y, ok := x.(time.Duration); ok && n.op != '*' {
		return time.Duration(n.compute(m, number{i: int64(d)}, number{i: int64(y)}).i), true
	}
	y, ok := numberOf(x)
	if !ok || n.op != '*' {
		return nil, false
	}
	product := n.compute(m, number{i: int64(d)}, y)
	if product.float {
		if product.f >= 1<<63 || product.f < -1<<63 {
			m.fail(n.at, "", "%s %s", m.quote(n.at), overflow)
		}
		return time.Duration(product.f), true
	}
	return time.Duration(product.i), true
}

// clash says which side is the one that does not fit.
func (n *arithNode) clash(m *machine, l, r any) {
	want := kNumber
	for _, side := range []struct {
		v    any
		at   span
		with any
	}{{l, n.lat, r}, {r, n.rat, l}} {
		if side.v == nil {
			if n.op == '+' && kindOf(side.with) == kText {
				want = kText
			}
			m.failNil(side.at, n.at, want, false)
		}
	}
	if n.op == '+' && (kindOf(l)|kindOf(r))&kText != 0 {
		odd, at := l, n.lat
		if kindOf(l) == kText {
			odd, at = r, n.rat
		}
		m.wrong(at, n.at, odd, kText, false, "+ beside text")
	}
	if _, ok := numberOf(l); !ok {
		m.wrong(n.lat, n.at, l, want, false, n.symbol())
	}
	m.wrong(n.rat, n.at, r, want, false, n.symbol())
}

// unary compiles not, - and +.
func (c *compiler) unary(n *ast.UnaryNode) value {
	v := c.compile(n.Node)
	at := c.of(n)
	if n.Operator == "not" || n.Operator == "!" {
		c.needs(v, kBool, "not")
		inner := &notNode{e: v.node, at: v.at, whole: at}
		if v.kind&kBool == 0 {
			return value{node: inner, kind: kBool}
		}
		return c.fold(value{node: inner, kind: kBool}, v)
	}
	if k, ok := literalOf(v); ok && n.Operator == "-" {
		if x, ok := numberOf(k); ok {
			if r, fault := compute('-', number{}, x); fault == fine {
				return literal(r.value())
			}
		}
	}
	zero := value{node: constant{int64(0)}, kind: kInt, at: v.at}
	return c.arithmetic(n.Operator, zero, v, at)
}

type notNode struct {
	e         node
	at, whole span
}

func (n *notNode) eval(m *machine) any { return !m.truth(n.e, n.at, n.whole, "not") }

// truth evaluates what must be true or false.
func (m *machine) truth(e node, at, whole span, who string) bool {
	v := e.eval(m)
	b, ok := v.(bool)
	if !ok {
		m.wrong(at, whole, v, kBool, false, who)
	}
	return b
}
