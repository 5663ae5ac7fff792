package engine

import (
	"context"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
)

// listenerStatus shows every listener. The journal counts what they refuse as it
// does for sources, by address.
func (g *graph) listenerStatus(counts map[string]journal.SourceStats) []admin.ListenerStatus {
	var out []admin.ListenerStatus
	for _, c := range g.cfg.Listeners {
		out = append(out, admin.ListenerStatus{
			Address: string(c.Address), Listen: g.listeners[c.Address].Addr().String(), Refused: counts[string(c.Address)].Refused,
		})
	}
	return out
}

// inputCounts are the journal's counts of what came in, by address.
func inputCounts(stats journal.Stats) map[string]journal.SourceStats {
	counts := map[string]journal.SourceStats{}
	for _, s := range stats.Sources {
		counts[s.Source] = s
	}
	return counts
}

// sourceStatus shows every source of the configuration, in its order.
func (g *graph) sourceStatus(counts map[string]journal.SourceStats) []admin.SourceStatus {
	var out []admin.SourceStatus
	for _, c := range g.cfg.Sources {
		n := counts[string(c.Address)]
		s := admin.SourceStatus{
			Address: string(c.Address), Description: c.Source.Description, State: admin.Disabled,
			Accepted: n.Accepted, Duplicates: n.Duplicates, Refused: n.Refused, Unrouted: n.Unrouted, Dead: n.Dead,
		}
		if !n.Last.IsZero() {
			s.LastEvent = &n.Last
		}
		if r := g.sources[c.Address]; r != nil {
			s.State, s.LastError = r.state()
			s.Stale = r.in.Stale(n.Last)
			r.report(&s)
		}
		out = append(out, s)
	}
	return out
}

// flowStatus shows the flows that have sources, and those that have gone and left something.
func (g *graph) flowStatus(stats journal.Stats) []admin.FlowStatus {
	described := map[string]admin.FlowStatus{}
	for _, f := range g.cfg.Flows {
		state := admin.Disabled
		if f.Enabled {
			state = admin.Running
		}
		described[string(f.Address)] = admin.FlowStatus{Description: f.Description, State: state}
	}
	var out []admin.FlowStatus
	for _, n := range stats.Flows {
		s, ok := described[n.Flow]
		if !ok {
			s.State = admin.Orphaned
		}
		s.Address = n.Flow
		s.Accepted, s.Delivered, s.Filtered = n.Accepted, n.Delivered, n.Filtered
		s.Dead, s.Dropped, s.Pending = n.Dead, n.Dropped, n.Pending
		out = append(out, s)
	}
	return out
}

// laneStatus shows the lanes to sinks, and a steps lane where something lies in it.
func (e *engine) laneStatus(ctx context.Context, stats journal.Stats) []admin.LaneStatus {
	doing := map[journal.Lane]flow.LaneStatus{}
	for _, l := range e.runner.Lanes() {
		doing[l.Lane] = l
	}
	var out []admin.LaneStatus
	for _, n := range stats.Lanes {
		if n.Sink == "" && n.Active && n.Waiting == 0 && n.Dead == 0 {
			continue
		}
		s := admin.LaneStatus{
			Flow: n.Flow, Sink: n.Sink, State: admin.Orphaned,
			Backlog: n.Backlog, Bytes: n.Bytes, Waiting: n.Waiting, Dead: n.Dead,
		}
		if n.Active {
			s.State = admin.Running
		}
		if l, ok := doing[n.Lane]; ok {
			s.State, s.LastError = string(l.State), l.LastError
			if !l.Probe.IsZero() {
				s.NextProbe = &l.Probe
			}
		}
		if s.LastError == "" && s.Waiting > 0 {
			s.LastError = e.waitsFor(ctx, n.Lane)
		}
		out = append(out, s)
	}
	return out
}

// waitsFor is why a delivery of the lane waits for a retry, "" if none does any more.
func (e *engine) waitsFor(ctx context.Context, lane journal.Lane) string {
	found, err := e.journal.Exceptions(ctx, journal.ExceptionQuery{Lane: &lane, AliveOnly: true, Limit: 1, Bare: true})
	if err != nil || len(found) == 0 || len(found[0].Errors) == 0 {
		return ""
	}
	return found[0].Errors[len(found[0].Errors)-1].Error
}
