package message

import "strings"

// unflow joins the lines of text that its program has wrapped (RFC 3676): one that ends
// with a blank goes on in the next, if both are quoted as deep. With delsp that blank
// is not part of the text.
func unflow(text string, delsp bool) string {
	var out strings.Builder
	open, depth := false, 0
	for line := range strings.SplitAfterSeq(text, "\n") {
		line, ended := strings.CutSuffix(line, "\n")
		quotes := len(line) - len(strings.TrimLeft(line, ">"))
		rest := strings.TrimPrefix(line[quotes:], " ")
		if open && quotes != depth {
			out.WriteByte('\n')
			open = false
		}
		if !open && quotes > 0 {
			out.WriteString(line[:quotes])
			out.WriteByte(' ')
		}
		depth = quotes
		flows := strings.HasSuffix(rest, " ") && rest != "-- "
		if flows && delsp {
			rest = rest[:len(rest)-1]
		}
		out.WriteString(rest)
		if open = flows && ended; !open && ended {
			out.WriteByte('\n')
		}
	}
	return out.String()
}
