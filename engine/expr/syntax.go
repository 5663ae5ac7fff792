package expr

import (
	"regexp"
	"strings"
)

// explainSyntax turns the parser's message into one for people who do not know
// its tokens.
func explainSyntax(message string) (say, hint string) {
	rest, ok := strings.CutPrefix(message, "unexpected token ")
	switch {
	case !ok && strings.HasPrefix(message, "literal not terminated"):
		return "a text is opened here and never closed", "end it with the quote that it starts with"
	case strings.HasPrefix(message, "invalid integer literal"):
		return "this number goes beyond 64 bits", ""
	case strings.HasPrefix(message, "unrecognized character"):
		if i := strings.IndexByte(message, '\''); i >= 0 {
			return "unexpected " + strings.Trim(message[i:], "'"), ""
		}
		return message, ""
	case strings.HasPrefix(message, "invalid char escape"):
		return "this backslash begins no escape", `write \\ for a backslash itself, or put the text in backticks`
	case !ok:
		return message, ""
	case rest == "EOF":
		return "the expression ends too early", ""
	}
	if i := strings.IndexByte(rest, '('); i >= 0 {
		rest = strings.Trim(rest[i+1:len(rest)-1], `"`)
	}
	switch rest {
	case "=":
		hint = "write == to compare"
	case "&":
		hint = "write and"
	case "NOT":
		hint = "write not"
	case ":":
		hint = "an object in a predicate takes double braces: map(body.items, {{sku: .sku}})"
	}
	return "unexpected " + rest, hint
}

// templateLike recognises a template where an expression is expected, gives the
// expression that says the same, and where the first hole starts.
func templateLike(text string) (say string, at int, ok bool) {
	at = strings.Index(text, "{{")
	if at < 0 {
		return "", 0, false
	}
	// A predicate that yields an object is written in double braces.
	if before := strings.TrimRight(text[:at], " \t\r\n"); strings.HasSuffix(before, ",") || strings.HasSuffix(before, "(") {
		return "", 0, false
	}
	parts, bad := splitHoles(text)
	if bad >= 0 {
		return "'Hello ' + body.name", at, true
	}
	if say, ok := withoutHoles(parts); ok {
		return say, at, true
	}
	var terms []string
	for _, p := range parts {
		switch {
		case p.hole:
			terms = append(terms, strings.TrimSpace(p.text))
		case p.text != "":
			terms = append(terms, quoteText(p.text))
		}
	}
	return strings.Join(terms, " + "), at, true
}

// withoutHoles takes the braces off holes that are parts of an expression already:
// {{ body.total }} > 5.
func withoutHoles(parts []part) (say string, ok bool) {
	var whole strings.Builder
	operators := false
	for _, p := range parts {
		text := p.text
		if p.hole {
			text = strings.TrimSpace(text)
		}
		operators = operators || !p.hole && operator.MatchString(" "+text+" ")
		whole.WriteString(text)
	}
	if !operators {
		return "", false
	}
	_, err := parse(whole.String())
	return whole.String(), err == nil
}

var operator = regexp.MustCompile(`[<>]|[=!]=|\?\?|[ )](and|or|not|in|contains|matches|startsWith|endsWith)[ (]`)

func quoteText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + "'"
}

// part is a literal stretch of a template, or a hole with its expression.
type part struct {
	text string
	from int // of text
	hole bool
}

// OpenHole is what stands in the hole that text, the beginning of a template, ends in.
// False: it ends in none.
func OpenHole(text string) (hole string, ok bool) {
	_, open := splitHoles(text)
	if open < 0 {
		return "", false
	}
	return text[open+2:], true
}

// splitHoles cuts a template into its parts. bad is where a hole opens that is
// never closed, or -1.
func splitHoles(text string) (parts []part, bad int) {
	pos := 0
	for {
		open := strings.Index(text[pos:], "{{")
		if open < 0 {
			return append(parts, part{text: text[pos:], from: pos}), -1
		}
		open += pos
		end := balance(text, open+2, func(rest string) bool { return strings.HasPrefix(rest, "}}") })
		if end < 0 {
			return parts, open
		}
		parts = append(parts, part{text: text[pos:open], from: pos}, part{text: text[open+2 : end], from: open + 2, hole: true})
		pos = end + 2
	}
}
