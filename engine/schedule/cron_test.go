package schedule

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func cron(t testing.TB, expression, zone string) *Cron {
	t.Helper()
	c, err := Parse(expression, zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Times are written as clocks in the zone show them, with their offset.
func TestNext(t *testing.T) {
	for _, c := range []struct {
		name, expression, zone, after string
		want                          []string
	}{
		{"a day in between", "30 2 * * *", "Europe/Berlin", "2026-06-01T00:00:00+02:00",
			[]string{"2026-06-01T02:30:00+02:00", "2026-06-02T02:30:00+02:00"}},
		{"no 02:30: the next instant that exists", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"02:30 twice: once", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"asked between the two", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00",
			[]string{"2026-10-26T02:30:00+01:00"}},
		{"several that are left out are one", "0,15,45 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00", "2026-03-29T03:45:00+02:00", "2026-03-30T02:00:00+02:00"}},
		{"every hour makes up for nothing", "30 * * * *", "Europe/Berlin", "2026-03-29T01:00:00+01:00",
			[]string{"2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"}},
		{"every hour goes on through the hour that comes twice", "30 * * * *", "Europe/Berlin", "2026-10-25T01:45:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00"}},
		{"so does every half hour of some hours", "*/30 1-2 * * *", "Europe/Berlin", "2026-10-25T01:15:00+02:00",
			[]string{"2026-10-25T01:30:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-26T01:00:00+01:00"}},
		{"every two hours", "0 */2 * * *", "Europe/Berlin", "2026-10-25T00:30:00+02:00",
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T04:00:00+01:00"}},
		{"Santiago has no midnight", "@daily", "America/Santiago", "2026-09-05T12:00:00-04:00",
			[]string{"2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"}},
		{"Santiago has 23:30 twice", "30 23 * * *", "America/Santiago", "2026-04-04T12:00:00-03:00",
			[]string{"2026-04-04T23:30:00-03:00", "2026-04-05T23:30:00-04:00"}},
		{"half an hour is left out", "10 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:10:00+11:00"}},
		{"half an hour comes twice", "40 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00+11:00",
			[]string{"2026-04-05T01:40:00+11:00", "2026-04-06T01:40:00+10:30"}},
		{"a day that there never was", "0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00-10:00",
			[]string{"2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00"}},
		{"Cairo has no midnight", "0 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00+02:00",
			[]string{"2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"}},
		{"a zone that stands still", "0 9 * * mon", "Asia/Tokyo", "2026-11-25T00:00:00+09:00",
			[]string{"2026-11-30T09:00:00+09:00", "2026-12-07T09:00:00+09:00"}},
		{"seconds", "*/20 0 9 * * *", "UTC", "2026-11-25T08:59:59Z",
			[]string{"2026-11-25T09:00:00Z", "2026-11-25T09:00:20Z", "2026-11-25T09:00:40Z", "2026-11-26T09:00:00Z"}},
		{"the last of February", "0 0 29 2 *", "UTC", "2026-11-25T00:00:00Z", []string{"2028-02-29T00:00:00Z"}},
		{"strictly after", "0 9 * * *", "UTC", "2026-11-25T09:00:00Z", []string{"2026-11-26T09:00:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			schedule, at := cron(t, c.expression, c.zone), moment(t, c.after)
			var got []string
			for range c.want {
				at = schedule.Next(at)
				got = append(got, at.In(schedule.zone).Format(time.RFC3339))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestParse(t *testing.T) {
	for expression, want := range map[string]string{
		"":                        "expected 5 to 6 fields, found 0: []",
		"* * *":                   "expected 5 to 6 fields, found 3: [* * *]",
		"61 * * * *":              "end of range (61) above maximum (59): 61",
		"0 0 * * 7":               "a Sunday is 0 or sun",
		"0 0 * * mond":            `failed to parse int from mond: strconv.Atoi: parsing "mond": invalid syntax`,
		"0 0 30 2 *":              `no day is like "0 0 30 2 *"`,
		"@every 5m":               `for a pace there is every = "5m"`,
		"@sometimes":              "unrecognized descriptor: @sometimes",
		"CRON_TZ=UTC 0 0 * * *":   "the time zone goes into timezone",
		"TZ=Europe/Berlin@hourly": "the time zone goes into timezone",
	} {
		if _, err := Parse(expression, "UTC"); err == nil || err.Error() != want {
			t.Errorf("%q: %v; want %s", expression, err, want)
		}
	}
	if _, err := Parse("@daily", "Europe/Berlim"); err == nil {
		t.Error("a zone that there is not was taken")
	}
}

func TestLatest(t *testing.T) {
	c := cron(t, "30 2 * * *", "UTC")
	from := moment(t, "2026-01-01T02:30:00Z")
	for until, want := range map[string]string{
		"2026-01-02T02:29:59Z": "",
		"2026-01-02T02:30:00Z": "2026-01-02T02:30:00Z",
		"2026-11-25T02:29:59Z": "2026-11-24T02:30:00Z",
		"2025-01-01T00:00:00Z": "",
	} {
		got := ""
		if at := c.latest(from, moment(t, until)); !at.IsZero() {
			got = at.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("until %s: %q, want %q", until, got, want)
		}
	}
}

var zones = []string{
	"Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "America/New_York",
	"Africa/Casablanca", "Asia/Gaza", "America/Sao_Paulo", "Asia/Tehran", "Antarctica/Troll", "Europe/Dublin", "Pacific/Chatham",
	"America/Caracas", "Asia/Pyongyang", "Pacific/Kwajalein", "Europe/Moscow", "America/Havana", "UTC",
}

// TestNextBesideAnOracle compares with a walk over every minute.
func TestNextBesideAnOracle(t *testing.T) {
	rounds := 30
	if os.Getenv("SYNCD_CHECK") != "" {
		rounds = 500
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range rounds {
		zone := zones[r.IntN(len(zones))]
		c := cron(t, anyExpression(r), zone)
		from := turn(r, c.zone).Add(-time.Duration(r.IntN(72*60)) * time.Minute)
		until := from.Add(96 * time.Hour)
		var got []time.Time
		for at := c.Next(from); !at.IsZero() && !at.After(until); at = c.Next(at) {
			got = append(got, at)
		}
		if diff := cmp.Diff(walk(c, from, until), got); diff != "" {
			t.Fatalf("seed %d: %+v in %s from %s:\n%s", seed, c.wall, zone, from.In(c.zone), diff)
		}
	}
}

// turn is a time at which clocks in the zone are put forward or back, if they are.
func turn(r *rand.Rand, zone *time.Location) time.Time {
	at := time.Date(1990+r.IntN(50), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
	if _, end := at.In(zone).ZoneBounds(); !end.IsZero() {
		at = end
	}
	return at.UTC().Truncate(time.Minute)
}

func anyExpression(r *rand.Rand) string {
	pick := func(options ...string) string { return options[r.IntN(len(options))] }
	minute := pick("*", "*/15", "0", "30", fmt.Sprint(r.IntN(60)), "5,35,59", "0-10/5")
	hour := pick("*", "*/2", "0", "2", "23", fmt.Sprint(r.IntN(24)), "1-3", "0,12", "0-23")
	day := pick("*", "*", "*", "*/2", "1-15")
	weekday := pick("*", "*", "*", "mon-fri", "sun")
	return fmt.Sprintf("%s %s %s * %s", minute, hour, day, weekday)
}

// walk is what Next promises, said otherwise: it looks at what clocks show each minute.
func walk(c *Cron, from, until time.Time) []time.Time {
	var due []time.Time
	show := func(t time.Time) time.Time {
		_, offset := t.In(c.zone).Zone()
		return t.Add(time.Duration(offset) * time.Second)
	}
	var asked, next time.Time // nothing matches between the two
	matches := func(shown time.Time) bool {
		if shown.Before(asked) || shown.After(next) {
			asked, next = shown, c.wall.Next(shown.Add(-time.Second))
		}
		return shown.Equal(next)
	}
	begin := from.Add(-lookback)
	reached := show(begin.Add(-time.Minute))
	for t := begin; !t.After(until); t = t.Add(time.Minute) {
		run := false
		for shown := show(t.Add(-time.Minute)).Add(time.Minute); !c.steps && shown.Before(show(t)); shown = shown.Add(time.Minute) {
			run = run || shown.After(reached) && matches(shown)
		}
		run = run || (c.again || show(t).After(reached)) && matches(show(t))
		if run && t.After(from) {
			due = append(due, t)
		}
		if show(t).After(reached) {
			reached = show(t)
		}
	}
	return due
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"30 2 * * *", "*/5 8-20 * * mon-fri", "0 0 0 1 1 ?", "@weekly", "1-2-3 * * * *", "*/0 * * * *", "TZ= x"} {
		f.Add(s)
	}
	now := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expression string) {
		c, err := Parse(expression, "Europe/Berlin")
		if err != nil {
			return
		}
		oddities(expression)
		if at := c.Next(now); !at.IsZero() && !at.After(now) {
			t.Errorf("%q: %s", expression, at)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	c := cron(b, "30 2 * * mon-fri", "Europe/Berlin")
	now := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	for b.Loop() {
		c.Next(now)
	}
}
