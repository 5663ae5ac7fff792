package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Write prints every diagnostic with the line it is about and a caret below the
// very place.
func (d Diagnostics) Write(w io.Writer) error {
	var b strings.Builder
	for i, x := range d {
		if i > 0 {
			b.WriteByte('\n')
		}
		x.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (x Diagnostic) write(b *strings.Builder) {
	title := "Error"
	if x.Severity == Warning {
		title = "Warning"
	}
	fmt.Fprintf(b, "%s: %s\n\n", title, printable(x.Summary))
	if x.Range.File != "" {
		x.writeSnippet(b)
	}
	if x.Detail != "" {
		b.WriteString(printable(x.Detail))
		b.WriteByte('\n')
	}
}

func (x Diagnostic) writeSnippet(b *strings.Builder) {
	fmt.Fprintf(b, "  on %s line %d", shortPath(x.Range.File), x.Range.Start.Line)
	if x.Context != "" {
		b.WriteString(", " + x.Context)
	}
	gutter := "  " + strconv.Itoa(x.Range.Start.Line) + ": "
	before, marked, after := x.split()
	if clipped := len(before) + len(marked) + len(after); clipped > maxLine {
		before, marked, after = clip(before, marked, after)
	}
	fmt.Fprintf(b, ":\n%s%s\n", gutter, strings.TrimRight(printable(before+marked+after), " \t"))
	fmt.Fprintf(b, "%s%s%s\n", strings.Repeat(" ", len(gutter)), padding(before), strings.Repeat("^", max(1, columns(marked))))
}

// split cuts the source line around what the range marks of it.
func (x Diagnostic) split() (before, marked, after string) {
	start := byteOfColumn(x.Source, x.Range.Start.Column)
	end := len(x.Source)
	if x.Range.End.Line == x.Range.Start.Line {
		end = max(start, byteOfColumn(x.Source, x.Range.End.Column))
	}
	marked = x.Source[start:end]
	if x.Range.End.Line != x.Range.Start.Line {
		marked = strings.TrimRight(marked, " \t")
	}
	return x.Source[:start], marked, x.Source[start+len(marked):]
}

func byteOfColumn(s string, column int) int {
	for i := range s {
		if column--; column == 0 {
			return i
		}
	}
	return len(s)
}

// maxLine is how many bytes of a line are shown; a longer one is shown around
// the mark only.
const maxLine = 400

func clip(before, marked, after string) (string, string, string) {
	const side, middle = 100, 180
	if len(before) > side {
		cut := len(before) - side
		for cut < len(before) && !utf8.RuneStart(before[cut]) {
			cut++
		}
		before = "… " + before[cut:]
	}
	marked, cut := head(marked, middle)
	if cut {
		return before, marked, " …"
	}
	if after, cut = head(after, side); cut {
		after += " …"
	}
	return before, marked, after
}

func head(s string, n int) (string, bool) {
	if len(s) <= n {
		return s, false
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], true
}

// padding is as wide as s on a terminal: its tabs stay tabs.
func padding(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\t' {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Repeat(" ", runeColumns(r)))
	}
	return b.String()
}

func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r < utf8.RuneSelf:
		return 1
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// printable keeps a configuration's control characters off the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// shortPath is path as seen from the working directory, if that is shorter.
func shortPath(path string) string {
	cwd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(cwd, path)
	if err != nil || len(rel) >= len(path) {
		return path
	}
	return rel
}
