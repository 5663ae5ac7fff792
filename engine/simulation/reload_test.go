package simulation

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
)

// reload has the running daemon take over another configuration: steps, order_by and
// concurrency of flows, sinks, what exists. Now and then there are several in a row,
// and an operator retries a dead letter meanwhile.
func (w *world) reload(op int) {
	for i := range 1 + w.seed.pick(3, "reloads", op)/2 {
		v := w.version.clone()
		if w.seed.chance(50, "reload changes", op, i) {
			v = w.changed(op*4 + i)
		}
		for j, f := range w.plan.flows {
			if w.seed.chance(35, "reload flow", op, i, j) {
				v.edited[f.name]++
			}
		}
		for j, k := range w.plan.sinks {
			if w.seed.chance(25, "reload sink", op, i, j) {
				v.edited[k.address]++
			}
		}
		w.takeOver(v, op, i)
		if !w.daemon.alive() {
			return
		}
		sleep(w.gap(op*4 + i))
	}
}

// takeOver reloads. The daemon that cannot goes on as it is; one that crashes on the
// way finds the new configuration at its start.
func (w *world) takeOver(v version, op, i int) {
	in := w.daemon
	retried := make(chan struct{})
	go func() {
		defer close(retried)
		if !w.plan.crowded(w.seed) { // else at the same moment, and nobody knows what is first
			sleep(w.seed.between(time.Microsecond, 3*time.Millisecond, "amid", op, i))
		}
		if list, err := w.exceptions(journal.ExceptionQuery{DeadOnly: true}); err == nil && len(list) > 0 && w.seed.chance(40, "retry amid", op, i) {
			w.retry(list[w.seed.pick(len(list), "which amid", op, i)])
		}
	}()
	err := in.reload(v)
	if err == nil || !in.alive() {
		w.adopt(v)
	} else if w.trouble.now() == nil {
		w.fail("reload: %v", err)
	}
	turn()
	<-retried
	turn()
}

// reload does what the engine does: it opens what is new, configures the journal,
// swaps, and closes what is old when that is over.
func (in *daemon) reload(v version) error {
	w := in.w
	flows := map[string]compiled{}
	for name, c := range in.flows {
		flows[name] = c
	}
	specs, topology, err := w.plan.programs(w.seed, v, flows)
	if err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	progress, err := in.journal.Configure(context.Background(), topology)
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	w.begins(progress)
	in.topology.Store(&topology)
	in.stood.Store(&progress)
	in.flows = flows
	closing := in.renew(v)
	over := in.runner.Swap(specs, in.sinks)
	in.retired = over
	go func() {
		if w.fault == nil || !w.fault.hasty {
			<-over
		}
		turn()
		for _, closed := range closing {
			closed.Store(true)
		}
	}()
	in.trace("reloaded")
	return nil
}

// renew opens the sinks anew that v has edited, and gives those that they replace.
func (in *daemon) renew(v version) (replaced []*atomic.Bool) {
	next := map[component.Address]*flow.Sink{}
	for _, t := range in.w.peers {
		addr := component.Address(t.plan.address)
		next[addr] = in.sinks[addr]
		if v.edited[t.plan.address] == in.w.version.edited[t.plan.address] {
			continue
		}
		replaced = append(replaced, in.open[addr])
		in.open[addr] = &atomic.Bool{}
		next[addr] = in.sink(t, in.open[addr])
		if f := in.w.fault; f == nil || !f.apart {
			next[addr].After(in.sinks[addr])
		}
	}
	in.sinks = next
	return replaced
}

// use watches over a call of a sink.
func (in *daemon) use(t *peer, closed *atomic.Bool) (end func()) {
	look := func() {
		if closed.Load() && in.alive() {
			in.w.fail("G5: %s is used though it has been closed", t.plan.address)
		}
	}
	look()
	return look
}
