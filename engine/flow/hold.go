package flow

import (
	"context"
	"fmt"

	"github.com/syncd/syncd/engine/journal"
)

// holds are the order_by keys that wait behind dead letters, on a lane of a flow that
// has it so: until the dead letter is delivered after all, or dropped.
type holds struct {
	behind map[deadLetter]string // its key
	keys   map[string]int        // that such a dead letter has
}

// deadLetter is one of the lane, or of a step.
type deadLetter struct {
	journal.Key
	step bool
}

// holdBehind makes the events of the key wait.
func (l *lane) holdBehind(dl deadLetter, key string) {
	if _, held := l.behind[dl]; !l.f.Hold || key == "" || held {
		return
	}
	if l.behind == nil {
		l.holds = holds{map[deadLetter]string{}, map[string]int{}}
	}
	l.behind[dl] = key
	l.keys[key]++
	l.hold(key)
}

// letGo lets the next delivery of d's key go, now that d has come to its end. Those of the
// same event do not wait behind a dead letter of its own; the next event does.
func (l *lane) letGo(d *delivery) {
	if it := d.item; it != nil && it.open == 1 {
		for _, ex := range it.failed {
			if ex.Dead {
				l.holdBehind(deadLetter{Key: ex.Key}, d.key)
			}
		}
	}
	l.release(d.key)
}

// goOnBehind lets them go.
func (l *lane) goOnBehind(dl deadLetter) {
	key, held := l.behind[dl]
	if !held {
		return
	}
	delete(l.behind, dl)
	if l.keys[key]--; l.keys[key] == 0 {
		delete(l.keys, key)
	}
	l.release(key)
	l.show()
}

// blocked tells whether the key's next event has to wait. The deliveries of an ordered
// sink keep the order of all events: there, only a dead letter can be in the way.
func (l *lane) blocked(key string) bool {
	if l.ordered != nil {
		return l.keys[key] > 0 || len(l.held[key]) > 0
	}
	return l.busy[key] > 0
}

// diedInStep is the dead letter of an event that died in a step, if its key is to wait
// behind it; nil: it is not, or an operator has seen to it already.
func (l *lane) diedInStep(ctx context.Context, c *cursor, p journal.Position, r *result) *deadLetter {
	if !l.f.Hold || r.err == nil || r.key == "" {
		return nil
	}
	dl := &deadLetter{journal.Key{Source: c.source, Position: p}, true}
	open, err := l.o.Journal.Exceptions(ctx, journal.ExceptionQuery{Lane: &l.f.steps.id, Key: &dl.Key, Bare: true})
	if err != nil {
		l.o.Log.Error("cannot look up a dead letter; events of its key wait", "lane", l.name(), "error", err)
	}
	if err == nil && len(open) == 0 {
		return nil
	}
	return dl
}

// resumeHolds finds, after a restart, the keys that wait.
func (l *lane) resumeHolds() bool {
	if !l.f.Hold {
		return true
	}
	all, ok := insist(&l.o, &l.term, func() (list []journal.Exception, err error) {
		for _, lane := range []*journal.Lane{&l.id, &l.f.steps.id} {
			found, err := l.o.Journal.Exceptions(l.life, journal.ExceptionQuery{Lane: lane, Bare: true})
			if err != nil {
				return nil, fmt.Errorf("read which keys wait: %w", err)
			}
			list = append(list, found...)
		}
		return list, nil
	})
	waits := make(map[journal.Key]bool, len(l.from.waiting))
	for _, ex := range l.from.waiting {
		waits[ex.Key] = true
	}
	for _, ex := range all {
		step := ex.Lane.Sink == ""
		if !step && !ex.Dead && waits[ex.Key] { // one that has just been revived is in neither list else
			continue
		}
		// A step's that is still ahead of the lane is met in its turn.
		if c := l.cursor(ex.Source); c != nil && (!step || c.isSettled(ex.Position)) {
			l.holdBehind(deadLetter{ex.Key, step}, ex.OrderKey)
		}
	}
	return ok
}

// Dropped says that an operator has given up a dead letter, with Journal.Drop: what waits
// behind it goes on.
func (r *Runner) Dropped(ctx context.Context, ex journal.Exception) {
	if f := r.roster.Load().flows[ex.Lane.Flow]; f != nil && f.Hold {
		r.ended(ctx, ex)
	}
}

// ended has the lanes concerned go on behind a dead letter. One that leaves meanwhile
// leaves that to its successor, who reads what there is.
func (r *Runner) ended(ctx context.Context, ex journal.Exception) {
	step := ex.Lane.Sink == ""
	for id := range r.roster.Load().lanes {
		if id == ex.Lane || step && id.Flow == ex.Lane.Flow {
			_ = r.ask(ctx, id, func(l *lane) { l.goOnBehind(deadLetter{ex.Key, step}) }) // it has left, or all ends
		}
	}
}
