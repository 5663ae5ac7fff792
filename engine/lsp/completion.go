package lsp

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/syncd/syncd/engine/config"
)

// view is a document as a request finds it, with what is known of its configuration.
type view struct {
	*document
	server   *Server
	snapshot *config.Snapshot
	snippets bool
}

func (v *view) cursor(p protocol.Position) *cursor {
	return v.server.cursorAt(v.content, v.offset(p))
}

// Completion offers what may stand at a place.
func (s *Server) Completion(ctx context.Context, p *protocol.CompletionParams) (protocol.CompletionResult, error) {
	v := s.look(ctx, p.TextDocument.URI)
	if v == nil {
		return nil, nil
	}
	c := &completer{view: v, cursor: v.cursor(p.Position)}
	c.complete()
	return &protocol.CompletionList{Items: append([]protocol.CompletionItem{}, c.items...)}, nil
}

// completer collects what may stand at the cursor.
type completer struct {
	*view
	*cursor
	items []protocol.CompletionItem
}

// item is something to offer.
type item struct {
	label  string
	insert string // a snippet; "": the label
	plain  string // for editors that take no snippets; "": the label
	detail string // beside the label
	doc    string // Markdown
	kind   protocol.CompletionItemKind
	order  string // what sorts before the label
}

// offer adds x, which replaces the text from start to end.
func (c *completer) offer(x item, start, end int) {
	i := protocol.CompletionItem{Label: x.label, Kind: x.kind, SortText: protocol.NewOptional(x.order + x.label), FilterText: protocol.NewOptional(x.label)}
	if x.detail != "" {
		i.Detail = protocol.NewOptional(x.detail)
	}
	if x.doc != "" {
		i.Documentation = &protocol.MarkupContent{Kind: protocol.MarkupKindMarkdown, Value: x.doc}
	}
	edit := x.label
	switch {
	case x.insert != "" && c.snippets:
		edit, i.InsertTextFormat = x.insert, protocol.InsertTextFormatSnippet
	case x.plain != "":
		edit = x.plain
	}
	i.TextEdit = &protocol.TextEdit{Range: c.span(start, end), NewText: edit}
	c.items = append(c.items, i)
}

func (c *completer) complete() {
	switch before, ok := c.expression(); {
	case ok:
		c.expressionNames(before)
	case c.attribute == nil:
		c.body()
	case c.literal != nil:
		c.inLiteral()
	case !c.key:
		c.value()
	}
}

// What the line before the cursor says of a place that is in no value.
var (
	atName  = regexp.MustCompile(`(?:^|\{)[ \t]*(\w*)$`)
	atLabel = regexp.MustCompile(`(?:^|\{)[ \t]*(\w+)[ \t]+("?)([\w-]*)$`)
)

// body completes where attributes and blocks stand.
func (c *completer) body() {
	line := string(c.content[:c.offset])
	line = line[strings.LastIndexByte(line, '\n')+1:]
	if m := atName.FindStringSubmatch(line); m != nil {
		start, end := c.offset-len(m[1]), c.offset+ahead(c.content[c.offset:], isWord)
		c.attributes(start, end)
		c.blocks(start, end)
	} else if m := atLabel.FindStringSubmatch(line); m != nil {
		c.kinds(m[1], m[2], len(m[3]))
	}
}

// attributes offers those that the block does not have yet, the required ones first.
func (c *completer) attributes(start, end int) {
	if c.schema == nil {
		return
	}
	for i := range c.schema.Attributes {
		a := &c.schema.Attributes[i]
		if c.block.has(a.Name) {
			continue
		}
		x := item{label: a.Name, insert: a.Name + " = " + valueSnippet(a), plain: a.Name + " = ", detail: a.Type, doc: attributeDoc(a), kind: protocol.CompletionItemKindProperty}
		switch {
		case a.Required:
			x.order, x.detail = "0", x.detail+", required"
		case a.Common:
			x.order = "3"
		default:
			x.order = "1"
		}
		c.offer(x, start, end)
	}
}

// blocks offers the blocks that may stand here, and steps.
func (c *completer) blocks(start, end int) {
	var all []config.Schema
	switch {
	case c.block.parent == nil:
		all = c.server.language.Blocks
	case c.schema == nil:
	case c.schema.Steps:
		all = append(append(all, c.schema.Blocks...), c.server.language.Steps...)
	default:
		all = c.schema.Blocks
	}
	for i := range all {
		b := &all[i]
		if c.schema != nil && !b.Repeated && c.schema.Find(b.Type, b.Kind) != nil && c.holds(b.Type) {
			continue
		}
		x := item{label: b.Address(), detail: "block", doc: blockDoc(b), kind: protocol.CompletionItemKindStruct, order: "2"}
		x.insert, x.plain = blockSnippet(b)
		if b.Required {
			x.order, x.detail = "0", "block, required"
		}
		c.offer(x, start, end)
	}
}

func (c *completer) holds(typ string) bool {
	for _, b := range c.block.blocks {
		if b.typ == typ {
			return true
		}
	}
	return false
}

// kinds completes the first label of a block of type typ, of which length bytes are there.
func (c *completer) kinds(typ, quote string, length int) {
	all := c.server.language.Blocks
	if c.block.parent != nil && c.schema != nil {
		all = c.schema.Blocks
		if step := c.server.language.Block(typ, ""); c.schema.Steps && step != nil {
			all = slices.Concat(all, step.Choices)
		}
	}
	start := c.offset - length - len(quote)
	end := c.offset + ahead(c.content[c.offset:], isWord)
	closed := end < len(c.content) && c.content[end] == '"'
	if closed {
		end++
	}
	for i := range all {
		b := &all[i]
		if b.Type != typ || b.Kind == "" {
			continue
		}
		label := fmt.Sprintf("%q", b.Kind)
		x := item{label: label, detail: typ, doc: blockDoc(b), kind: protocol.CompletionItemKindEnumMember}
		if !closed {
			x.insert, x.plain = blockSnippet(b)
			x.insert, x.plain = strings.TrimPrefix(x.insert, typ+" "), strings.TrimPrefix(x.plain, typ+" ")
		}
		c.offer(x, start, end)
	}
}
