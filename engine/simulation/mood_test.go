package simulation

import (
	"errors"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// mood is how a fake system at the other end of a sink behaves.
type mood int

const (
	well    mood = iota
	slow         // answers late, sometimes too late
	failing      // fails for everything
	hanging      // never answers
	unwell       // says that it is unwell itself
	lossy        // does what it was asked to, and says that it failed
	panicky      // crashes the sink's code
	busy         // asks to be left alone for a while
	moods
)

var moodNames = [moods]string{"well", "slow", "failing", "hanging", "unwell", "lossy", "panicky", "busy"}

// conduct is what one call meets.
type conduct struct {
	before, after time.Duration // until the effect, and from there to the answer
	late          time.Duration // from the end of patience to the answer
	effect        bool
	hangs, panics bool
	err           error
}

// busyMax is the longest that a busy system asks to be left alone.
const busyMax = 4 * time.Second

var (
	errFailing   = errors.New("fails for everything")
	errLost      = errors.New("the answer was lost")
	errPassing   = errors.New("fails twice for this event")
	errRejected  = errors.New("never takes this event")
	errUnhealthy = errors.New("the credentials have expired")
	errBusy      = errors.New("too many requests")
)

// rejects tells whether the system never takes the delivery, until it is cured.
func (t *peer) rejects(d delivery) bool {
	return !t.cured && t.seed().chance(4, "rejects", t.plan.index, d.flow, d.n, number(d.path))
}

// stumbles tells whether it fails for the first two attempts of this delivery.
func (t *peer) stumbles(d delivery) bool {
	return t.seed().chance(6, "stumbles", t.plan.index, d.flow, d.n, number(d.path))
}

// conduct decides what attempt number try of d meets.
func (t *peer) conduct(d delivery, try int) conduct {
	about := []int{t.plan.index, d.flow, d.n, number(d.path), try}
	s := t.seed()
	c := conduct{
		before: s.between(50*time.Microsecond, 2*time.Millisecond, "before", about...),
		after:  s.between(10*time.Microsecond, time.Millisecond, "after", about...),
		late:   s.between(time.Microsecond, time.Millisecond, "late", about...),
		effect: true,
	}
	often := s.chance(50, "often", about...)
	switch t.mood {
	case well:
	case slow:
		c.before = s.between(20*time.Millisecond, t.plan.timeout*5/4, "slow", about...)
	case failing:
		c.err, c.effect = errFailing, s.chance(10, "failing", about...)
	case hanging:
		c.hangs, c.effect = true, s.chance(20, "hanging", about...)
	case unwell:
		c.err, c.effect = component.Unwell(errUnhealthy), false
	case lossy:
		if often {
			c.err = errLost
		}
	case panicky:
		c.panics, c.effect = often, !often || s.chance(50, "panicky", about...)
	case busy:
		if often {
			c.err, c.effect = component.RetryAfter(errBusy, s.between(time.Second, busyMax, "busy", about...)), false
		}
	}
	if c.err == nil && !c.panics && !c.hangs && try <= 2 && t.stumbles(d) {
		c.err, c.effect = errPassing, try == 2
	}
	return c
}
