package lsp

import (
	"regexp"
	"strings"

	"go.lsp.dev/protocol"
)

// openTable is the end of an expression in which the name of a table is being
// written; in a quoted string of HCL, a quote of its own has a backslash.
var openTable = regexp.MustCompile("\\btable\\(\\s*(?:'|`|\\\\?\")(\\w*)$")

// tableName is what stands of the name of a table at the end of an expression. False:
// none is being written there.
func tableName(expression string) (name string, ok bool) {
	m := openTable.FindStringSubmatch(expression)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// tables completes the name of a table, of which length bytes are there.
func (c *completer) tables(length int) {
	start, end := c.offset-length, c.offset+ahead(c.content[c.offset:], isWord)
	for i := range c.snapshot.Declarations {
		d := &c.snapshot.Declarations[i]
		if name, ok := strings.CutPrefix(d.Address, "table."); ok {
			c.offer(item{label: name, detail: d.Description, doc: c.declarationDoc(d), kind: protocol.CompletionItemKindReference}, start, end)
		}
	}
}

// table is the table whose name the cursor is in, in an expression that before is the
// beginning of.
func (v *view) table(c *cursor, before string) (subject, bool) {
	begun, ok := tableName(before)
	if !ok {
		return subject{}, false
	}
	start, end := c.offset-len(begun), c.offset+ahead(c.content[c.offset:], isWord)
	d := v.snapshot.Find("table." + string(c.content[start:end]))
	return subject{start: start, end: end, declaration: d}, d != nil
}
