package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/reference"
)

func newExplain() *cobra.Command {
	asJSON, asMarkdown := false, false
	cmd := &cobra.Command{
		Use:   "explain [KIND [NAME]]",
		Short: "Tell what can stand in a configuration",
		Long: `Tell what blocks, attributes, steps and functions there are: all of them in a list,
or one of them whole. With --json and no argument, the whole schema.`,
		Example: `  syncd explain
  syncd explain source webhook
  syncd explain filter
  syncd explain function formatTime`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return explain(cmd.OutOrStdout(), args, asJSON, asMarkdown)
		},
		ValidArgsFunction: completeExplain,
	}
	addJSON(cmd, &asJSON)
	cmd.Flags().BoolVar(&asMarkdown, "markdown", false, "print Markdown")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	return cmd
}

// explained is the whole schema, as --json prints it.
type explained struct {
	*config.Language
	Functions     []expr.FunctionDoc `json:"functions"`
	LoadFunctions []expr.FunctionDoc `json:"load_functions"`
}

func explain(w io.Writer, args []string, asJSON, asMarkdown bool) error {
	lang := config.Describe(kinds())
	if len(args) == 0 {
		return explainAll(w, lang, asJSON, asMarkdown)
	}
	if args[0] == "function" {
		return explainFunctions(w, args[1:], asJSON, asMarkdown)
	}
	found := lookUp(lang, args)
	switch {
	case len(found) == 0 && len(args) == 1 && isFunction(args[0]):
		return explainFunctions(w, args, asJSON, asMarkdown)
	case len(found) == 0:
		return unknownTopic(lang, args)
	}
	if asJSON {
		return writeJSON(w, found)
	}
	for i := range found {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if asMarkdown {
			fmt.Fprint(w, reference.Markdown(&found[i]))
		} else if err := reference.Write(w, &found[i]); err != nil {
			return err
		}
	}
	return nil
}

// explainAll prints what there is, a line each, or the whole schema.
func explainAll(w io.Writer, lang *config.Language, asJSON, asMarkdown bool) error {
	if asJSON {
		return writeJSON(w, explained{lang, expr.Functions(), config.LoadFunctions()})
	}
	if asMarkdown {
		pages := reference.Pages(lang)
		for _, s := range lang.All() {
			fmt.Fprintln(w, pages[reference.FileName(&s)])
		}
		return reference.MarkdownFunctions(w, expr.Functions(), config.LoadFunctions())
	}
	t := newTable()
	t.indent = "  "
	fmt.Fprintln(w, "Blocks of a configuration:")
	for _, s := range lang.Blocks {
		t.add(s.Address(), s.Doc)
	}
	if err := t.flush(w); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nSteps, in flows and transforms:")
	for _, s := range lang.Steps {
		t.add(s.Address(), s.Doc)
	}
	if err := t.flush(w); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\n'syncd explain source webhook' or 'syncd explain filter' tells all of one,\n'syncd explain function' what functions there are.")
	return err
}

// lookUp finds what the arguments name: a block by type and kind, all kinds of a
// type, a step, or all blocks of a kind.
func lookUp(lang *config.Language, args []string) []config.Schema {
	if len(args) == 2 {
		if s := lang.Block(args[0], args[1]); s != nil {
			return []config.Schema{*s}
		}
	}
	var byType, byKind []config.Schema
	for _, s := range lang.All() {
		if s.Type == args[0] && (len(args) == 1 || s.Kind == args[1]) {
			byType = append(byType, s)
		}
		if len(args) == 1 && s.Kind == args[0] {
			byKind = append(byKind, s)
		}
	}
	if len(byType) > 0 {
		return byType
	}
	return byKind
}

func completeExplain(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var all []cobra.Completion
	seen := map[string]bool{}
	for _, s := range config.Describe(kinds()).All() {
		switch {
		case len(args) == 0:
			all = append(all, cobra.CompletionWithDesc(s.Type, s.Doc))
		case len(args) == 1 && s.Type == args[0] && s.Kind != "":
			all = append(all, cobra.CompletionWithDesc(s.Kind, s.Doc))
		case len(args) == 1 && s.Type == args[0]:
			for _, c := range s.Choices {
				all = append(all, cobra.CompletionWithDesc(c.Kind, c.Doc))
			}
		}
	}
	if len(args) == 1 && args[0] == "function" {
		for _, f := range slices.Concat(expr.Functions(), config.LoadFunctions()) {
			if !seen[f.Name] { // in expressions and at load
				all = append(all, cobra.CompletionWithDesc(f.Name, f.Doc))
			}
			seen[f.Name] = true
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
