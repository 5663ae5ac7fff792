package main

import (
	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newDead() *cobra.Command {
	var at daemonFlags
	cmd := group("dead", "Dead letters: what failed for good, and what to do about it",
		"  syncd dead list\n  syncd dead show 17\n  syncd dead retry --all --sink http.erp",
		newDeadList(&at), newDeadShow(&at), newDeadRetry(&at), newDeadDrop(&at))
	at.add(cmd)
	return cmd
}

// filterFlags select dead letters by where they died.
type filterFlags struct{ source, flow, sink string }

func (f *filterFlags) add(cmd *cobra.Command, at *daemonFlags) {
	cmd.Flags().StringVar(&f.source, "source", "", "only those of the source at this `ADDRESS`, for example webhook.orders")
	cmd.Flags().StringVar(&f.flow, "flow", "", "only those of the flow at this `ADDRESS`, for example orders")
	cmd.Flags().StringVar(&f.sink, "sink", "", "only those of the sink at this `ADDRESS`, for example http.erp")
	completeFlag(cmd, "source", at.addresses(sourcesOf))
	completeFlag(cmd, "flow", at.addresses(flowsOf))
	completeFlag(cmd, "sink", at.addresses(sinksOf))
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
