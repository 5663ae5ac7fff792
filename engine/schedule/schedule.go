// Package schedule says when a source that works in runs begins one: every so
// often, or at the times of a cron expression in some time zone. It never begins a
// run twice, makes up once for what was missed while the daemon was down, and is
// not irritated by clocks that are put forward or back.
//
// A kind embeds Config in its configuration, calls Check from its Validate, and
// lets a Runner call it.
package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// Config is what a source that works in runs takes to say when.
type Config struct {
	Every    time.Duration `hcl:"every" min:"10ms" doc:"How often it runs: at start, and then again and again." example:"\"5m\""`
	Cron     string        `hcl:"cron" doc:"When it runs: minute, hour, day of month, month, day of week, as in a crontab, with an optional field of seconds before them; or @daily and the like." example:"\"*/5 8-20 * * mon-fri\""`
	Timezone string        `hcl:"timezone" doc:"The time zone of cron, by its IANA name; the machine's own where it is left out." example:"\"America/Santiago\""`
	Jitter   time.Duration `hcl:"jitter" min:"0s" doc:"Each run begins up to this much later, at random, so that many do not begin at once." example:"\"10s\""`
}

// Check reports what is wrong with the schedule. Required: one of every and cron
// must be given.
func (c *Config) Check(p *component.Problems, required bool) {
	switch {
	case c.Every > 0 && c.Cron != "":
		p.Error("cron", "both every and cron", "A schedule is one of them. Take one out.")
	case c.Cron != "":
		c.checkCron(p)
	case c.Every > 0:
		c.checkEvery(p)
	case required:
		p.Error("", "no schedule", `Say how often it runs, every = "5m", or when, cron = "30 2 * * *".`)
	}
	if c.Cron == "" && c.Timezone != "" {
		p.Warn("timezone", "timezone without cron", "Only cron asks what time it is somewhere; every does not.")
	}
}

func (c *Config) checkEvery(p *component.Problems) {
	if c.Every < time.Second {
		p.Warn("every", "more than one run a second", "Whoever is asked may not like it.")
	}
	if c.Jitter >= c.Every {
		p.Error("jitter", "jitter is as long as every", fmt.Sprintf("A run would begin when the next one is due. It must be shorter than %s.", c.Every))
	}
}

func (c *Config) checkCron(p *component.Problems) {
	zone, err := loadZone(c.Timezone)
	if err != nil {
		p.Error("timezone", fmt.Sprintf("unknown time zone %q", c.Timezone), `Write its IANA name: "Europe/Berlin", "America/Santiago", "UTC".`)
		zone = time.UTC
	}
	cron, err := parse(c.Cron, zone)
	if err != nil {
		p.Error("cron", "not a cron expression", sentence(err.Error())+"\n"+shape)
		return
	}
	for _, odd := range oddities(c.Cron) {
		p.Warn("cron", odd.summary, odd.detail)
	}
	if gap := cron.shortest(time.Now()); c.Jitter >= gap {
		p.Error("jitter", "jitter is as long as the time between two runs", fmt.Sprintf("A run would begin when the next one is due. It must be shorter than %s.", gap))
	}
}

const shape = `It has five fields, minute hour day month weekday ("30 2 * * mon-fri"), or six with seconds before them; or it is one of @hourly, @daily, @weekly, @monthly and @yearly.`

func sentence(s string) string { return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "." }

// Apart is how long it may be from one run to the next, by a configuration that has
// passed Check; 0 if that is not known.
func (c *Config) Apart() time.Duration {
	if c.Cron == "" {
		return c.Every
	}
	cron, err := Parse(c.Cron, c.Timezone)
	if err != nil {
		return 0
	}
	return cron.longest(time.Now())
}

// IsSet tells whether one of every and cron is given.
func (c *Config) IsSet() bool { return c.Every > 0 || c.Cron != "" }

// Retry is what a source takes to say how a run that failed is tried again: exponential
// backoff with jitter.
type Retry struct {
	For     time.Duration `hcl:"for" doc:"How long it is tried, from the first failure on; then the run waits for its next time. 0: without end." min:"0s"`
	Initial time.Duration `hcl:"initial" doc:"The pause before the second attempt; each later one is longer." min:"1ms"`
	Max     time.Duration `hcl:"max" doc:"The longest pause between two attempts." min:"1ms"`
}

// SetDefaults fills in what is not given.
func (r *Retry) SetDefaults() {
	*r = Retry{For: 24 * time.Hour, Initial: time.Second, Max: 15 * time.Minute}
}

// Check reports what is wrong with it.
func (r *Retry) Check(p *component.Problems) {
	if r.Max < r.Initial {
		p.Error("retry.max", "max is shorter than initial", fmt.Sprintf("The first pause is %s already.", r.Initial))
	}
}

// Options is r as a Runner takes it.
func (r *Retry) Options() component.Retry {
	return component.Retry{For: r.For, Initial: r.Initial, Max: r.Max}
}
