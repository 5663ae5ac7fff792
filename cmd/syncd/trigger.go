package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newTrigger() *cobra.Command {
	var at daemonFlags
	asJSON := false
	cmd := &cobra.Command{
		Use:   "trigger ADDRESS",
		Short: "Have a source run now, beside its schedule",
		Long: `Have a source run now, beside its schedule, which stays as it is. The command does
not wait for the run: 'syncd status' tells what became of it. A run that is under
way is not begun a second time.`,
		Example:           "  syncd trigger source.schedule.nightly",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: at.addresses(firstOnly(sourcesOf)),
		RunE: func(cmd *cobra.Command, args []string) error {
			source := address("source", args[0])
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				if err := c.Trigger(ctx, source); err != nil {
					return fmt.Errorf("trigger: %w", err)
				}
				if asJSON {
					return printJSON(cmd, map[string]string{"source": source})
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s runs now.\n", source)
				return err
			})
		},
	}
	at.add(cmd)
	addJSON(cmd, &asJSON)
	return cmd
}

// firstOnly offers something for the first argument alone.
func firstOnly(pick func(admin.Status, []string) []string) func(admin.Status, []string) []string {
	return func(s admin.Status, args []string) []string {
		if len(args) > 0 {
			return nil
		}
		return pick(s, args)
	}
}
