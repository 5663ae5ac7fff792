package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newConfig() *cobra.Command {
	return group("config", "See the configurations that ran, and bring one back", "  syncd config history\n  syncd config diff\n  syncd config rollback",
		newConfigHistory(), newConfigShow(), newConfigDiff(), newConfigRollback())
}

// absolutePath is path as the daemon, which runs elsewhere, understands it.
func absolutePath(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}

func newConfigHistory() *cobra.Command {
	var at daemonFlags
	asJSON := false
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "List the configurations that ran, the newest first",
		Example: "  syncd config history",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				all, err := c.Generations(ctx)
				if err != nil || asJSON {
					return orJSON(cmd, all, err)
				}
				t := newTable("GENERATION", "FROM", "ORIGIN", "")
				for _, g := range all {
					t.add(g.Number, ago(time.Now(), g.Time), g.Origin, running(g))
				}
				return t.flush(cmd.OutOrStdout())
			})
		},
	}
	at.add(cmd)
	addJSON(cmd, &asJSON)
	return cmd
}

func running(g admin.Generation) string {
	if g.Running {
		return "runs"
	}
	return ""
}

// orJSON prints v, unless there was an error.
func orJSON(cmd *cobra.Command, v any, err error) error {
	if err != nil {
		return err
	}
	return printJSON(cmd, v)
}

func newConfigShow() *cobra.Command {
	var at daemonFlags
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show [GENERATION]",
		Short: "Print the text of a configuration that ran; default: the one that runs",
		Long: `Print the files of a configuration that ran; without a number, of the one that runs.
Secrets that were written in them are masked.`,
		Example: "  syncd config show\n  syncd config show 7",
		Args:    generations(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				g, err := c.Generation(ctx, generation(args, 0, 0))
				if err != nil || asJSON {
					return orJSON(cmd, g, err)
				}
				for i, f := range g.Files {
					if i > 0 {
						fmt.Fprintln(cmd.OutOrStdout())
					}
					fmt.Fprintf(cmd.OutOrStdout(), "# %s\n%s", clean(f.Name), clean(ended(f.Text)))
				}
				return nil
			})
		},
	}
	at.add(cmd)
	addJSON(cmd, &asJSON)
	return cmd
}

// generations checks that there are at most n arguments, each the number of a
// generation: a wrong one is a mistake of usage.
func generations(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for i := range args {
			if generation(args, i, 0) < 1 {
				return fmt.Errorf("%q is not the number of a generation; 'syncd config history' lists them", args[i])
			}
		}
		return cobra.MaximumNArgs(n)(cmd, args)
	}
}

// generation is the number that argument i gives, 0 if it is none.
func generation(args []string, i int, otherwise int64) int64 {
	if i >= len(args) {
		return otherwise
	}
	n, err := strconv.ParseInt(args[i], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func newConfigDiff() *cobra.Command {
	var at daemonFlags
	cmd := &cobra.Command{
		Use:   "diff [FROM [TO]]",
		Short: "Show how a configuration differs from another that ran",
		Long: `Show how the text of one generation differs from another. Without numbers: what the
last change was, from the generation before to the one that runs. With one: from
that one to the one that runs.`,
		Example: "  syncd config diff\n  syncd config diff 3\n  syncd config diff 3 5",
		Args:    generations(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				from, err := c.Generation(ctx, generation(args, 0, -1))
				if err != nil {
					return err
				}
				to, err := c.Generation(ctx, generation(args, 1, 0))
				if err != nil {
					return err
				}
				writeDiff(cmd.OutOrStdout(), from, to)
				return nil
			})
		},
	}
	at.add(cmd)
	return cmd
}

// writeDiff prints the files that differ.
func writeDiff(w io.Writer, from, to admin.Generation) {
	a, b := texts(from), texts(to)
	names := maps.Clone(a)
	maps.Copy(names, b)
	differ := false
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, had := a[name]
		after, has := b[name]
		if had && has && before == after {
			continue
		}
		differ = true
		out := diff.Diff(side(from, name, had), []byte(ended(before)), side(to, name, has), []byte(ended(after)))
		_, out, _ = bytes.Cut(out, []byte("\n")) // its own headline
		fmt.Fprint(w, clean(string(out)))
	}
	if !differ {
		fmt.Fprintf(w, "Generations %d and %d have the same text; secrets in it may differ.\n", from.Number, to.Number)
	}
}

// texts are the files of g by their names.
func texts(g admin.Generation) map[string]string {
	m := map[string]string{}
	for _, f := range g.Files {
		m[f.Name] = f.Text
	}
	return m
}

// side names one side of a diff.
func side(g admin.Generation, name string, has bool) string {
	if !has {
		return fmt.Sprintf("generation %d: no %s", g.Number, name)
	}
	return fmt.Sprintf("generation %d: %s", g.Number, name)
}

// ended is text with a line break at its end, if it has any.
func ended(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

func newConfigRollback() *cobra.Command {
	var at daemonFlags
	asJSON := false
	cmd := &cobra.Command{
		Use:   "rollback [GENERATION]",
		Short: "Make an earlier configuration run again",
		Long: `Make a configuration that ran before run again; without a number, the one before
the one that runs. It goes on also after a restart, until the files are changed or
'syncd reload' takes them over. The files themselves stay as they are.`,
		Example: "  syncd config rollback\n  syncd config rollback 7",
		Args:    generations(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				out, err := c.Rollback(ctx, generation(args, 0, 0))
				if err != nil {
					return err
				}
				if err := writeReload(cmd, out, asJSON); err != nil || asJSON {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "The files are as they were, and this goes on, also after a restart, until you change them or say: syncd reload")
				return nil
			})
		},
	}
	at.add(cmd)
	addJSON(cmd, &asJSON)
	return cmd
}
