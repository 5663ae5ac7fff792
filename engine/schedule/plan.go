package schedule

import (
	"math/rand/v2"
	"time"
)

// plan knows when the next run is due.
type plan interface {
	// look tells how long it is until the next run begins; 0 or less: it is to begin,
	// and was due at that instant.
	look(now time.Time) (due time.Time, in time.Duration)
	// begun notes that a run begins: all that was due until then is being seen to.
	begun(now time.Time)
}

// pace is a plan of runs every so often. It goes by the clock that nobody sets, and
// by the one on the wall where that has run ahead: the machine may have slept.
type pace struct {
	every, jitter, delay time.Duration
	last                 time.Time // when the last run was due, with the clock that nobody sets
	wall                 time.Time // the same on the wall
}

func newPace(c Config, now time.Time) *pace {
	p := &pace{every: c.Every, jitter: c.Jitter, last: time.Now().Add(-c.Every), wall: now.Add(-c.Every)}
	p.delay = random(p.jitter)
	return p
}

func (p *pace) look(now time.Time) (time.Time, time.Duration) {
	gone := max(time.Since(p.last), now.Sub(p.wall))
	return now.Add(p.every - gone), p.every - gone + p.delay
}

func (p *pace) begun(now time.Time) {
	if _, in := p.look(now); in > p.delay {
		return // by hand, or again after a failure: the pace stays
	}
	gone := time.Since(p.last)
	if late := gone - p.every; late >= 0 && late < p.every {
		gone = late
	} else {
		gone = 0
	}
	p.last, p.wall, p.delay = time.Now().Add(-gone), now.Add(-gone), random(p.jitter)
}

// calendar is a plan of runs at the times of a cron expression. It goes by the clock
// on the wall.
type calendar struct {
	cron          *Cron
	jitter, delay time.Duration
	base          time.Time // all that was due until then has been seen to
}

// turned is how far a clock is put back before its times count anew. Corrections
// of less must not run anything twice.
const turned = time.Hour

func (c *calendar) look(now time.Time) (time.Time, time.Duration) {
	if c.base.Sub(now) > turned {
		c.base = now
	}
	next := c.cron.Next(c.base)
	if next.IsZero() {
		return next, glance
	}
	if next.Add(c.delay).After(now) {
		return next, next.Add(c.delay).Sub(now)
	}
	return c.cron.latest(c.base, now), 0
}

func (c *calendar) begun(now time.Time) {
	if now.After(c.base) {
		c.base = now
	}
	c.delay = random(c.jitter)
}

func random(below time.Duration) time.Duration {
	if below <= 0 {
		return 0
	}
	return rand.N(below)
}
