package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newDeadShow(at *daemonFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show a dead letter with its payload and the history of its errors",
		Example: `  syncd dead show 17
  syncd dead show 17 --json | jq .payload`,
		Args:              idArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: at.deadIDs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				d, err := c.DeadLetter(ctx, parseIDs(args)[0])
				if err != nil {
					return fmt.Errorf("show dead letter %s: %w", args[0], err)
				}
				if asJSON {
					return printJSON(cmd, d)
				}
				return writeLetter(cmd.OutOrStdout(), d, time.Now())
			})
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func writeLetter(w io.Writer, d admin.DeadLetter, now time.Time) error {
	t := newTable()
	t.add("dead letter", strconv.FormatInt(d.ID, 10))
	t.add("event", fmt.Sprintf("%s of %s, accepted %s", d.Event, d.Source, stamp(d.Accepted, now)))
	t.add("where", where(d)+ifAny(" (", d.Place, ")"))
	if d.ChildPath != "" {
		t.add("child path", d.ChildPath)
	}
	t.add("attempts", fmt.Sprintf("%d, first failed %s", d.Attempts, stamp(d.Since, now)))
	if err := t.flush(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nerror, %s:\n%s\n", stamp(d.Time, now), indented(d.Error))
	if len(d.History) > 1 {
		fmt.Fprintln(w, "\nbefore that:")
		for _, f := range d.History[:len(d.History)-1] {
			fmt.Fprintf(w, "  %s  %s\n", f.Time.UTC().Format(time.RFC3339), line(f.Error))
		}
	}
	writeBlock(w, "payload", d.Payload)
	writeBlock(w, "meta", d.Meta)
	_, err := fmt.Fprintf(w, "\nsyncd dead retry %d   or   syncd dead drop %d\n", d.ID, d.ID)
	return err
}

func writeBlock(w io.Writer, name string, raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, "  ", "  ") != nil {
		b.Reset()
		b.Write(raw)
	}
	fmt.Fprintf(w, "\n%s:\n  %s\n", name, clean(b.String()))
}

func stamp(t, now time.Time) string {
	return t.UTC().Format(time.RFC3339) + " (" + ago(now, t) + ")"
}

func ifAny(before, s, after string) string {
	if s == "" {
		return ""
	}
	return before + s + after
}

func indented(s string) string {
	return "  " + strings.ReplaceAll(clean(s), "\n", "\n  ")
}

// idArgs adds to a check of arguments that each is an id: a wrong one is a mistake of usage.
func idArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for _, a := range args {
			if _, err := strconv.ParseInt(a, 10, 64); err != nil {
				return fmt.Errorf("%q is not the id of a dead letter: 'syncd dead list' shows them", a)
			}
		}
		return check(cmd, args)
	}
}

func parseIDs(args []string) []int64 {
	ids := make([]int64, len(args))
	for i, a := range args {
		ids[i], _ = strconv.ParseInt(a, 10, 64) // idArgs has seen it
	}
	return ids
}
