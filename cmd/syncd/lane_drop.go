package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newLaneDrop(at *daemonFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "drop FLOW SINK",
		Short: "Give up, on record, what waits on a lane whose flow or sink has gone",
		Long: `Give up, on record, what waits on a lane whose flow or sink has gone from the
configuration. Its events count as dropped and no longer keep their place in the
journal. A lane in use cannot be dropped: see 'syncd dead drop' for what failed there.
The key of a for_each is quoted, which a shell needs to be told.`,
		Example:           "  syncd lane drop flow.orders sink.http.old_erp\n  syncd lane drop 'flow.shop[\"cl\"]' 'sink.files.shop[\"cl\"]'",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: at.addresses(orphans),
		RunE: func(cmd *cobra.Command, args []string) error {
			flow, sink := address("flow", args[0]), address("sink", args[1])
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				if err := c.DropLane(ctx, flow, sink); err != nil {
					return fmt.Errorf("drop lane of %s to %s: %w", flow, sinkName(sink), err)
				}
				if asJSON {
					return printJSON(cmd, map[string]string{"flow": flow, "sink": sink})
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "Dropped the lane of %s to %s.\n", flow, sinkName(sink))
				return err
			})
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}
