package lsp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/expr"
)

// value completes what HCL evaluates, or a reference.
func (c *completer) value() {
	path := behind(string(c.content[c.attribute.open:c.offset]), isPath)
	start, end := c.offset-len(path), c.offset+ahead(c.content[c.offset:], isPath)
	if address, ok := c.keyed(start); ok {
		c.keys(address, true, start, end)
		c.each(start, end)
		return
	}
	if c.declared != nil && c.declared.Evaluated == "reference" {
		c.references(start, end)
		return
	}
	c.globals(start, end)
	c.each(start, end)
	if strings.Contains(path, ".") {
		return
	}
	if a := c.declared; a != nil {
		c.literals(a, start, end)
	}
	c.functions(c.server.values, start, end)
}

// literals offers what may be written for a in so many words.
func (c *completer) literals(a *config.Attribute, start, end int) {
	for _, v := range a.Enum {
		c.offer(item{label: strconv.Quote(v), doc: attributeDoc(a), kind: protocol.CompletionItemKindEnumMember, order: "0"}, start, end)
	}
	if a.Type == "true or false" {
		for _, v := range []string{"true", "false"} {
			c.offer(item{label: v, doc: attributeDoc(a), kind: protocol.CompletionItemKindConstant, order: "0"}, start, end)
		}
	}
	if len(a.Enum) == 0 && (a.Evaluated != "value" || a.Type == "text") && a.Type != "any value" {
		c.offer(item{label: `""`, insert: `"$0"`, detail: a.Evaluated, doc: attributeDoc(a), kind: protocol.CompletionItemKindSnippet, order: "0"}, start, end)
	}
}

// references offers the addresses that the attribute takes and does not have yet.
func (c *completer) references(start, end int) {
	written := strings.FieldsFunc(string(c.content[c.attribute.open:start])+" "+string(c.content[end:max(end, c.attribute.end)]),
		func(r rune) bool { return r > 127 || !isPath(byte(r)) })
	for i := range c.snapshot.Declarations {
		d := &c.snapshot.Declarations[i]
		if !takes(c.declared, d.Address) || slices.Contains(written, d.Address) {
			continue
		}
		c.offer(item{label: d.Address, detail: d.Description, doc: c.declarationDoc(d), kind: protocol.CompletionItemKindReference}, start, end)
	}
}

// takes tells whether a reference in a may be to address.
func takes(a *config.Attribute, address string) bool {
	return slices.ContainsFunc(a.References, func(prefix string) bool { return strings.HasPrefix(address, prefix+".") })
}

// globals offers variables, locals and secrets.
func (c *completer) globals(start, end int) {
	for i := range c.snapshot.Declarations {
		d := &c.snapshot.Declarations[i]
		if isGlobal(d.Address) {
			c.offer(item{label: d.Address, detail: d.Description, doc: c.declarationDoc(d), kind: protocol.CompletionItemKindVariable, order: "1"}, start, end)
		}
	}
}

func isGlobal(address string) bool {
	root, _, _ := strings.Cut(address, ".")
	return root == "var" || root == "local" || root == "secret"
}

func (c *completer) functions(all map[string]expr.FunctionDoc, start, end int) {
	for _, f := range all {
		x := item{label: f.Name, insert: f.Name + "($0)", plain: f.Name + "(", detail: f.Signature, doc: functionDoc(f), kind: protocol.CompletionItemKindFunction, order: "2"}
		if _, parameters, _ := strings.Cut(f.Signature, "("); parameters == ")" {
			x.insert, x.plain = f.Name+"()", f.Name+"()"
		}
		c.offer(x, start, end)
	}
}

// inLiteral completes text that is no expression: the values that there are, or what
// stands in ${ }.
func (c *completer) inLiteral() {
	if c.declared == nil {
		return
	}
	if address, ok := c.keyed(c.literal.start - 1); ok && !c.literal.heredoc {
		c.keys(address, false, c.literal.start, c.literal.end)
	}
	for _, v := range c.declared.Enum {
		c.offer(item{label: v, doc: attributeDoc(c.declared), kind: protocol.CompletionItemKindEnumMember}, c.literal.start, c.literal.end)
	}
}

// eventFields are the fields of event, which are always the same.
var eventFields = map[string]string{
	"id":     "The event's id: always syncd's own, unique, sortable by time.",
	"source": "The address of the source that took it in.",
	"time":   "When it was accepted.",
	"key":    "What the source's `key` yielded for it.",
}

// metaFields are the fields of meta that are well known; a source may have more.
var metaFields = map[string]string{
	"header":    "Headers by name in any case, the first value of each: `meta.header['x-id']`.",
	"headers":   "All values of each header, by name.",
	"query":     "The query's parameters: `meta.query.page`.",
	"params":    "What a pattern in the path stands for: `meta.params.shop`.",
	"method":    "The method of the request.",
	"path":      "The path of the request.",
	"remote_ip": "Who sent the request.",
}

// responseFields are the fields of response.
var responseFields = map[string]string{
	"status":  "The status of the answer, a number.",
	"headers": "Its headers by name, in any case.",
	"body":    "Its body, decoded.",
}

// names say what the names are that expressions see.
var names = map[string]string{
	"body":     "The decoded payload.",
	"meta":     "What the source knows beside the payload: headers, query, file name.",
	"event":    "The event itself: `event.id`, `event.source`, `event.time`, `event.key`.",
	"vars":     "Results of the flow's `lookup` steps, by label.",
	"parent":   "After a `split`: the body that was split.",
	"var":      "Variables: `var.NAME`.",
	"local":    "Locals: `local.NAME`.",
	"secret":   "Secrets, as arguments of hash functions only: `secret.NAME`.",
	"record":   "One record of what was read.",
	"response": "What the destination answered.",
	"cursor":   "Where reading goes on.",
	"each":     "What this component is made of: `each.key` and `each.value` of the element of its for_each.",
}

// expressionNames completes an expression, of which before is written.
func (c *completer) expressionNames(before string) {
	if name, ok := tableName(before); ok {
		c.tables(len(name))
		return
	}
	if inText(before) {
		return
	}
	path := behind(before, isPath)
	start, end := c.offset-len(path), c.offset+ahead(c.content[c.offset:], isPath)
	root, _, deeper := strings.Cut(path, ".")
	switch {
	case deeper && isGlobal(path):
		if slices.Contains(c.declared.Scope, root) {
			c.globals(start, end)
		}
	case deeper:
		c.fields(root, path, c.offset+ahead(c.content[c.offset:], isWord))
	default:
		for _, name := range c.scope() {
			c.offer(item{label: name, doc: names[name], kind: protocol.CompletionItemKindVariable, order: "0"}, start, end)
		}
		c.globals(start, end)
		c.functions(c.server.exprs, start, end)
	}
}

// scope is what the expression at the cursor sees.
func (c *cursor) scope() []string {
	if c.repeats() == nil {
		return c.declared.Scope
	}
	return append(slices.Clone(c.declared.Scope), "each")
}

// fields offers the fields of a name of which they are known.
func (c *completer) fields(root, path string, end int) {
	if strings.Count(path, ".") != 1 || !slices.Contains(c.scope(), root) {
		return
	}
	start := c.offset - len(behind(path, isWord))
	known := map[string]map[string]string{"event": eventFields, "meta": metaFields, "response": responseFields, "each": eachFields, "vars": c.lookups()}
	for name, doc := range known[root] {
		c.offer(item{label: name, doc: doc, kind: protocol.CompletionItemKindField}, start, end)
	}
}

// lookups are the labels of the lookups in the flow around the cursor.
func (c *completer) lookups() map[string]string {
	found := map[string]string{}
	for b := c.block; b != nil; b = b.parent {
		for _, step := range b.blocks {
			if n := len(step.labels); step.typ == "lookup" && n > 0 {
				found[step.labels[n-1]] = fmt.Sprintf("What the step lookup %q found.", step.labels[n-1])
			}
		}
	}
	return found
}
