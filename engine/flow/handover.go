package flow

import (
	"context"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// term is the time for which a flow or lane is in charge.
type term struct {
	life    context.Context // until it is retired or the runner stops
	cancel  context.CancelFunc
	retired chan struct{} // closed when a successor is to take over, or nobody
	ended   chan struct{} // closed when it does nothing any more
}

func newTerm() term {
	return term{retired: make(chan struct{}), ended: make(chan struct{})}
}

func (t *term) retire() {
	close(t.retired)
	t.cancel()
}

// party is flows and lanes that begin or retire together.
type party struct {
	flows []*flow
	lanes []*lane
}

// Swap makes specs the flows that run, with these sinks; see Check for what they must
// keep to. The journal has been configured with them before. Swap returns at once.
//
// A flow with the identical Program goes on undisturbed; if it has another *Sink for
// an address, only that lane is replaced. Everything else is handed over. What is
// retired finishes the deliveries that have begun, without retries, and settles them.
// A successor goes on where its predecessor has ended: not before that, and whatever
// others are doing. What has waited for a retry keeps its payload. If its sink is the
// same, it keeps its time too, and a lane that stands still goes on to do so; another
// sink is tried at once.
//
// The channel is closed when all that this Swap, or one before it, has retired is
// over: nothing uses the old sinks and steps any more.
func (r *Runner) Swap(specs []Spec, sinks map[component.Address]*Sink) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return r.retired
	}
	next, begin, leave := r.assemble(r.roster.Load(), specs, sinks)
	r.roster.Store(next)
	if r.ctx == nil { // nothing has begun
		return r.retired
	}
	r.retire(leave)
	r.start(begin)
	r.forget(next)
	return r.retired
}

// assemble makes the next roster: who of the last one stays, who begins, who leaves.
func (r *Runner) assemble(last *roster, specs []Spec, sinks map[component.Address]*Sink) (next *roster, begin, leave party) {
	next = &roster{flows: make(map[string]*flow, len(specs)), lanes: make(map[journal.Lane]*lane, len(last.lanes))}
	for _, s := range specs {
		f := last.flows[s.Name]
		stays := f != nil && f.same(&s)
		if !stays {
			f = newFlow(r, s)
			begin.flows = append(begin.flows, f)
		}
		next.flows[s.Name] = f
		for _, addr := range s.Program.Sinks() {
			id := journal.Lane{Flow: s.Name, Sink: string(addr)}
			l := last.lanes[id]
			if !stays || l.sink != sinks[addr] {
				l = newLane(f, sinks[addr], id)
				begin.lanes = append(begin.lanes, l)
			}
			next.lanes[id] = l
		}
	}
	for name, f := range last.flows {
		if next.flows[name] != f {
			leave.flows = append(leave.flows, f)
		}
	}
	for id, l := range last.lanes {
		if next.lanes[id] != l {
			leave.lanes = append(leave.lanes, l)
		}
	}
	return next, begin, leave
}

// start lets p run. All that it replaces has been retired: before an ordered sink is
// called, no lane to its predecessor begins a call any more.
func (r *Runner) start(p party) {
	for _, f := range p.flows {
		f.life, f.cancel = context.WithCancel(r.ctx)
		r.members.Go(f.run)
	}
	for _, l := range p.lanes {
		l.life, l.cancel = context.WithCancel(r.ctx)
		l.f.evaluating.Add(1)
		r.members.Go(func() { l.run(r.ctx, r.abort) })
	}
}

// retire ends p, and tells when it, and all that was retired before, is over.
func (r *Runner) retire(p party) {
	if len(p.flows)+len(p.lanes) == 0 {
		return
	}
	before, over := r.retired, make(chan struct{})
	r.retired = over
	for _, l := range p.lanes {
		l.retire()
	}
	for _, f := range p.flows {
		f.retire()
	}
	r.members.Go(func() {
		defer close(over)
		<-before
		for _, l := range p.lanes {
			<-l.ended
		}
		for _, f := range p.flows {
			<-f.ended
		}
	})
}

// forget gives up the seats that s has nobody for, once they are empty and nothing
// remains there.
func (r *Runner) forget(s *roster) {
	taken := make(map[*seat]bool, len(r.seats))
	for _, f := range s.flows {
		taken[f.seat] = true
	}
	for _, l := range s.lanes {
		taken[l.seat] = true
	}
	for id, seat := range r.seats {
		if !taken[seat] && seat.vacant() {
			delete(r.seats, id)
		}
	}
}
