// Package layout gives the text of configurations its canonical form: indentation,
// spaces, columns, blank lines. It never changes what a configuration means.
package layout

import (
	"bytes"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format gives src in canonical form. Quoted strings and heredocs come through
// byte for byte, comments but for the white space at their ends. Lines end as the
// first one of src does. It is for texts in which config.CheckSyntax finds no
// mistake; of others it makes what it can.
func Format(src []byte) []byte {
	src = bytes.TrimPrefix(src, []byte("\uFEFF"))
	newline := []byte("\n")
	if i := bytes.IndexByte(src, '\n'); i > 0 && src[i-1] == '\r' {
		newline = []byte("\r\n")
	}
	if !bytes.HasSuffix(src, []byte("\n")) {
		src = append(bytes.Clone(src), newline...) // also ends a heredoc or a comment
	}
	text, opaque := standIn(src, newline)
	text = hclwrite.Format(spaced(text))
	if text, ok := restore(text, opaque, newline); ok {
		return text
	}
	return src
}
