package expr

import (
	"math"
	"strings"
	"sync"
	"time"
)

var timeFunctions = map[string]*function{
	"now":        {args: []kind{kZone}, min: 0, result: kTime, quick: true, run: now},
	"date":       {args: []kind{kText | kTime | kZone, kText, kText, kText}, min: 1, result: kTime, prepare: prepareTime(2), run: date},
	"duration":   {args: []kind{kText}, min: 1, result: kDuration, run: duration},
	"timezone":   {args: []kind{kText}, min: 1, result: kZone, prepare: prepareZone(0), run: timezone},
	"formatTime": {args: []kind{kTime | kText, kText, kText}, min: 2, result: kText, prepare: prepareTime(2), run: formatTime},
}

// now is when the event was accepted, whatever the attempt.
func now(m *machine, _ *callNode, a []any) any {
	if len(a) == 1 {
		return m.in.Event.Time.In(a[0].(*time.Location))
	}
	return m.in.Event.Time
}

// dateLayouts are what a date may look like when no layout is given.
var dateLayouts = []string{
	time.RFC3339, time.DateOnly, time.DateTime, "2006-01-02T15:04:05", time.TimeOnly,
	time.RFC822, time.RFC850, time.RFC1123, time.RFC1123Z,
}

// date reads a time: date(text), date(text, layout), date(text, layout, zone),
// each also with a timezone(…) in front. Without a zone in text or call it is UTC.
func date(m *machine, n *callNode, a []any) any {
	zone, rest := time.UTC, a
	if z, ok := a[0].(*time.Location); ok {
		zone, rest = z, a[1:]
	}
	if len(rest) == 0 {
		n.fail(m, "a text is missing after the time zone")
	}
	if t, ok := rest[0].(time.Time); ok {
		return t
	}
	s := rest[0].(string)
	if len(rest) == 3 {
		zone = n.zone(m, rest[2].(string))
	}
	t, ok := readTime(s, text(rest, 1, ""), zone)
	if !ok {
		n.fail(m, "%q is not a date", shorten(s))
	}
	return t
}

func readTime(s, layout string, zone *time.Location) (time.Time, bool) {
	if layout != "" {
		t, err := time.ParseInLocation(layout, s, zone)
		return t, err == nil
	}
	for _, l := range dateLayouts {
		if t, err := time.ParseInLocation(l, s, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func duration(m *machine, n *callNode, a []any) any {
	d, err := time.ParseDuration(a[0].(string))
	if err != nil {
		n.fail(m, "%q is not a duration such as '1h30m'", shorten(a[0].(string)))
	}
	m.exotic = true
	return d
}

func timezone(m *machine, n *callNode, a []any) any {
	m.exotic = true
	return n.zone(m, a[0].(string))
}

// zones keeps time zones that were read from the system, of which there are a few hundred.
var zones sync.Map

func loadZone(name string) (*time.Location, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), nil
	}
	if name == "Local" { // would depend on the machine
		name = "UTC"
	}
	z, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, z)
	}
	return z, err
}

func (n *callNode) zone(m *machine, name string) *time.Location {
	m.step(1000, n.at) // a name that is not known yet is looked for on disk
	z, err := loadZone(name)
	if err != nil {
		n.fail(m, "%q is not a time zone", shorten(name))
	}
	return z
}

// prepareZone reports a literal time zone that does not exist.
func prepareZone(arg int) func(c *compiler, n *callNode, args []value) {
	return func(c *compiler, n *callNode, args []value) {
		if arg >= len(args) {
			return
		}
		k, _ := literalOf(args[arg])
		name, ok := k.(string)
		if !ok {
			return
		}
		if _, err := loadZone(name); err != nil && (n.name != "date" || args[0].kind != kZone) {
			c.errorAt(args[arg].at, "write one such as 'UTC' or 'Europe/Berlin'", "%q is not a time zone", name)
		}
	}
}

// prepareTime is prepareZone for a call with a layout before the zone: one that
// names no part of a time is surely in the notation of another language.
func prepareTime(zone int) func(c *compiler, n *callNode, args []value) {
	return func(c *compiler, n *callNode, args []value) {
		prepareZone(zone)(c, n, args)
		if len(args) < 2 || args[0].kind == kZone {
			return
		}
		k, _ := literalOf(args[1])
		layout, ok := k.(string)
		if !ok || layout == "" || someTime.Format(layout) != otherTime.Format(layout) {
			return
		}
		hint := "Go's layouts show the moment 2006-01-02 15:04:05"
		if s := goLayout(layout); s != layout {
			hint = "write '" + s + "'"
		}
		c.errorAt(args[1].at, hint, "the layout %s names no part of a time", c.quote(args[1].at))
	}
}

// Two times that differ in all their parts.
var (
	someTime  = time.Date(2021, 3, 4, 5, 7, 8, 123456789, time.FixedZone("XST", 3600))
	otherTime = time.Date(1999, 11, 23, 18, 29, 31, 987654321, time.FixedZone("YST", -7200))
)

// goLayout writes a layout of strftime, or one of YYYY-MM-DD's kind, as Go does.
func goLayout(layout string) string {
	for _, r := range []*strings.Replacer{strftime, letters} {
		if s := r.Replace(layout); s != layout {
			return s
		}
	}
	return layout
}

var (
	strftime = strings.NewReplacer("%Y", "2006", "%y", "06", "%m", "01", "%d", "02", "%H", "15", "%I", "03", "%M", "04", "%S", "05",
		"%p", "PM", "%z", "-0700", "%Z", "MST", "%b", "Jan", "%B", "January", "%a", "Mon", "%A", "Monday", "%F", "2006-01-02", "%T", "15:04:05", "%j", "002")
	letters = strings.NewReplacer("YYYY", "2006", "yyyy", "2006", "YY", "06", "yy", "06", "MM", "01", "DD", "02", "dd", "02",
		"HH", "15", "hh", "03", "mm", "04", "ss", "05", "SSS", "000", "'T'", "T")
)

// formatTime writes a time, or a text that date() can read, in Go's layout; in
// UTC unless a zone is named.
func formatTime(m *machine, n *callNode, a []any) any {
	t, _ := a[0].(time.Time)
	if s, isText := a[0].(string); isText {
		var ok bool
		if t, ok = readTime(s, "", time.UTC); !ok {
			n.fail(m, "%q is not a date", shorten(s))
		}
	}
	zone := time.UTC
	if len(a) == 3 {
		zone = n.zone(m, a[2].(string))
	}
	return n.formatted(m, t.In(zone), a[1].(string))
}

func (n *callNode) formatted(m *machine, t time.Time, layout string) any {
	m.take(4*len(layout), n.at)
	return t.Format(layout)
}

// methods are what times and durations offer beside functions, by Go's names.
var methods = map[string]*function{
	"Year":         timeMethod(func(t time.Time) any { return int64(t.Year()) }, kInt),
	"Month":        timeMethod(func(t time.Time) any { return int64(t.Month()) }, kInt),
	"Day":          timeMethod(func(t time.Time) any { return int64(t.Day()) }, kInt),
	"Hour":         timeMethod(func(t time.Time) any { return int64(t.Hour()) }, kInt),
	"Minute":       timeMethod(func(t time.Time) any { return int64(t.Minute()) }, kInt),
	"Second":       timeMethod(func(t time.Time) any { return int64(t.Second()) }, kInt),
	"Nanosecond":   timeMethod(func(t time.Time) any { return int64(t.Nanosecond()) }, kInt),
	"Weekday":      timeMethod(func(t time.Time) any { return int64(t.Weekday()) }, kInt),
	"YearDay":      timeMethod(func(t time.Time) any { return int64(t.YearDay()) }, kInt),
	"Unix":         timeMethod(func(t time.Time) any { return t.Unix() }, kInt),
	"UnixMilli":    timeMethod(func(t time.Time) any { return t.UnixMilli() }, kInt),
	"UTC":          timeMethod(func(t time.Time) any { return t.UTC() }, kTime),
	"Format":       {args: []kind{kTime, kText}, min: 2, result: kText, run: timeFormat},
	"In":           {args: []kind{kTime, kZone}, min: 2, result: kTime, run: timeIn},
	"Add":          {args: []kind{kTime, kDuration}, min: 2, result: kTime, run: timeAdd},
	"Sub":          {args: []kind{kTime, kTime}, min: 2, result: kDuration, run: timeSub},
	"AddDate":      {args: []kind{kTime, kNumber, kNumber, kNumber}, min: 4, result: kTime, run: timeAddDate},
	"Truncate":     {args: []kind{kTime, kDuration}, min: 2, result: kTime, run: timeTruncate},
	"Before":       {args: []kind{kTime, kTime}, min: 2, result: kBool, run: timeOrder(-1)},
	"After":        {args: []kind{kTime, kTime}, min: 2, result: kBool, run: timeOrder(1)},
	"Equal":        {args: []kind{kTime, kTime}, min: 2, result: kBool, run: timeOrder(0)},
	"Hours":        durationMethod(func(d time.Duration) any { return d.Hours() }, kFloat),
	"Minutes":      durationMethod(func(d time.Duration) any { return d.Minutes() }, kFloat),
	"Seconds":      durationMethod(func(d time.Duration) any { return d.Seconds() }, kFloat),
	"Milliseconds": durationMethod(func(d time.Duration) any { return d.Milliseconds() }, kInt),
	"Nanoseconds":  durationMethod(func(d time.Duration) any { return d.Nanoseconds() }, kInt),
}

func timeMethod(f func(time.Time) any, result kind) *function {
	return &function{args: []kind{kTime}, min: 1, result: result, run: func(_ *machine, _ *callNode, a []any) any {
		return f(a[0].(time.Time))
	}}
}

func durationMethod(f func(time.Duration) any, result kind) *function {
	return &function{args: []kind{kDuration}, min: 1, result: result, run: func(_ *machine, _ *callNode, a []any) any {
		return f(a[0].(time.Duration))
	}}
}

func timeFormat(m *machine, n *callNode, a []any) any {
	return n.formatted(m, a[0].(time.Time), a[1].(string))
}

func timeIn(_ *machine, _ *callNode, a []any) any {
	return a[0].(time.Time).In(a[1].(*time.Location))
}

func timeAdd(_ *machine, _ *callNode, a []any) any {
	return a[0].(time.Time).Add(a[1].(time.Duration))
}

func timeSub(m *machine, _ *callNode, a []any) any {
	m.exotic = true
	return a[0].(time.Time).Sub(a[1].(time.Time))
}

func timeAddDate(m *machine, n *callNode, a []any) any {
	var by [3]int
	for i := range by {
		x := n.whole(m, a, i+1)
		if x != int64(int32(x)) {
			n.fail(m, "%d %s", x, "is too far")
		}
		by[i] = int(x)
	}
	return a[0].(time.Time).AddDate(by[0], by[1], by[2])
}

func timeTruncate(_ *machine, _ *callNode, a []any) any {
	return a[0].(time.Time).Truncate(max(a[1].(time.Duration), math.MinInt64+1))
}

func timeOrder(sign int) func(*machine, *callNode, []any) any {
	return func(_ *machine, _ *callNode, a []any) any {
		return a[0].(time.Time).Compare(a[1].(time.Time)) == sign
	}
}
