package expr

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

func (sc *Scope) hasEach() bool { return sc != nil && sc.Each != nil }

func (c *compiler) noEach(at span) value {
	return c.errorAt(at, "", `"each" is not something an expression can see here: it belongs to for_each, and this block has none`)
}

// each compiles each.key and all of each.value.
func (c *compiler) each(entry string, at, entryAt span) value {
	if !c.scope.hasEach() {
		return c.noEach(span{at.from, at.from + int32(len("each"))})
	}
	v, known := c.scope.Each[entry]
	hidden := slices.ContainsFunc(c.scope.Sensitive, func(s string) bool { return strings.HasPrefix(s, "each.value.") })
	switch {
	case slices.Contains(c.scope.Sensitive, "each."+entry):
		return c.sensitive(at, "each."+entry)
	case !known:
		return c.errorAt(entryAt, didYouMean(entry, []string{"key", "value"}), "there is no each.%s, only each.key and each.value", entry)
	case entry == "value" && hidden:
		return c.errorAt(at, "name the field that is meant: each.value.NAME", "each.value is sensitive in part: an expression may not see all of it")
	}
	return literal(c.given(fromGo(v)))
}

// eachField compiles each.value.NAME, whose value is known at load. False: n is not that.
func (c *compiler) eachField(n *ast.MemberNode) (value, bool) {
	inner, ok := n.Node.(*ast.MemberNode)
	field, named := n.Property.(*ast.StringNode)
	if !ok || !named || !c.scope.hasEach() || c.isLet("each") {
		return value{}, false
	}
	root, ok := inner.Node.(*ast.IdentifierNode)
	entry, named := inner.Property.(*ast.StringNode)
	fields, isObject := c.scope.Each["value"].(map[string]any)
	if !ok || !named || !isObject || root.Value != "each" || entry.Value != "value" {
		return value{}, false
	}
	c.uses |= 1 << nameIndex("each")
	path := "each.value." + field.Value
	if slices.Contains(c.scope.Sensitive, path) {
		return c.sensitive(c.of(n), path), true
	}
	return literal(c.given(fromGo(fields[field.Value]))), true
}
