package simulation

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/syncd/syncd/engine/component"
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
	time.Sleep(w.gap(op))
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
	time.Sleep(w.seed.between(time.Microsecond, 2*time.Millisecond, "started", w.daemons))
}

func (w *world) wait(op int) {
	time.Sleep(w.seed.between(time.Second, 8*time.Second, "wait", op))
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
		time.Sleep(w.seed.between(0, 5*time.Second, "down", op))
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

// change restarts the daemon with another configuration: some lanes go or come
// back, a poison step is repaired or broken.
func (w *world) change(op int) {
	for i, f := range w.plan.flows {
		if w.seed.chance(30, "repair", op, i) {
			w.version.fixed[f.name] = !w.version.fixed[f.name]
		}
		lanes := w.plan.lanes(f)
		for j, l := range lanes {
			switch {
			case w.version.off[l]:
				w.version.off[l] = !w.seed.chance(50, "lane on", op, i, j)
			case w.running(lanes) > 1:
				w.version.off[l] = w.seed.chance(30, "lane off", op, i, j)
				w.model.lanes[l].away = w.model.lanes[l].away || w.version.off[l]
			}
		}
	}
	w.trace("change: off %v, fixed %v", w.version.off, w.version.fixed)
	if w.seed.chance(30, "by crash", op) {
		w.daemon.crash()
		w.begin()
		return
	}
	w.restart(op)
}

func (w *world) running(lanes []journal.Lane) int {
	n := 0
	for _, l := range lanes {
		if !w.version.off[l] {
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

// accept hands a batch to the journal, as a source does: with its cursor.
func (w *world) accept(op int) {
	s := w.model.sources[w.plan.sources[w.seed.pick(len(w.plan.sources), "source", op)]]
	var numbers []int
	for range 1 + w.seed.pick(5, "batch", op) {
		w.serials++
		numbers = append(numbers, w.serials)
	}
	w.offer(s, numbers, op)
}

const dedupeWindow = time.Hour

// offer appends the events; it reports whether they were acknowledged.
func (w *world) offer(s *sourceModel, numbers []int, op int) bool {
	o, a := w.prepare(s, numbers, op)
	s.open = o
	accepted, err := w.daemon.journal.Append(context.Background(), a)
	w.trace("accept %v of %s: %v", numbers, s.name, err)
	switch {
	case err == nil && w.daemon.alive():
		w.answered(s, o, accepted)
		w.model.arrived(s, o, dedupeWindow)
		s.open = nil
		return true
	case !w.daemon.alive():
		return false // known only after the restart
	}
	s.open = nil
	if n, err := w.cursor(w.daemon, s); err != nil || n != s.offered {
		w.fail("G2: an append that failed left the cursor of %s at %d instead of %d (%v)", s.name, n, s.offered, err)
	}
	return false
}

// prepare makes the submission, and what must come of it.
func (w *world) prepare(s *sourceModel, numbers []int, op int) (*offer, journal.Append) {
	now := w.wall()
	w.peak = later(w.peak, now)
	o := &offer{numbers: numbers, at: now}
	a := journal.Append{
		Source: s.name, DedupeWindow: dedupeWindow,
		State: []component.Put{{Key: "cursor", Value: s.offered + len(numbers)}},
	}
	inBatch := map[string]string{}
	for i, n := range numbers {
		r := w.record(n, now)
		key := ""
		if w.seed.chance(30, "dedupe", op, i) {
			key = fmt.Sprint(w.seed.pick(40, "dedupe key", op, i))
		}
		k, known := s.ids[key]
		if known && k.until.After(now.Add(-time.Minute)) && k.until.Before(w.peak.Add(time.Minute)) {
			key, known = "", false // too close to tell, or forgotten while the clock was ahead
		}
		known = key != "" && known && k.until.After(now)
		if first := inBatch[key]; first != "" {
			k.id, known = first, true
		}
		r.Dedupe = key
		id := r.ID.String()
		if known {
			id = k.id
		} else if key != "" {
			inBatch[key] = id
		}
		o.keys, o.ids, o.fresh = append(o.keys, key), append(o.ids, id), append(o.fresh, !known)
		a.Records = append(a.Records, r)
	}
	return o, a
}

// record is event n.
func (w *world) record(n int, now time.Time) journal.Record {
	r := journal.Record{Time: now, Key: fmt.Sprint(orderKey(n)), Meta: []byte(fmt.Sprintf(`{"row":%d}`, n))}
	r.ID[0], r.ID[1], r.ID[2] = byte(n>>16), byte(n>>8), byte(n)
	if n%2 == 0 {
		r.Payload = journal.Payload{Names: []string{"n", "k", "v"}, Values: []any{int64(n), int64(orderKey(n)), int64(n)}}
		return r
	}
	body := fmt.Sprintf(`{"n":%d,"k":%d,"v":%d}`, n, orderKey(n), n)
	r.Payload = journal.Payload{ContentType: "application/json", Raw: []byte(body)}
	return r
}

func (w *world) answered(s *sourceModel, o *offer, accepted []component.Accepted) {
	if len(accepted) != len(o.numbers) {
		w.fail("G1: %d events of %s got %d answers", len(o.numbers), s.name, len(accepted))
		return
	}
	for i, a := range accepted {
		if a.Duplicate == o.fresh[i] || a.ID != o.ids[i] {
			w.fail("G2: event %d of %s (dedupe key %q) was answered %+v, want id %s, duplicate %t",
				o.numbers[i], s.name, o.keys[i], a, o.ids[i], !o.fresh[i])
		}
	}
}
