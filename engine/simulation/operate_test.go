package simulation

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// operation is one step of a history; op is its number, for choices.
type operation struct {
	name   string
	weight int
	do     func(w *world, op int)
}

var operations = []operation{
	{"accept", 44, (*world).accept},
	{"wait", 10, (*world).wait},
	{"mood", 14, (*world).changeMood},
	{"crash", 4, (*world).crash},
	{"restart", 2, (*world).restart},
	{"change", 3, (*world).change},
	{"reload", 8, (*world).reload},
	{"disk", 4, (*world).breakDisk},
	{"clock", 3, (*world).stepClock},
	{"operator", 8, (*world).operate},
	{"drop lane", 2, (*world).dropLane},
	{"fresh", 6, (*world).fresh},
}

// step does operation number op, and repairs what it broke of the daemon.
func (w *world) step(op int) {
	total := 0
	for _, o := range operations {
		total += o.weight
	}
	at := w.seed.pick(total, "operation", op)
	for _, o := range operations {
		if at -= o.weight; at < 0 {
			w.trace("operation %d: %s", op, o.name)
			o.do(w, op)
			break
		}
	}
	sleep(w.gap(op))
	w.revive()
}

// gap is the time between two operations.
func (w *world) gap(op int) time.Duration {
	switch n := w.seed.pick(10, "gap", op); {
	case n < 6:
		return w.seed.between(time.Microsecond, 20*time.Millisecond, "gap a", op)
	case n < 9:
		return w.seed.between(time.Microsecond, time.Second, "gap b", op)
	}
	return w.seed.between(time.Microsecond, 4*time.Second, "gap c", op)
}

// revive starts the daemon again if it has crashed.
func (w *world) revive() {
	if w.daemon.alive() {
		return
	}
	w.daemon.crash()
	w.begin()
}

func (w *world) begin() {
	if err := w.start(); err != nil {
		w.fail("start: %v", err)
	}
	sleep(w.seed.between(time.Microsecond, 2*time.Millisecond, "started", w.daemons))
}

func (w *world) wait(op int) {
	sleep(w.seed.between(time.Second, 8*time.Second, "wait", op))
}

func (w *world) changeMood(op int) {
	t := w.peers[w.seed.pick(len(w.peers), "whose mood", op)]
	m := well
	if w.seed.chance(70, "bad mood", op) {
		m = mood(w.seed.pick(int(moods), "mood", op))
	}
	w.trace("%s is %s", t.plan.address, moodNames[m])
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mood, t.since = m, time.Now()
}

// crash kills the daemon now, or has the next commit do it.
func (w *world) crash(op int) {
	switch w.seed.pick(4, "how", op) {
	case 0:
		w.daemon.crash()
		sleep(w.seed.between(0, 5*time.Second, "down", op))
		w.begin()
	case 1:
		w.daemon.doom.Store(crashBefore)
		w.accept(op)
	default:
		w.daemon.doom.Store(crashAfter)
		w.accept(op)
	}
}

func (w *world) restart(op int) {
	if w.daemon.shut(w.seed.between(0, 4*time.Second, "grace", op)) {
		w.trace("stopped")
	} else {
		w.daemon.release()
	}
	w.begin()
}

// change restarts the daemon with another configuration: flows and lanes go or come
// back, a poison step is repaired or broken.
func (w *world) change(op int) {
	w.adopt(w.changed(op))
	if w.seed.chance(30, "by crash", op) {
		w.daemon.crash()
		w.begin()
		return
	}
	w.restart(op)
}

// changed is another version of the configuration.
func (w *world) changed(op int) version {
	v := w.version.clone()
	for i, f := range w.plan.flows {
		switch {
		case v.gone[f.name]:
			v.gone[f.name] = !w.seed.chance(50, "flow on", op, i)
		case len(v.gone) == 0 || w.plan.present(v) > 1:
			v.gone[f.name] = w.seed.chance(15, "flow off", op, i)
		}
		if w.seed.chance(30, "repair", op, i) {
			v.fixed[f.name] = !v.fixed[f.name]
		}
		lanes := w.plan.lanes(f)
		for j, l := range lanes {
			switch {
			case v.off[l]:
				v.off[l] = !w.seed.chance(50, "lane on", op, i, j)
			case v.running(lanes) > 1:
				v.off[l] = w.seed.chance(30, "lane off", op, i, j)
			}
		}
	}
	return v
}

// adopt makes v the configuration.
func (w *world) adopt(v version) {
	w.version = v
	w.edits.Add(1)
	for _, f := range w.plan.flows {
		for _, l := range w.plan.lanes(f) {
			w.model.lanes[l].away = w.model.lanes[l].away || v.off[l] || v.gone[f.name]
		}
	}
	w.trace("change: gone %v, off %v, fixed %v, edited %v", v.gone, v.off, v.fixed, v.edited)
}

// present is how many flows are configured.
func (p *plan) present(v version) int {
	n := 0
	for _, f := range p.flows {
		if !v.gone[f.name] {
			n++
		}
	}
	return n
}

// taken tells whether a configured flow takes the source.
func (w *world) taken(source string) bool {
	for _, f := range w.plan.flows {
		if !w.version.gone[f.name] && f.takes(source) {
			return true
		}
	}
	return false
}

func (v version) running(lanes []journal.Lane) int {
	n := 0
	for _, l := range lanes {
		if !v.off[l] {
			n++
		}
	}
	return n
}

var errDisk = errors.New("input/output error")

func (w *world) breakDisk(op int) {
	err := errDisk
	if w.seed.chance(30, "full", op) {
		err = fmt.Errorf("write: %w", syscall.ENOSPC)
		w.purges = true
	}
	w.trace("disk: %v", err)
	w.trouble.begin(err, w.seed.between(time.Millisecond, 6*time.Second, "trouble", op))
}

func (w *world) stepClock(op int) {
	w.peak = later(w.peak, w.wall())
	d := w.seed.between(0, 4*time.Hour, "clock", op) - 2*time.Hour
	w.clock.Add(int64(d))
	w.peak = later(w.peak, w.wall())
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
