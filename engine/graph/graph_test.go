package graph

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/connect"
	"github.com/syncd/syncd/sinks"
	"github.com/syncd/syncd/sources"
	"github.com/syncd/syncd/transforms"
)

var update = flag.Bool("update", false, "write the golden files anew")

func load(t *testing.T, path string) *Graph {
	t.Helper()
	cfg, diags := config.Load(path, slices.Concat(connect.Kinds(), sources.Kinds(), transforms.Kinds(), sinks.Kinds()), config.Options{})
	if cfg == nil {
		var b strings.Builder
		diags.Write(&b)
		t.Fatal(b.String())
	}
	return New(cfg)
}

// odd is a graph whose names hold all that a language could stumble over.
func odd() *Graph {
	return &Graph{
		Nodes: []Node{
			{Address: `source.poll.a["x]\"#quot;<b>&amp;` + "`*_~|\n\r\x00" + `é\n"]`, Class: "source"},
			{Address: "flow.a_b", Class: "flow", Steps: []string{"filter end"}},
			{Address: "flow.a.b", Class: "flow"},
			{Address: "sink.log.end", Class: "sink", Off: true},
		},
		Edges: []Edge{
			{From: "flow.a_b", To: "flow.a.b", Case: "a|b\"]\\"},
			{From: "flow.a.b", To: "sink.log.end", Case: "end", Off: true},
		},
	}
}

func write(t *testing.T, f func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func mermaid(t *testing.T, g *Graph) []byte {
	return write(t, func(b *bytes.Buffer) error { return g.Mermaid(b) })
}

func dot(t *testing.T, g *Graph) []byte {
	return write(t, func(b *bytes.Buffer) error { return g.DOT(b) })
}

func TestGolden(t *testing.T) {
	for name, g := range map[string]*Graph{"shop": load(t, "testdata/shop.hcl"), "odd": odd(), "empty": {}} {
		for path, got := range map[string][]byte{"testdata/" + name + ".mmd": mermaid(t, g), "testdata/" + name + ".dot": dot(t, g)} {
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("%s: %s", path, d)
			}
		}
	}
}

// mermaidLine is what Mermaid is given to read, and no more: between quotes, text
// without a character that it could take for its own.
var mermaidLine = regexp.MustCompile(`^(flowchart LR` +
	`|  \w+(\(\[Q\]\)|\[Q\]|\[/Q/\])(:::off)?` +
	`|  \w+ (-->|-\.->)(\|Q\|)? \w+` +
	`|  classDef off stroke-dasharray: 4 4)$`)

var quoted = regexp.MustCompile("\"([^\"#&<>`\\\\*;~[:cntrl:]]|#[0-9]+;|<br>)+\"")

func TestMermaidIsWellFormed(t *testing.T) {
	for _, g := range []*Graph{load(t, "testdata/shop.hcl"), odd()} {
		for line := range strings.Lines(string(mermaid(t, g))) {
			if !mermaidLine.MatchString(strings.TrimSuffix(quoted.ReplaceAllString(line, "Q"), "\n")) {
				t.Errorf("Mermaid cannot read %q", line)
			}
		}
	}
}

// Graphviz reads what is written for it, and finds the texts that were meant.
func TestDOTIsDrawn(t *testing.T) {
	if _, err := exec.LookPath("dot"); err != nil {
		t.Skip("needs dot, of Debian's package graphviz")
	}
	for _, g := range []*Graph{load(t, "testdata/shop.hcl"), odd(), {}} {
		cmd := exec.CommandContext(t.Context(), "dot", "-Tsvg")
		cmd.Stdin = bytes.NewReader(dot(t, g))
		var warned bytes.Buffer
		cmd.Stderr = &warned
		svg, err := cmd.Output()
		if err != nil || warned.Len() > 0 {
			t.Fatalf("%v: %s", err, warned.String())
		}
		if n := strings.Count(string(svg), `class="node"`); n != len(g.Nodes) {
			t.Errorf("%d nodes are drawn of %d", n, len(g.Nodes))
		}
		if n := strings.Count(string(svg), `class="edge"`); n != len(g.Edges) {
			t.Errorf("%d edges are drawn of %d", n, len(g.Edges))
		}
	}
}

// The same configuration gives the same picture each time.
func TestDeterministic(t *testing.T) {
	first := mermaid(t, load(t, "testdata/shop.hcl"))
	for range 5 {
		if !bytes.Equal(first, mermaid(t, load(t, "testdata/shop.hcl"))) {
			t.Fatal("another picture")
		}
	}
}
