package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newStatus() *cobra.Command {
	var at daemonFlags
	asJSON := false
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how sources, flows and lanes stand",
		Long: `Show how sources, flows and lanes stand. A lane is the way of one flow to one sink.
Counters count since the state directory was made. For each flow, ACCEPTED is the
sum of the others: delivered, filtered, dead, dropped or pending.`,
		Example: `  syncd status
  syncd status --json | jq '.lanes[] | select(.state == "stopped")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				s, err := c.Status(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd, s)
				}
				return writeStatus(cmd.OutOrStdout(), s, time.Now())
			})
		},
	}
	at.add(cmd)
	addJSON(cmd, &asJSON)
	return cmd
}

func writeStatus(w io.Writer, s admin.Status, now time.Time) error {
	fmt.Fprintf(w, "syncd %s, pid %d, started %s, configuration %d\n", s.Version, s.PID, ago(now, s.Started), s.Generation)
	fmt.Fprintf(w, "config %s, state %s, journal %s of %s\n", s.Config, s.StateDir, sizeText(s.Journal.Bytes), sizeText(s.Journal.MaxBytes))
	if s.Stale != nil {
		fmt.Fprintf(w, "NOT WHAT THE FILES SAY, since %s: %s\n", ago(now, s.Stale.Since), line(s.Stale.Reason))
	}
	if s.KeepBy != nil {
		fmt.Fprintf(w, "GOES BACK %s unless kept: syncd reload --keep\n", ago(now, *s.KeepBy))
	}
	if s.NotAccepting != "" {
		fmt.Fprintf(w, "NOT ACCEPTING: %s\n", line(s.NotAccepting))
	}
	for _, t := range []*table{listenersTable(s.Listeners), sourcesTable(s.Sources, now), runsTable(s.Sources, now), flowsTable(s.Flows), lanesTable(s.Lanes, now)} {
		if len(t.rows) == 0 {
			continue
		}
		fmt.Fprintln(w)
		if err := t.flush(w); err != nil {
			return err
		}
	}
	return nil
}

// listenersTable shows the listeners that requests came to which no source takes.
func listenersTable(list []admin.ListenerStatus) *table {
	t := newTable("LISTENER", "ADDRESS", "REFUSED")
	for _, l := range list {
		if l.Refused > 0 {
			t.add(l.Address, l.Listen, l.Refused)
		}
	}
	return t
}

func sourcesTable(list []admin.SourceStatus, now time.Time) *table {
	t := newTable("SOURCE", "STATE", "ACCEPTED", "DUPLICATES", "REFUSED", "UNROUTED", "DEAD", "LAST EVENT", "LAST ERROR")
	for _, s := range list {
		last := "never"
		if s.LastEvent != nil {
			last = ago(now, *s.LastEvent)
		}
		if s.Stale {
			last += " (stale)"
		}
		t.add(s.Address, s.State, s.Accepted, s.Duplicates, s.Refused, s.Unrouted, s.Dead, last, short(s.LastError, 80))
	}
	return t
}

// runsTable shows when the sources run that work in runs, and what they and others do.
func runsTable(list []admin.SourceStatus, now time.Time) *table {
	t := newTable("SOURCE", "NEXT RUN", "LAST RUN", "NOTE")
	for _, s := range list {
		last := "never"
		if s.NextRun == nil {
			last = "-" // the first is under way, or it knows no runs
		}
		if s.NextRun != nil || s.LastRun != nil || s.Note != "" {
			t.add(s.Address, whenever(now, s.NextRun, "-"), whenever(now, s.LastRun, last), short(s.Note, 80))
		}
	}
	return t
}

func whenever(now time.Time, t *time.Time, otherwise string) string {
	if t == nil {
		return otherwise
	}
	return ago(now, *t)
}

func flowsTable(list []admin.FlowStatus) *table {
	t := newTable("FLOW", "STATE", "ACCEPTED", "DELIVERED", "FILTERED", "DEAD", "DROPPED", "PENDING")
	for _, f := range list {
		t.add(f.Address, f.State, f.Accepted, f.Delivered, f.Filtered, f.Dead, f.Dropped, f.Pending)
	}
	return t
}

func lanesTable(list []admin.LaneStatus, now time.Time) *table {
	t := newTable("LANE OF", "TO", "STATE", "BACKLOG", "WAITING", "DEAD", "LAST ERROR")
	for _, l := range list {
		state := l.State
		if l.NextProbe != nil {
			state += ", probe " + ago(now, *l.NextProbe)
		}
		t.add(l.Flow, sinkName(l.Sink), state, l.Backlog, l.Waiting, l.Dead, short(l.LastError, 80))
	}
	return t
}

// sinkName names the lane that a flow's steps have as well.
func sinkName(sink string) string {
	if sink == "" {
		return "(its steps)"
	}
	return sink
}
