package expr

import (
	"regexp"
	"strings"
)

// likely is a fault of the syntax that people make, and where.
type likely struct {
	message, hint string
	at            span
}

// likelyFault looks at the text around the place where the parser gave up: a
// fault of its own, or only a hint for the parser's message.
func (c *compiler) likelyFault(from int, message string) likely {
	from = min(from, len(c.text))
	if l := c.strayBracket(from); l.message != "" {
		return l
	}
	if l := c.otherOperator(from); l.message != "" || !strings.HasPrefix(message, "unexpected ") {
		return l
	}
	return c.misread(c.text[:from], c.text[from:])
}

func (c *compiler) strayBracket(from int) likely {
	open, closing := unbalanced(c.text)
	switch {
	case open >= 0 && strings.TrimSpace(c.text[from:]) == "":
		return likely{"this " + c.text[open:open+1] + " is never closed", "", c.byteSpan(open, 1)}
	case closing >= 0 && closing <= from:
		return likely{"this " + c.text[closing:closing+1] + " closes nothing", "", c.byteSpan(closing, 1)}
	}
	return likely{}
}

func (c *compiler) otherOperator(from int) likely {
	near := c.text[:min(from+2, len(c.text))]
	for _, o := range otherOperators {
		if i := strings.LastIndex(near, o.theirs); i >= 0 && i+len(o.theirs) >= from {
			return likely{"there is no operator " + o.theirs, "write " + o.ours, c.byteSpan(i, len(o.theirs))}
		}
	}
	return likely{}
}

// misread guesses why something unexpected follows what was read before.
func (c *compiler) misread(before, after string) likely {
	if after == "" {
		return likely{}
	}
	word := wordStart(after[0])
	theirs := foreignWords[strings.ToLower(firstWord(after))]
	m := methodOfList.FindStringSubmatch(before + after)
	switch {
	case m != nil && loopKinds[m[2]] != nil && after[0] == '.' && strings.Contains(before, "."+m[2]):
		return likely{"a list has no method " + m[2], "write " + m[2] + "(" + m[1] + ", …)", c.byteSpan(strings.LastIndex(before, "."+m[2]), 1+len(m[2]))}
	case theirs != "" && endsValue(before):
		return likely{hint: theirs}
	case after[0] == ',' && listInParentheses.MatchString(before):
		return likely{hint: "a list is written in brackets: ['a', 'b']"}
	case (word || after[0] == '\'') && strings.HasSuffix(before, "'"):
		return likely{hint: `a quote inside of text is written \', or the text put in "…"`}
	case word && plainWords(c.text):
		return likely{hint: "text is quoted: " + quoteText(strings.TrimSpace(c.text))}
	case !endsValue(before):
	case after[0] == '#':
		return likely{hint: "a comment in an expression begins with //"}
	case word || strings.IndexByte(`'"0123456789`, after[0]) >= 0:
		return likely{hint: "an operator is missing before it, such as + or =="}
	}
	return likely{}
}

func (c *compiler) byteSpan(from, n int) span {
	return span{int32(c.base + from), int32(c.base + from + n)}
}

// otherOperators are what other languages write; the longer ones come first.
var otherOperators = []struct{ theirs, ours string }{
	{"!==", "!="}, {"===", "=="}, {"<>", "!="}, {"=~", "matches"}, {"=>", ">= to compare; in map, filter and their like, # is the element"}, {"=<", "<="}, {":=", "let NAME = …;"},
}

// methodOfList is the call of a loop in the way of other languages.
var methodOfList = regexp.MustCompile(`([\w.\[\]]+)\.(\w+)\(\s*[.#]`)

// listInParentheses is what begins a list in the way of SQL.
var listInParentheses = regexp.MustCompile(`(?i)\bin\s*\([^()]*$`)

func firstWord(s string) string {
	n := 0
	for n < len(s) && wordStart(s[n]) {
		n++
	}
	return s[:n]
}

func wordStart(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

// plainWords tells whether text is words and nothing else.
func plainWords(text string) bool {
	for _, word := range strings.Fields(text) {
		switch word {
		case "and", "or", "not", "in", "contains", "matches", "startsWith", "endsWith", "is", "AND", "OR", "NOT", "IN", "IS":
			return false
		}
		if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-,!") != "" {
			return false
		}
	}
	return true
}

// endsValue tells whether an operator must follow text.
func endsValue(text string) bool {
	text = strings.TrimRight(text, " \t\r\n")
	if text == "" {
		return false
	}
	last := text[len(text)-1]
	if wordStart(last) {
		i := strings.LastIndexFunc(text, func(r rune) bool { return r > 127 || !wordStart(byte(r)) && (r < '0' || r > '9') })
		switch text[i+1:] {
		case "and", "or", "not", "in", "contains", "matches", "startsWith", "endsWith", "let", "if", "else":
			return false
		}
		return true
	}
	return last >= '0' && last <= '9' || strings.IndexByte(`)]'"`, last) >= 0
}

// unbalanced gives the innermost bracket that is open at the end of text, and the
// first one that closes nothing; -1 where there is none.
func unbalanced(text string) (open, closing int) {
	var stack []int
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '\'', '"', '`':
			end := quoted(text, i)
			if end < 0 {
				return -1, -1
			}
			i = end
			continue
		case '/':
			if n := comment(text[i:]); n > 0 {
				i += n
				continue
			}
		case '(', '[', '{':
			stack = append(stack, i)
		case ')', ']', '}':
			if len(stack) == 0 || pairs[text[stack[len(stack)-1]]] != c {
				return -1, i
			}
			stack = stack[:len(stack)-1]
		}
		i++
	}
	if len(stack) == 0 {
		return -1, -1
	}
	return stack[len(stack)-1], -1
}

var pairs = map[byte]byte{'(': ')', '[': ']', '{': '}'}
