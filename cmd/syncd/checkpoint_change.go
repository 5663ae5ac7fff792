package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newCheckpointSet(at *daemonFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "set ADDRESS [KEY] VALUE",
		Short: "Have a source go on from elsewhere",
		Long: `Have a source go on from VALUE: a poll's cursor, the time until which a schedule's
runs are done. With KEY, change that one value of those that 'syncd checkpoint
show' lists. VALUE is JSON; what is none is taken as text. The source stops for
the change and begins a run with it. The change is logged.`,
		Example: `  syncd checkpoint set source.poll.orders 2026-11-01T00:00:00Z
  syncd checkpoint set source.poll.lines 4711
  syncd checkpoint set source.poll.lines '"4711"'      # the text, not the number`,
		Args:              cobra.RangeArgs(2, 3),
		ValidArgsFunction: at.checkpoints(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, key, value := address("source", args[0]), "", literal(args[len(args)-1])
			if len(args) == 3 {
				key = args[1]
			}
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				if err := c.SetCheckpoint(ctx, source, key, value); err != nil {
					return fmt.Errorf("set checkpoint: %w", err)
				}
				if asJSON {
					return printJSON(cmd, admin.Kept{Key: key, Value: value})
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s goes on from there.\n", source)
				return err
			})
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

// literal is what was typed as JSON: a bare word is text.
func literal(s string) json.RawMessage {
	if s = strings.TrimSpace(s); json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	text, _ := json.Marshal(s) // text always can be
	return text
}

func newCheckpointReset(at *daemonFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "reset ADDRESS [KEY]",
		Short: "Have a source forget how far it has come",
		Long: `Have a source forget how far it has come, and the ids that it knows, so that it
begins as if it were new: what it brought already may come again. With KEY, forget
that one value of those that 'syncd checkpoint show' lists: a file, say, which is
then read again. The source stops for it and begins a run. The change is logged.`,
		Example: `  syncd checkpoint reset source.poll.orders
  syncd checkpoint reset source.files.invoices file:2026/invoice-17.csv`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: at.checkpoints(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, key := address("source", args[0]), ""
			if len(args) == 2 {
				key = args[1]
			}
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				if err := c.ResetCheckpoint(ctx, source, key); err != nil {
					return fmt.Errorf("reset checkpoint: %w", err)
				}
				if asJSON {
					return printJSON(cmd, map[string]string{"source": source, "key": key})
				}
				what := "how far it had come, and begins anew"
				if key != "" {
					what = key
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s has forgotten %s.\n", source, what)
				return err
			})
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

// checkpoints offers addresses of sources that have one, and then keys of it.
func (d *daemonFlags) checkpoints(most int) cobra.CompletionFunc {
	return d.complete(func(ctx context.Context, c *admin.Client, args []string, prefix string) (list []cobra.Completion, err error) {
		switch {
		case len(args) >= most:
			return nil, nil
		case len(args) == 0:
			points, err := c.Checkpoints(ctx)
			var sources []string
			for _, p := range points {
				sources = append(sources, p.Source)
			}
			return matching(sources, prefix), err
		}
		for kept, err := range c.Kept(ctx, address("source", args[0]), prefix) {
			if err != nil || len(list) == maxOffered {
				return list, err
			}
			list = append(list, kept.Key)
		}
		return list, nil
	})
}
