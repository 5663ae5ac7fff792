package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Path gives the names of an expression that is nothing but a way to a field:
// response.body.orders gives these three.
func (e Expr) Path() ([]string, bool) {
	p, ok := e.tree.(*program)
	if !ok {
		return nil, false
	}
	root, err := parse(p.src.Text)
	if err != nil {
		return nil, false
	}
	path, whole := wayTo(root)
	return path, whole
}

// MaySee tells whether the expression may look at what stands at path, or at a part
// of it. It is no only if the text itself shows that.
func (e Expr) MaySee(path ...string) bool {
	switch t := e.tree.(type) {
	case *program:
		return t.maySee(path)
	case *fields:
		return slices.ContainsFunc(t.list, func(f Field) bool { return f.Value.MaySee(path...) })
	case elements:
		return slices.ContainsFunc(t, func(x Expr) bool { return x.MaySee(path...) })
	}
	return false
}

func (p *program) maySee(path []string) bool {
	if !p.uses.has(path[0]) {
		return false
	}
	root, err := parse(p.src.Text)
	if err != nil {
		return true
	}
	s := sight{path: path}
	ast.Walk(&root, &s)
	return s.names > s.elsewhere
}

// sight counts how often the first name of path occurs in a text, and how many of
// these lead elsewhere.
type sight struct {
	path             []string
	names, elsewhere int
}

// Visit implements ast.Visitor. The longest of nested ways counts, and it is the one
// that leaves the path in exactly one of its members.
func (s *sight) Visit(n *ast.Node) {
	if id, ok := (*n).(*ast.IdentifierNode); ok && id.Value == s.path[0] {
		s.names++
		return
	}
	way, ok := wayTo(*n)
	if !ok || len(way) < 2 || len(way) > len(s.path) {
		return
	}
	last := len(way) - 1
	if slices.Equal(way[:last], s.path[:last]) && way[last] != s.path[last] {
		s.elsewhere++
	}
}

// wayTo gives the names of n if it is a chain of members with fixed names.
func wayTo(n ast.Node) ([]string, bool) {
	switch n := n.(type) {
	case *ast.ChainNode:
		return wayTo(n.Node)
	case *ast.IdentifierNode:
		return []string{n.Value}, true
	case *ast.MemberNode:
		name, ok := n.Property.(*ast.StringNode)
		if !ok {
			return nil, false
		}
		way, ok := wayTo(n.Node)
		return append(way, name.Value), ok
	}
	return nil, false
}
