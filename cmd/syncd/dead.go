package main

import (
	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newDead() *cobra.Command {
	var at daemonFlags
	cmd := group("dead", "Dead letters: what failed for good, and what to do about it",
		newDeadList(&at), newDeadShow(&at), newDeadRetry(&at), newDeadDrop(&at))
	at.add(cmd)
	return cmd
}

// filterFlags select dead letters by where they died.
type filterFlags struct{ source, flow, sink string }

func (f *filterFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.source, "source", "", "only those of this source")
	cmd.Flags().StringVar(&f.flow, "flow", "", "only those of this flow")
	cmd.Flags().StringVar(&f.sink, "sink", "", "only those of this sink")
}

func (f *filterFlags) filter() admin.Filter {
	return admin.Filter{Source: address("source", f.source), Flow: address("flow", f.flow), Sink: address("sink", f.sink)}
}

// where a dead letter died, for people.
func where(d admin.DeadLetter) string {
	switch {
	case d.Flow == "":
		return d.Source
	case d.Sink != "":
		return d.Flow + " to " + d.Sink
	case d.Step != "":
		return d.Flow + ", " + d.Step
	}
	return d.Flow
}
