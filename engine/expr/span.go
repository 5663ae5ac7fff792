package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// span is a part of Source.Text, in bytes.
type span struct{ from, to int32 }

func (s span) until(t span) span { return span{s.from, max(s.to, t.to)} }

// offsets maps the parser's places, which count runes of one text, to bytes of
// Source.Text, of which the text may be a part.
type offsets struct {
	text  string
	base  int
	bytes []int32 // by rune; nil where every rune is one byte
}

func newOffsets(text string, base int) offsets {
	o := offsets{text: text, base: base}
	if utf8.RuneCountInString(text) == len(text) {
		return o
	}
	for i := range text {
		o.bytes = append(o.bytes, int32(i))
	}
	return o
}

func (o offsets) byteAt(r int) int {
	r = max(r, 0)
	if o.bytes == nil {
		return min(r, len(o.text))
	}
	if r >= len(o.bytes) {
		return len(o.text)
	}
	return int(o.bytes[r])
}

// local gives bytes within the text itself.
func (o offsets) local(l file.Location) (from, to int) {
	from = o.byteAt(l.From)
	return from, max(from, o.byteAt(l.To))
}

func (o offsets) span(l file.Location) span {
	from, to := o.local(l)
	return span{int32(o.base + from), int32(o.base + to)}
}

// of gives the whole extent of a node. The parser keeps only one token of each.
func (o offsets) of(n ast.Node) span {
	at := o.span(n.Location())
	switch n := n.(type) {
	case *ast.MemberNode:
		at = o.of(n.Node).until(o.of(n.Property))
		if _, name := n.Property.(*ast.StringNode); !name || o.bracketed(n) {
			at.to = o.bracketEnd(at.to)
		}
	case *ast.SliceNode:
		at = o.of(n.Node).until(o.closing(at))
	case *ast.ChainNode:
		at = o.of(n.Node)
	case *ast.BinaryNode:
		at = o.of(n.Left).until(o.of(n.Right))
	case *ast.UnaryNode:
		at = at.until(o.of(n.Node))
	case *ast.CallNode:
		at = at.until(o.closing(at))
		if m, ok := n.Callee.(*ast.MemberNode); ok {
			at.from = o.of(m.Node).from
		}
	case *ast.BuiltinNode, *ast.ArrayNode, *ast.MapNode:
		at = at.until(o.closing(at))
	case *ast.ConditionalNode:
		at = o.of(n.Cond).until(o.of(n.Exp2))
	case *ast.PredicateNode:
		at = o.of(n.Node)
	case *ast.VariableDeclaratorNode:
		at = at.until(o.of(n.Expr))
	case *ast.SequenceNode:
		at = o.of(n.Nodes[0]).until(o.of(n.Nodes[len(n.Nodes)-1]))
	}
	return at
}

// bracketed tells x["name"] from x.name.
func (o offsets) bracketed(n *ast.MemberNode) bool {
	from, _ := o.local(n.Property.Location())
	return strings.HasSuffix(strings.TrimRight(o.text[:from], " \t\r\n"), "[")
}

func (o offsets) bracketEnd(from int32) int32 {
	rest := o.text[int(from)-o.base:]
	if i := strings.IndexByte(rest, ']'); i >= 0 {
		return from + int32(i) + 1
	}
	return from
}

// closing gives the span up to the bracket that closes the first one at or after at.
func (o offsets) closing(at span) span {
	i := int(at.from) - o.base
	open := strings.IndexAny(o.text[i:], "([{")
	if open < 0 {
		return at
	}
	if end := balance(o.text, i+open, nil); end > 0 {
		at.to = int32(o.base + end)
	}
	return at
}

// balance scans from i, honouring quotes and comments, to the place where all
// brackets that were opened are closed again and gives its end, or where stop
// says so outside all brackets and gives its start; -1 if the text ends first.
func balance(text string, i int, stop func(rest string) bool) int {
	depth := 0
	for i < len(text) {
		if stop != nil && depth == 0 && stop(text[i:]) {
			return i
		}
		switch c := text[i]; c {
		case '\'', '"', '`':
			if i = quoted(text, i); i < 0 {
				return -1
			}
			continue
		case '/':
			if n := comment(text[i:]); n > 0 {
				i += n
				continue
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 && stop == nil {
				return i + 1
			}
			depth = max(depth, 0)
		}
		i++
	}
	return -1
}

// quoted gives the end of the string that starts at i. A backtick inside a raw
// string is written twice, which scans as two strings side by side.
func quoted(text string, i int) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch {
		case text[i] == quote:
			return i + 1
		case text[i] == '\\' && quote != '`':
			i++
		}
	}
	return -1
}

func comment(rest string) int {
	var end string
	switch {
	case strings.HasPrefix(rest, "//"):
		end = "\n"
	case strings.HasPrefix(rest, "/*"):
		end = "*/"
	default:
		return 0
	}
	if i := strings.Index(rest[2:], end); i >= 0 {
		return 2 + i + len(end)
	}
	return len(rest)
}
