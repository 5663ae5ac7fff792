package flow

import (
	"sync/atomic"
	"time"
)

// pulse shows that a lane's loop moves. It beats at every turn and at every step
// that an event takes, and rests while the lane waits for something. A nil pulse
// is of work that belongs to no lane.
type pulse struct{ n atomic.Uint64 } // even: rests; odd: at work

func (p *pulse) beat() {
	if p != nil {
		p.n.Store((p.n.Load() + 2) | 1)
	}
}

func (p *pulse) rest() {
	if p != nil {
		p.n.Store((p.n.Load() + 2) &^ 1)
	}
}

// Pulse watches over the lanes of a Runner. It is for one goroutine.
type Pulse struct {
	runner *Runner
	seen   map[*lane]heard
}

// heard is what a lane's pulse was when it last changed.
type heard struct {
	n     uint64
	since time.Time
}

// Pulse begins to watch.
func (r *Runner) Pulse() *Pulse { return &Pulse{runner: r} }

// Stuck names the lanes that have been at work for that long without a turn of
// their loop and without a step: what they are at does not end. One that waits, for
// a slow sink say, is not stuck.
func (p *Pulse) Stuck(now time.Time, after time.Duration) (lanes []string) {
	all := p.runner.roster.Load().lanes
	seen := make(map[*lane]heard, len(all))
	for _, l := range all {
		h, n := p.seen[l], l.pulse.n.Load()
		if h.since.IsZero() || h.n != n {
			h = heard{n, now}
		}
		seen[l] = h
		if n&1 == 1 && now.Sub(h.since) >= after {
			lanes = append(lanes, l.name())
		}
	}
	p.seen = seen
	return lanes
}
