package graph

import (
	"fmt"
	"io"
	"strings"

	"github.com/syncd/syncd/engine/component"
)

// Mermaid writes g as a flowchart of Mermaid, which GitHub, GitLab and others draw
// (https://mermaid.js.org/syntax/flowchart.html).
func (g *Graph) Mermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	ids := g.ids()
	for _, n := range g.Nodes {
		lines := n.lines()
		for i := range lines {
			lines[i] = mermaidText(lines[i])
		}
		shape := mermaidShapes[n.Class]
		fmt.Fprintf(&b, "  %s%s\"%s\"%s", ids[n.Address], shape[0], strings.Join(lines, "<br>"), shape[1])
		if n.Off {
			b.WriteString(":::off")
		}
		b.WriteByte('\n')
	}
	for _, e := range g.Edges {
		arrow := "-->"
		if e.Off {
			arrow = "-.->"
		}
		if e.Case != "" {
			arrow += `|"` + mermaidText(e.Case) + `"|`
		}
		fmt.Fprintf(&b, "  %s %s %s\n", ids[e.From], arrow, ids[e.To])
	}
	if g.anyOff() {
		b.WriteString("  classDef off stroke-dasharray: 4 4\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidShapes are the brackets around a node's text: a stadium, a box, a
// parallelogram.
var mermaidShapes = map[string][2]string{"source": {"([", "])"}, "flow": {"[", "]"}, "sink": {"[/", "/]"}}

// mermaidText is s for use between quotes. Whatever Mermaid, or the HTML that it
// makes, could read as markup becomes an entity.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		case strings.ContainsRune("\"#&<>`\\*;~", r):
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// ids gives each node a name that both languages take: its address, with what is
// no letter or digit replaced, and a number where that is taken.
func (g *Graph) ids() map[component.Address]string {
	ids, taken := map[component.Address]string{}, map[string]bool{}
	for _, n := range g.Nodes {
		base := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, string(n.Address))
		id := base
		for i := 2; taken[id]; i++ {
			id = fmt.Sprintf("%s_%d", base, i)
		}
		ids[n.Address], taken[id] = id, true
	}
	return ids
}

func (g *Graph) anyOff() bool {
	for _, n := range g.Nodes {
		if n.Off {
			return true
		}
	}
	return false
}
