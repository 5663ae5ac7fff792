package expr

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Go's regexp runs in time proportional to the text times the size of the
// program, which it does not tell: pattern estimates it from the syntax, before
// anything is expanded.
type pattern struct {
	re   *regexp.Regexp
	size int
}

const (
	maxPattern     = 1000 // bytes of a pattern that comes from an event
	maxPatternSize = 10_000
)

// compilePattern gives a message instead of a pattern that is wrong or too large.
func compilePattern(text string) (pattern, string) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return pattern{}, strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	size := patternSize(tree)
	if size > maxPatternSize {
		return pattern{}, "the pattern is too large"
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return pattern{}, strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	return pattern{re, size}, ""
}

func patternSize(t *syntax.Regexp) int {
	size := 1 + len(t.Rune)/8
	if t.Op == syntax.OpLiteral {
		size = 1 + len(t.Rune)
	}
	for _, s := range t.Sub {
		size += patternSize(s)
	}
	if t.Op == syntax.OpRepeat {
		size *= max(1, t.Min, t.Max)
	}
	return min(size, 1<<30)
}

// charge takes what matching a text of n bytes may cost.
func (p pattern) charge(m *machine, n int, at span) { m.step(n*p.size/16+n/4, at) }

// pattern compiles a pattern that comes from an event.
func (m *machine) pattern(text string, at span) pattern {
	if len(text) > maxPattern {
		m.fail(at, "", "a pattern from an event may have %d bytes, this one has %d", maxPattern, len(text))
	}
	p, wrong := compilePattern(text)
	if wrong != "" {
		m.fail(at, "", "%s is no pattern: %s", m.quote(at), wrong)
	}
	m.step(p.size+len(text), at)
	m.take(p.size*64, at)
	return p
}

// matches compiles a matches b; a literal pattern is compiled once.
func (c *compiler) matches(n *ast.BinaryNode) value {
	l, r := c.compile(n.Left), c.compile(n.Right)
	at := c.of(n)
	c.needs(l, kText|kNil, "matches")
	c.needs(r, kText|kNil, "matches")
	node := &matchNode{l: l.node, r: r.node, at: at, lat: l.at, rat: r.at}
	node.fixed = c.literalPattern(r)
	return value{node: node, kind: kBool}
}

// literalPattern gives the pattern that is known at load, or nil.
func (c *compiler) literalPattern(v value) *pattern {
	k, _ := literalOf(v)
	text, ok := k.(string)
	if !ok {
		return nil
	}
	p, wrong := compilePattern(text)
	if wrong != "" {
		c.errorAt(v.at, "", "%s is no pattern: %s", c.quote(v.at), wrong)
		return nil
	}
	return &p
}

type matchNode struct {
	l, r         node
	fixed        *pattern
	at, lat, rat span
}

func (n *matchNode) eval(m *machine) any {
	l := n.l.eval(m)
	if l == nil {
		return false
	}
	s, ok := l.(string)
	if !ok {
		m.wrong(n.lat, n.at, l, kText, false, "matches")
	}
	var p pattern
	if n.fixed != nil {
		p = *n.fixed
	} else {
		r := n.r.eval(m)
		if r == nil {
			return false
		}
		text, ok := r.(string)
		if !ok {
			m.wrong(n.rat, n.at, r, kText, false, "matches")
		}
		p = m.pattern(text, n.rat)
	}
	p.charge(m, len(s), n.at)
	return p.re.MatchString(s)
}

// growth is how much a buffer that grows allocates for each byte it ends up with.
const growth = 3

// replace replaces every match. $1 in with stands for the first group, and so on.
func (p pattern) replace(m *machine, s, with string, at span) string {
	p.charge(m, len(s), at)
	m.take(growth*len(s), at)
	if !strings.Contains(with, "$") {
		return p.re.ReplaceAllStringFunc(s, func(string) string {
			m.take(growth*len(with), at)
			return with
		})
	}
	// What a match expands to is bounded first, since it grows in one go.
	groups := strings.Count(with, "$")
	p.re.ReplaceAllStringFunc(s, func(match string) string {
		m.take(growth*(len(with)+groups*len(match)), at)
		return match
	})
	p.charge(m, len(s), at)
	return p.re.ReplaceAllString(s, with)
}
