package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-co-op/gocron/v2"
)

// Cron is a cron expression in a time zone.
//
// A time of day that a clock put forward leaves out is the next instant that
// exists: "30 2 * * *" runs at 03:00 on the night that has no 02:30. A time that a
// clock put back shows twice counts once, the first time. What names a pace rather
// than times of day is left alone: an expression for every hour ("*/15 * * * *")
// makes up for nothing, and it, like one for every few minutes ("*/15 0-6 * * *"),
// goes on through the hour that comes twice.
type Cron struct {
	wall  gocron.Cron // the fields, seen as times of a clock that is never put forward or back
	zone  *time.Location
	again bool // it goes on through an hour that comes twice
	steps bool // it names every hour, so that an hour left out is not missed
}

// Parse reads a cron expression of five or six fields, or a name like @daily.
// Timezone is an IANA name, or empty for the machine's own.
func Parse(expression, timezone string) (*Cron, error) {
	zone, err := loadZone(timezone)
	if err != nil {
		return nil, err
	}
	return parse(expression, zone)
}

func loadZone(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	return time.LoadLocation(name)
}

func parse(expression string, zone *time.Location) (*Cron, error) {
	switch {
	case strings.HasPrefix(expression, "@every"):
		return nil, errors.New(`for a pace there is every = "5m"`)
	case strings.Contains(expression, "TZ="):
		return nil, errors.New("the time zone goes into timezone")
	}
	c := &Cron{wall: gocron.NewDefaultCron(true), zone: zone}
	if err := c.wall.IsValid(expression, time.UTC, time.Now().UTC()); errors.Is(err, gocron.ErrCronJobInvalid) {
		return nil, fmt.Errorf("no day is like %q", expression)
	} else if err != nil {
		return nil, plain(err)
	}
	fields := strings.Fields(expression)
	if n := len(fields); n >= 5 {
		minute, hour := fields[n-5], fields[n-4]
		c.steps = hour == "*" || hour == "*/1" || hour == "0-23"
		c.again = c.steps || strings.HasPrefix(minute, "*")
	} else {
		c.steps = expression == "@hourly"
		c.again = c.steps
	}
	return c, nil
}

// plain is err without what gocron says around it.
func plain(err error) error {
	if strings.Contains(err.Error(), "(7) above maximum (6)") {
		return errors.New("a Sunday is 0 or sun")
	}
	return errors.New(strings.TrimPrefix(err.Error(), gocron.ErrCronJobParse.Error()+"\n"))
}

// lookback is longer than clocks are ever put forward or back at once.
const lookback = 48 * time.Hour

// Next is the first time after that instant, UTC; zero if there is none within
// five years.
func (c *Cron) Next(after time.Time) time.Time {
	var reached time.Time // what clocks have shown before the period at hand
	for t := after.Add(-lookback); ; {
		p := c.period(t)
		if p.last || p.end.After(after) {
			from := p.show(after)
			if p.start.After(after) {
				from = p.show(p.start).Add(-1)
			}
			if !c.again && from.Before(reached) {
				from = reached.Add(-1)
			}
			n := c.wall.Next(from)
			switch {
			case n.IsZero():
				return time.Time{}
			case p.last || n.Before(p.show(p.end)):
				return p.at(n)
			case !c.steps && n.Before(c.period(p.end).show(p.end)):
				return p.end.UTC()
			}
		}
		if shown := p.show(p.end); shown.After(reached) {
			reached = shown
		}
		t = p.end
	}
}

// period is a time during which clocks in a zone are not put forward or back.
type period struct {
	start, end time.Time
	last       bool // it has no end
	offset     time.Duration
}

func (c *Cron) period(t time.Time) period {
	t = t.In(c.zone)
	_, offset := t.Zone()
	p := period{offset: time.Duration(offset) * time.Second}
	p.start, p.end = t.ZoneBounds()
	p.last = p.end.IsZero()
	return p
}

// show is what clocks show at t, as a time in UTC.
func (p period) show(t time.Time) time.Time { return t.UTC().Add(p.offset) }

// at is when clocks show that.
func (p period) at(shown time.Time) time.Time { return shown.Add(-p.offset) }

// latest is the last time after one instant and not after another; zero if there is none.
func (c *Cron) latest(after, until time.Time) time.Time {
	due := func(t time.Time) bool {
		n := c.Next(t)
		return !n.IsZero() && !n.After(until)
	}
	if !due(after) {
		return time.Time{}
	}
	for later := until; later.Sub(after) > time.Second; {
		if middle := after.Add(later.Sub(after) / 2); due(middle) {
			after = middle
		} else {
			later = middle
		}
	}
	return c.Next(after)
}

// longest is the longest time between the next few times.
func (c *Cron) longest(from time.Time) (longest time.Duration) {
	for t, n := c.Next(from), 0; n < 20 && !t.IsZero(); n++ {
		next := c.Next(t)
		longest, t = max(longest, next.Sub(t)), next
	}
	return longest
}

// shortest is the shortest time between the next few times.
func (c *Cron) shortest(from time.Time) time.Duration {
	shortest := 24 * 365 * time.Hour
	for t, n := c.Next(from), 0; n < 20 && !t.IsZero(); n++ {
		next := c.Next(t)
		if next.IsZero() {
			break
		}
		shortest, t = min(shortest, next.Sub(t)), next
	}
	return shortest
}
