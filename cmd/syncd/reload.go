package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newReload() *cobra.Command {
	var at daemonFlags
	var o admin.ReloadOptions
	keep, asJSON := false, false
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have the daemon take its configuration over anew, and tell the outcome",
		Long: `Have the daemon read its configuration again, wait, and tell the outcome. Where
anything is wrong with it, nothing changes: the old one goes on, and the exit code
is 1. With --confirm, the old configuration comes back after that time, also when the
daemon dies meanwhile, unless 'syncd reload --keep' follows. It is of use where the
configuration says reload = "manual"; else saving a file takes it over already.`,
		Example: `  syncd reload
  syncd reload --confirm 5m
  syncd reload --keep`,
		Args: func(cmd *cobra.Command, args []string) error {
			confirm := cmd.Flags().Changed("confirm")
			switch {
			case keep && (confirm || o.AllowEmpty):
				return errors.New("--keep goes alone: it keeps what runs")
			case confirm && o.Confirm <= 0:
				return fmt.Errorf("--confirm %s is no time to wait: say 5m, for example", o.Confirm)
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				if keep {
					return keepReload(ctx, cmd, c)
				}
				out, err := c.Reload(ctx, o)
				if err != nil {
					return err
				}
				return writeReload(cmd, out, asJSON)
			})
		},
	}
	at.add(cmd)
	addJSON(cmd, &asJSON)
	cmd.Flags().DurationVar(&o.Confirm, "confirm", 0, "bring the old configuration back after this `TIME` unless --keep follows")
	cmd.Flags().BoolVar(&keep, "keep", false, "keep what was reloaded with --confirm")
	cmd.Flags().BoolVar(&o.AllowEmpty, "allow-empty", false, "take an empty configuration for meant: stop everything")
	return cmd
}

func keepReload(ctx context.Context, cmd *cobra.Command, c *admin.Client) error {
	if err := c.Keep(ctx); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "Kept.")
	return nil
}

// writeReload tells an outcome; one that is not good ends the command with 1.
func writeReload(cmd *cobra.Command, out admin.Reload, asJSON bool) error {
	switch {
	case asJSON:
		if err := printJSON(cmd, out); err != nil {
			return err
		}
	case out.OK:
		writeTaken(cmd.OutOrStdout(), out)
	default:
		writeRefused(cmd.ErrOrStderr(), out.Diagnostics, out.Error)
		fmt.Fprintf(cmd.ErrOrStderr(), "\nNothing has changed: generation %d goes on.\n", out.Generation)
	}
	if !out.OK {
		return errShown
	}
	return nil
}

func writeTaken(w io.Writer, out admin.Reload) {
	fmt.Fprint(w, clean(out.Diagnostics))
	if len(out.Changes) == 0 && len(out.Daemon) == 0 {
		fmt.Fprintf(w, "Nothing to do: generation %d runs.\n", out.Generation)
	} else {
		writeChanges(w, out.Changes, out.Kept, out.Daemon)
		fmt.Fprintf(w, "\nGeneration %d runs: read in %.0f ms, swapped in %.1f ms.\n", out.Generation, out.ReadMS, out.SwapMS)
	}
	if out.KeepBy != nil {
		fmt.Fprintf(w, "The old configuration comes back at %s unless you say: syncd reload --keep\n", out.KeepBy.Local().Format(time.TimeOnly))
	}
}

// writeRefused shows the mistakes of a configuration, or what else was wrong.
func writeRefused(w io.Writer, diagnostics, reason string) {
	if fmt.Fprint(w, clean(diagnostics)); !strings.Contains(diagnostics, "Error: ") {
		fmt.Fprintf(w, "Error: %s\n", clean(reason))
	}
}

// signs are how actions stand out in a list.
var signs = map[string]string{"start": "+", "stop": "-", "restart": "~", "adjust": "~"}

// writeChanges lists what a reload does, or would do.
func writeChanges(w io.Writer, changes []admin.Change, kept int, daemon []string) {
	t := newTable()
	t.indent = "  "
	for _, c := range changes {
		why := strings.Join(c.Reasons, ", ")
		if c.State != "" {
			why += "; " + c.State
		}
		t.add(signs[c.Action], c.Action, c.Address, why)
	}
	for _, name := range daemon {
		t.add("~", "adjust", "daemon", name+" changed")
	}
	if kept > 0 {
		t.add("=", "keep", count(kept, "component"), "")
	}
	t.flush(w)
}

// exitChanges is plan's exit code when a reload would change something.
const exitChanges = 4

// errChanges ends plan when there are changes.
var errChanges = errors.New("there are changes")

func newPlan() *cobra.Command {
	var at daemonFlags
	path, asJSON := "", false
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Tell what a reload would start, stop, restart and keep, and why",
		Long: `Ask the daemon what a reload would do: which components it would start, stop,
restart and keep, why, and what becomes of checkpoints and of what waits. Nothing is
done. The daemon reads the configuration itself, with its own environment. It opens
nothing: that a port is taken, or a certificate missing, shows at the reload alone.

Exit code 0: nothing would change; 4: something would; 1: it would be refused.`,
		Example: `  syncd plan
  syncd plan -c /etc/syncd.new`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error { return planned(ctx, cmd, c, path, asJSON) })
		},
	}
	at.add(cmd)
	addJSON(cmd, &asJSON)
	cmd.Flags().StringVarP(&path, "config", "c", "", "another `PATH` than the daemon's own")
	return cmd
}

func planned(ctx context.Context, cmd *cobra.Command, c *admin.Client, path string, asJSON bool) error {
	path, err := absolutePath(path)
	if err != nil {
		return err
	}
	p, err := c.Plan(ctx, path)
	if err != nil {
		return err
	}
	switch {
	case asJSON:
		err = printJSON(cmd, p)
	case p.Error != "":
		writeRefused(cmd.ErrOrStderr(), p.Diagnostics, p.Error)
	case len(p.Changes)+len(p.Daemon) == 0:
		fmt.Fprintf(cmd.OutOrStdout(), "%sA reload would change nothing.\n", clean(p.Diagnostics))
	default:
		fmt.Fprint(cmd.OutOrStdout(), clean(p.Diagnostics))
		writeChanges(cmd.OutOrStdout(), p.Changes, p.Kept, p.Daemon)
	}
	switch {
	case err != nil:
		return err
	case p.Error != "":
		return errShown
	case len(p.Changes)+len(p.Daemon) > 0:
		return errChanges
	}
	return nil
}
