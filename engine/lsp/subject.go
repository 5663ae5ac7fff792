package lsp

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/expr"
)

// subject is what stands at a place: one of these, or nothing.
type subject struct {
	start, end  int
	declaration *config.Declaration
	function    *expr.FunctionDoc
	attribute   *config.Attribute
	schema      *config.Schema
	name        string     // that an expression sees
	path        string     // of a file, absolute
	near        *attribute // of this document, which declares it
}

// subject finds what stands at the cursor.
func (v *view) subject(c *cursor) (subject, bool) {
	if c.attribute != nil {
		return v.inValue(c)
	}
	for i := range c.block.attributes {
		if a := &c.block.attributes[i]; a.start <= c.offset && c.offset <= a.start+len(a.name) {
			x := subject{start: a.start, end: a.start + len(a.name), attribute: attributeOf(c.schema, a.name)}
			if c.block.typ == "locals" {
				x.declaration = v.snapshot.Find("local." + a.name)
			}
			return x, x.attribute != nil
		}
	}
	for _, b := range c.block.blocks {
		if b.start <= c.offset && c.offset <= b.header {
			x := subject{start: b.start, end: b.header, schema: v.server.schema(b), declaration: v.snapshot.Find(addressOf(b))}
			return x, x.schema != nil
		}
	}
	return subject{}, false
}

// addressOf is how b is referred to if it is of the top level.
func addressOf(b *block) string {
	typ := b.typ
	if typ == "variable" {
		typ = "var"
	}
	return strings.Join(append([]string{typ}, b.labels...), ".")
}

// inValue finds what stands in a value: a name that means something there, or else
// the attribute itself.
func (v *view) inValue(c *cursor) (subject, bool) {
	before, isExpression := c.expression()
	if x, ok := v.table(c, before); ok && isExpression {
		return x, true
	}
	if x, ok := v.component(c); ok {
		return x, true
	}
	if c.literal != nil && !isExpression || isExpression && inText(before) {
		if c.literal.argument == "file" {
			return v.file(c), true
		}
		return c.itself()
	}
	from := c.attribute.open
	if isExpression {
		from = c.offset - len(before)
	}
	start := c.offset - len(behind(string(c.content[from:c.offset]), isPath))
	end := c.offset + ahead(c.content[c.offset:], isWord) // of what the cursor is on, not what follows
	if x, ok := v.named(c, start, end, isExpression); ok {
		return x, true
	}
	return c.itself()
}

// itself is the attribute that the cursor is in.
func (c *cursor) itself() (subject, bool) {
	return subject{start: c.attribute.start, end: c.attribute.start + len(c.attribute.name), attribute: c.declared}, c.declared != nil
}

// named finds what a path of names leads to.
func (v *view) named(c *cursor, start, end int, isExpression bool) (subject, bool) {
	path := string(c.content[start:end])
	called := end < len(c.content) && c.content[end] == '('
	functions := v.server.values
	if isExpression {
		functions = v.server.exprs
	}
	if f, ok := functions[path]; ok && called {
		return subject{start: start, end: end, function: &f}, true
	}
	whole := end + ahead(c.content[end:], isPath)
	for parts := strings.Split(string(c.content[start:whole]), "."); len(parts) > 1; parts = parts[:len(parts)-1] {
		address := strings.Join(parts, ".")
		if d := v.snapshot.Find(address); d != nil && (!isExpression || isGlobal(address)) {
			return subject{start: start, end: start + len(address), declaration: d}, true
		}
	}
	if x, ok := c.eachNamed(path, start, end); ok {
		return x, true
	}
	root, _, _ := strings.Cut(path, ".")
	if isExpression && slices.Contains(c.declared.Scope, root) {
		return subject{start: start, end: end, name: path}, true
	}
	return subject{}, false
}

// file is the file that the literal around the cursor names.
func (v *view) file(c *cursor) subject {
	name := string(c.content[c.literal.start:c.literal.end])
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(v.path), name)
	}
	return subject{start: c.literal.start, end: c.literal.end, path: name}
}
