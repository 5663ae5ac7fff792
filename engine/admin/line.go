package admin

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxReason is how many characters of an error stand in Line.
const maxReason = 120

// Line is the daemon in one line, for a service manager's status: what it does,
// what came of it, and then what is wrong, the worst first.
func (s Status) Line() string {
	var accepted, pending, dead int64
	for _, x := range s.Sources {
		accepted, dead = accepted+x.Accepted, dead+x.Dead
	}
	for _, f := range s.Flows {
		pending, dead = pending+f.Pending, dead+f.Dead
	}
	parts := []string{fmt.Sprintf("running: %s, %s, %s accepted, %s pending",
		plural(len(s.Sources), "source"), plural(len(s.Flows), "flow"), grouped(accepted), grouped(pending))}
	if s.Stale != nil {
		parts[0] = fmt.Sprintf("NOT WHAT THE FILES SAY (generation %d runs): %s; %s", s.Generation, s.Stale.Reason, parts[0])
	}
	if s.KeepBy != nil {
		parts[0] = fmt.Sprintf("GOES BACK at %s unless kept (syncd reload --keep); %s", s.KeepBy.Local().Format(time.TimeOnly), parts[0])
	}
	if s.NotAccepting != "" {
		parts[0] = "NOT ACCEPTING: " + s.NotAccepting + "; " + parts[0]
	}
	parts = append(parts, s.troubles()...)
	if dead > 0 {
		parts = append(parts, grouped(dead)+" dead (see: syncd dead list)")
	}
	return strings.Join(parts, "; ")
}

// troubles names the lanes and sources that are not well: the first of each, and
// how many more.
func (s Status) troubles() (list []string) {
	var lanes, sources []string
	for _, l := range s.Lanes {
		if l.State == Stopped {
			lanes = append(lanes, fmt.Sprintf("lane %s > %s stopped: %s", l.Flow, l.Sink, cut(l.LastError)))
		}
	}
	for _, x := range s.Sources {
		switch {
		case x.State == Failed:
			sources = append(sources, fmt.Sprintf("%s failed: %s", x.Address, cut(x.LastError)))
		case x.LastError != "":
			sources = append(sources, fmt.Sprintf("runs of %s fail: %s", x.Address, cut(x.LastError)))
		case x.Stale:
			sources = append(sources, x.Address+" is silent")
		}
	}
	return append(firstOf(lanes), firstOf(sources)...)
}

func firstOf(list []string) []string {
	if len(list) < 2 {
		return list
	}
	return []string{fmt.Sprintf("%s (and %d more)", list[0], len(list)-1)}
}

// cut shortens an error.
func cut(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= maxReason {
		return s
	}
	return string([]rune(s)[:maxReason-1]) + "…"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// grouped writes thousands as people read them: "12,345".
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
