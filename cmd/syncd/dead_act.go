package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newDeadRetry(at *daemonFlags) *cobra.Command {
	return deadAction(at, &cobra.Command{
		Use:   "retry {ID… | --all}",
		Short: "Try dead letters again, at once",
		Long: `Try dead letters again, at once. One that died in a step runs through its flow as
it is configured now, and is not delivered again where it already was; one that a
source could not read is read again.`,
		Example: "  syncd dead retry 17 18\n  syncd dead retry --all --sink http.erp",
	}, "will be tried again", (*admin.Client).Retry)
}

func newDeadDrop(at *daemonFlags) *cobra.Command {
	return deadAction(at, &cobra.Command{
		Use:     "drop {ID… | --all}",
		Short:   "Give dead letters up, on record",
		Long:    "Give dead letters up. Their events count as dropped from then on.",
		Example: "  syncd dead drop 17\n  syncd dead drop --all --flow orders",
	}, "dropped", (*admin.Client).Drop)
}

// deadAction completes a command that does something with some dead letters.
func deadAction(at *daemonFlags, cmd *cobra.Command, done string, act func(*admin.Client, context.Context, admin.Selection) (admin.Outcome, error)) *cobra.Command {
	var f filterFlags
	all, asJSON := false, false
	cmd.ValidArgsFunction = at.deadIDs(maxOffered)
	cmd.Args = idArgs(func(_ *cobra.Command, args []string) error { return selected(args, all, f) })
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
			out, err := act(c, ctx, admin.Selection{IDs: parseIDs(args), All: all, Filter: f.filter()})
			if err != nil {
				return err
			}
			return reportOutcome(cmd, out, done, asJSON)
		})
	}
	cmd.Flags().BoolVar(&all, "all", false, "all dead letters, or all that --source, --flow and --sink select")
	f.add(cmd, at)
	addJSON(cmd, &asJSON)
	return cmd
}

// selected checks that the command line names dead letters in one of the two ways.
func selected(ids []string, all bool, f filterFlags) error {
	switch {
	case all && len(ids) > 0:
		return errors.New("give ids or --all, not both")
	case !all && f != filterFlags{}:
		return errors.New("--source, --flow and --sink go with --all")
	case !all && len(ids) == 0:
		return errors.New("nothing selected: give ids ('syncd dead list' shows them), or --all")
	}
	return nil
}

func reportOutcome(cmd *cobra.Command, out admin.Outcome, done string, asJSON bool) error {
	if asJSON {
		if err := printJSON(cmd, out); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(cmd.OutOrStdout(), "%s %s.\n", letters(out.Done), done)
	}
	var errs []error
	if len(out.NotFound) > 0 {
		errs = append(errs, fmt.Errorf("no dead letters (any more): %d", out.NotFound))
	}
	for _, f := range out.Failed {
		errs = append(errs, fmt.Errorf("dead letter %d: %s", f.ID, f.Error))
	}
	return errors.Join(errs...)
}

func letters(n int) string {
	if n == 1 {
		return "1 dead letter"
	}
	return fmt.Sprintf("%d dead letters", n)
}
