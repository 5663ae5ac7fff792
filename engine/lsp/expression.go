package lsp

// inText tells whether an expression ends within a text of its own: 'like this
func inText(expression string) bool {
	quote, skip := rune(0), false
	for _, r := range expression {
		switch {
		case skip:
			skip = false
		case quote == 0 && (r == '\'' || r == '`'):
			quote = r
		case quote != 0 && r == '\\' && quote != '`':
			skip = true
		case r == quote:
			quote = 0
		}
	}
	return quote != 0
}

// isWord tells whether c is part of a name.
func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// isPath tells whether c is part of a path of names: sink.http.erp.
func isPath(c byte) bool { return c == '.' || isWord(c) }

// behind is the end of text that is made of what is accepts.
func behind(text string, is func(byte) bool) string {
	i := len(text)
	for i > 0 && is(text[i-1]) {
		i--
	}
	return text[i:]
}

// ahead is the length of the beginning of text that is made of what is accepts.
func ahead(text []byte, is func(byte) bool) int {
	n := 0
	for n < len(text) && is(text[n]) {
		n++
	}
	return n
}
