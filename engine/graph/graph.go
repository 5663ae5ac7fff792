// Package graph draws the flows of a configuration: which sources they take from,
// through which steps, and where to.
package graph

import (
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
)

// Graph is the picture of a configuration, in the order of its files.
type Graph struct {
	Nodes []Node
	Edges []Edge
}

// Node is a source, a flow or a sink.
type Node struct {
	Address component.Address
	Class   string   // "source", "flow", "sink"
	Steps   []string // of a flow
	Off     bool     // disabled
}

// Edge is a way that events take.
type Edge struct {
	From, To component.Address
	Case     string // of a route; a route inside a case is "outer / inner"
	Off      bool   // one of its ends is disabled
}

// New draws cfg.
func New(cfg *config.Config) *Graph {
	g := &Graph{}
	for _, c := range cfg.Sources {
		g.Nodes = append(g.Nodes, Node{Address: c.Address, Class: "source", Off: !c.Source.Enabled})
	}
	for _, f := range cfg.Flows {
		g.Nodes = append(g.Nodes, Node{Address: f.Address, Class: "flow", Steps: steps(f.Body), Off: !f.Enabled})
		for _, from := range f.From {
			g.edge(from, f.Address, "")
		}
		g.body(f.Address, "", f.Body)
		if f.DeadLetter != "" {
			g.edge(f.Address, f.DeadLetter, "dead letters")
		}
	}
	for _, c := range cfg.Sinks {
		g.Nodes = append(g.Nodes, Node{Address: c.Address, Class: "sink"})
	}
	g.dim()
	return g
}

// body draws where events go from b, a part of flow that the cases lead to.
func (g *Graph) body(flow component.Address, cases string, b *config.Body) {
	for _, s := range b.Steps {
		if s.Apply != nil {
			g.body(flow, cases, s.Apply)
		}
		for _, c := range s.Cases {
			name := c.Name
			if cases != "" {
				name = cases + " / " + name
			}
			g.body(flow, name, c.Body)
		}
	}
	for _, to := range b.To {
		g.edge(flow, to, cases)
	}
}

func (g *Graph) edge(from, to component.Address, name string) {
	g.Edges = append(g.Edges, Edge{From: from, To: to, Case: name})
}

// dim marks the ways from and to what is disabled.
func (g *Graph) dim() {
	off := map[component.Address]bool{}
	for _, n := range g.Nodes {
		off[n.Address] = n.Off
	}
	for i, e := range g.Edges {
		g.Edges[i].Off = off[e.From] || off[e.To]
	}
}

// steps names the steps of a flow, with their labels.
func steps(b *config.Body) []string {
	var names []string
	for _, s := range b.Steps {
		names = append(names, strings.TrimSpace(s.Type+" "+s.Label))
	}
	return names
}

// maxLine is how wide the steps of a flow are written before a new line begins.
const maxLine = 36

// lines is the text of a node: its address, and below it what its steps are.
func (n Node) lines() []string {
	lines := []string{string(n.Address)}
	for i, s := range n.Steps {
		if i+1 < len(n.Steps) {
			s += ","
		}
		last := len(lines) - 1
		if i == 0 || len(lines[last])+len(s) > maxLine {
			lines = append(lines, s)
			continue
		}
		lines[last] += " " + s
	}
	return lines
}
