package message

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlText is what a reader of HTML sees, as text: blocks on lines of their own, cells
// a tab apart, images by their description.
func htmlText(source string) string {
	if source == "" {
		return ""
	}
	w := &reading{}
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(w.out.String())
		case html.TextToken:
			w.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			w.open(z.Token())
		case html.EndTagToken:
			w.close(z.Token().DataAtom)
		}
	}
}

// reading writes text as it is seen.
type reading struct {
	out    strings.Builder
	breaks int  // line ends that are due before the next word
	space  bool // a blank is due
	hidden int  // within how many elements that are not shown
}

func (w *reading) text(s string) {
	if w.hidden > 0 {
		return
	}
	for i, word := range strings.FieldsFunc(s, isBlank) {
		if i > 0 || isBlank(rune(s[0])) {
			w.space = true
		}
		w.word(word)
	}
	if s != "" && isBlank(rune(s[len(s)-1])) {
		w.space = true
	}
}

// isBlank tells what HTML folds into one blank; a no-break space stays.
func isBlank(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' }

func (w *reading) word(s string) {
	switch {
	case w.out.Len() == 0:
	case w.breaks > 0:
		w.out.WriteString(strings.Repeat("\n", min(w.breaks, 2)))
	case w.space:
		w.out.WriteByte(' ')
	}
	w.breaks, w.space = 0, false
	w.out.WriteString(s)
}

func (w *reading) open(t html.Token) {
	switch t.DataAtom {
	case atom.Script, atom.Style, atom.Title:
		if t.Type == html.StartTagToken {
			w.hidden++
		}
	case atom.Br:
		w.breaks++
	case atom.Td, atom.Th:
		if w.breaks == 0 && w.out.Len() > 0 {
			w.out.WriteByte('\t')
			w.space = false
		}
	case atom.Li:
		w.block(1)
		w.word("-")
		w.space = true
	case atom.Img:
		for _, a := range t.Attr {
			if a.Key == "alt" {
				w.text(a.Val)
			}
		}
	default:
		w.block(blocks[t.DataAtom])
	}
}

func (w *reading) close(a atom.Atom) {
	switch a {
	case atom.Script, atom.Style, atom.Title:
		w.hidden = max(0, w.hidden-1)
	default:
		w.block(blocks[a])
	}
}

func (w *reading) block(breaks int) { w.breaks = max(w.breaks, breaks) }

// blocks stand on lines of their own: 2 leaves an empty one between.
var blocks = map[atom.Atom]int{
	atom.P: 2, atom.H1: 2, atom.H2: 2, atom.H3: 2, atom.H4: 2, atom.H5: 2, atom.H6: 2, atom.Ul: 2, atom.Ol: 2, atom.Table: 2, atom.Blockquote: 2, atom.Pre: 2,
	atom.Div: 1, atom.Tr: 1, atom.Hr: 1, atom.Section: 1, atom.Article: 1, atom.Header: 1, atom.Footer: 1, atom.Dt: 1, atom.Dd: 1,
}
