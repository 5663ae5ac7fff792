package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newCheckpoint() *cobra.Command {
	var at daemonFlags
	cmd := group("checkpoint", "How far sources have come, and how to change that by hand",
		"  syncd checkpoint list\n  syncd checkpoint set source.poll.orders 2026-11-01T00:00:00Z",
		newCheckpointList(&at), newCheckpointShow(&at), newCheckpointSet(&at), newCheckpointReset(&at))
	at.add(cmd)
	return cmd
}

func newCheckpointList(at *daemonFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the sources that keep how far they have come",
		Example: `  syncd checkpoint list
  syncd checkpoint list --json | jq -r '.[].source'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				list, err := c.Checkpoints(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd, list)
				}
				if len(list) == 0 {
					_, err := fmt.Fprintln(cmd.OutOrStdout(), "No checkpoints: no source keeps how far it has come.")
					return err
				}
				t := newTable("SOURCE", "STATE", "VALUES", "CHECKPOINT")
				for _, p := range list {
					t.add(p.Source, p.State, p.Entries, short(p.Summary, 120))
				}
				return t.flush(cmd.OutOrStdout())
			})
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

// pageOfValues is how many values are laid out together.
const pageOfValues = 500

func newCheckpointShow(at *daemonFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show ADDRESS [KEY]",
		Short: "Show what a source keeps of how far it has come",
		Long: `Show what a source keeps of how far it has come: all of it, or what stands under
KEY and keys that begin with it. Secrets are not shown.`,
		Example: `  syncd checkpoint show source.poll.orders
  syncd checkpoint show source.files.invoices file:
  syncd checkpoint show source.poll.orders --json | jq '.[] | select(.key == "cursor").value'`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: at.checkpoints(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, prefix := address("source", args[0]), ""
			if len(args) == 2 {
				prefix = args[1]
			}
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				if asJSON {
					return writeList(cmd.OutOrStdout(), c.Kept(ctx, source, prefix))
				}
				return writeKept(ctx, cmd, c, source, prefix)
			})
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func writeKept(ctx context.Context, cmd *cobra.Command, c *admin.Client, source, prefix string) error {
	t, n := newTable("KEY", "VALUE"), 0
	for kept, err := range c.Kept(ctx, source, prefix) {
		if err != nil {
			return fmt.Errorf("show checkpoint: %w", err)
		}
		value := string(kept.Value)
		if kept.Secret {
			value = "(sensitive)"
		}
		t.add(kept.Key, value)
		if n++; n%pageOfValues == 0 {
			if err := t.flush(cmd.OutOrStdout()); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		what := "nothing yet"
		if prefix != "" {
			what = "nothing under " + strconv.Quote(prefix)
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s keeps %s.\n", source, what)
		return err
	}
	return t.flush(cmd.OutOrStdout())
}
