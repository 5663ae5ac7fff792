package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/graph"
)

// pictures are the languages that a graph can be written in.
var pictures = map[string]func(*graph.Graph, io.Writer) error{
	"mermaid": (*graph.Graph).Mermaid,
	"dot":     (*graph.Graph).DOT,
}

func newGraph() *cobra.Command {
	var from configFlags
	format := ""
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Draw the flows: from sources, through steps and cases, to sinks",
		Long: `Draw the flows of a configuration: from which sources, through which steps and
cases, to which sinks and other flows. What is disabled is dashed.

mermaid is for Markdown, where GitHub, GitLab and others draw it; dot is for
Graphviz.`,
		Example: `  syncd graph -c /etc/syncd > flows.mmd
  syncd graph --format dot | dot -Tsvg > flows.svg`,
		Args: func(cmd *cobra.Command, args []string) error {
			if pictures[format] == nil {
				return fmt.Errorf("no format %q: give --format mermaid or dot", format)
			}
			return configByFlag(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts := from.options()
			opts.Placeholders = true
			cfg, diags := config.Load(from.path, kinds(), opts)
			writeDiagnostics(cmd.ErrOrStderr(), diags)
			if diags.HasErrors() {
				return errShown
			}
			return pictures[format](graph.New(cfg), cmd.OutOrStdout())
		},
	}
	from.add(cmd)
	names := slices.Sorted(maps.Keys(pictures))
	cmd.Flags().StringVar(&format, "format", "mermaid", "the `LANGUAGE` of the picture: "+strings.Join(names, " or "))
	completeFlag(cmd, "format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
