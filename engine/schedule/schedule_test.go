package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		want   []string // attribute: summary, ? before a warning
	}{
		{"every", Config{Every: time.Minute, Jitter: time.Second}, nil},
		{"cron", Config{Cron: "*/5 8-20 * * mon-fri", Timezone: "America/Santiago", Jitter: 10 * time.Second}, nil},
		{"none", Config{}, []string{": no schedule"}},
		{"both", Config{Every: time.Minute, Cron: "@daily"}, []string{"cron: both every and cron"}},
		{"no cron", Config{Cron: "0 0 * *"}, []string{"cron: not a cron expression"}},
		{"no zone", Config{Cron: "@daily", Timezone: "Berlin"}, []string{`timezone: unknown time zone "Berlin"`}},
		{"a zone for nothing", Config{Every: time.Minute, Timezone: "UTC"}, []string{"?timezone: timezone without cron"}},
		{"hasty", Config{Every: 100 * time.Millisecond}, []string{"?every: more than one run a second"}},
		{"jitter of every", Config{Every: time.Minute, Jitter: time.Minute}, []string{"jitter: jitter is as long as every"}},
		{"jitter of cron", Config{Cron: "0,10 9 * * *", Timezone: "UTC", Jitter: 10 * time.Minute}, []string{"jitter: jitter is as long as the time between two runs"}},
		{"uneven", Config{Cron: "*/7 */5 * * *", Timezone: "UTC"}, []string{"?cron: */7 is not every 7 minutes", "?cron: */5 is not every 5 hours"}},
		{"uneven seconds", Config{Cron: "*/40 * * * * *", Timezone: "UTC"}, []string{"?cron: */40 is not every 40 seconds"}},
		{"two kinds of day", Config{Cron: "0 0 13 * fri", Timezone: "UTC"}, []string{"?cron: day of month and weekday together"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p component.Problems
			c.config.Check(&p, true)
			var got []string
			for _, problem := range p.List {
				text := problem.Attr + ": " + problem.Summary
				if problem.Warning {
					text = "?" + text
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	var p component.Problems
	(&Config{}).Check(&p, false)
	if len(p.List) != 0 {
		t.Errorf("what need not be given is asked for: %v", p.List)
	}
}
