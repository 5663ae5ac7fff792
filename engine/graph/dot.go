package graph

import (
	"fmt"
	"io"
	"strings"
)

// DOT writes g in the language of Graphviz
// (https://graphviz.org/doc/info/lang.html): pipe it into dot -Tsvg.
func (g *Graph) DOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph syncd {\n  rankdir=LR\n  node [fontname=\"sans-serif\"]\n  edge [fontname=\"sans-serif\"]\n")
	ids := g.ids()
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "  %s [label=%s shape=%s", ids[n.Address], dotText(strings.Join(n.lines(), "\n")), dotShapes[n.Class])
		if n.Off {
			b.WriteString(" style=dashed")
		}
		b.WriteString("]\n")
	}
	for _, e := range g.Edges {
		var attrs []string
		if e.Case != "" {
			attrs = append(attrs, "label="+dotText(e.Case))
		}
		if e.Off {
			attrs = append(attrs, "style=dashed")
		}
		fmt.Fprintf(&b, "  %s -> %s", ids[e.From], ids[e.To])
		if len(attrs) > 0 {
			fmt.Fprintf(&b, " [%s]", strings.Join(attrs, " "))
		}
		b.WriteByte('\n')
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

var dotShapes = map[string]string{"source": "ellipse", "flow": "box", "sink": "parallelogram"}

// dotText is s as a quoted string. A backslash begins an escape there, and Graphviz
// reads entities of HTML in a label.
func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;", "\n", `\n`, "\r", " ", "\x00", " ").Replace(s) + `"`
}
