package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newLane() *cobra.Command {
	var at daemonFlags
	cmd := group("lane", "The ways of flows to sinks, and what waits on them",
		"  syncd lane list\n  syncd lane drop flow.orders sink.http.old_erp", newLaneList(&at), newLaneDrop(&at))
	at.add(cmd)
	return cmd
}

func newLaneList(at *daemonFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List all lanes, also those whose flow or sink has gone",
		Example: `  syncd lane list
  syncd lane list --json | jq '.[] | select(.state == "orphaned")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				s, err := c.Status(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd, s.Lanes)
				}
				if len(s.Lanes) == 0 {
					_, err := fmt.Fprintln(cmd.OutOrStdout(), "No lanes: the configuration has no flow from a source to a sink.")
					return err
				}
				return lanesTable(s.Lanes, time.Now()).flush(cmd.OutOrStdout())
			})
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}
