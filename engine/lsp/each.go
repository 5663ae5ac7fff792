package lsp

import (
	"strings"

	"go.lsp.dev/protocol"
)

// eachFields are the fields of each.
var eachFields = map[string]string{
	"key":   "The key of the element; of a set, the element itself.",
	"value": "The value of the element.",
}

// repeats is the for_each of the block of the top level around the cursor, nil if it
// has none. What stands in it does not see each itself.
func (c *cursor) repeats() *attribute {
	top := c.block
	for top.parent != nil && top.parent.parent != nil {
		top = top.parent
	}
	for i := range top.attributes {
		if a := &top.attributes[i]; a.name == "for_each" && a != c.attribute {
			return a
		}
	}
	return nil
}

// each completes each.key and each.value where HCL evaluates them.
func (c *completer) each(start, end int) {
	if c.repeats() == nil {
		return
	}
	for name, doc := range eachFields {
		c.offer(item{label: "each." + name, doc: doc, kind: protocol.CompletionItemKindVariable, order: "0"}, start, end)
	}
}

// eachNamed is each, or a field of it, at the cursor.
func (c *cursor) eachNamed(path string, start, end int) (subject, bool) {
	root, _, _ := strings.Cut(path, ".")
	forEach := c.repeats()
	return subject{start: start, end: end, name: path, near: forEach}, root == "each" && forEach != nil
}

// keyed is the address whose key, in brackets behind it, starts at offset.
func (c *cursor) keyed(offset int) (address string, ok bool) {
	if c.declared == nil || c.declared.Evaluated != "reference" || offset <= c.attribute.open || c.content[offset-1] != '[' {
		return "", false
	}
	address = behind(string(c.content[c.attribute.open:offset-1]), isPath)
	return address, address != ""
}

// keys completes the key of one component of a for_each, quoted or what stands in quotes.
func (c *completer) keys(address string, quoted bool, start, end int) {
	for i := range c.snapshot.Declarations {
		d := &c.snapshot.Declarations[i]
		key, ok := strings.CutPrefix(d.Address, address+"[")
		if !ok {
			continue
		}
		key = strings.TrimSuffix(key, "]")
		if !quoted {
			key = key[1 : len(key)-1]
		}
		c.offer(item{label: key, doc: c.declarationDoc(d), kind: protocol.CompletionItemKindEnumMember, order: "0"}, start, end)
	}
}

// component is the component of a for_each whose key the cursor is in.
func (v *view) component(c *cursor) (subject, bool) {
	if c.literal == nil || c.literal.heredoc {
		return subject{}, false
	}
	address, ok := c.keyed(c.literal.start - 1)
	if !ok {
		return subject{}, false
	}
	d := v.snapshot.Find(address + "[\"" + string(c.content[c.literal.start:c.literal.end]) + "\"]")
	return subject{start: c.literal.start, end: c.literal.end, declaration: d}, d != nil
}
