package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

// oddity is something in a cron expression that is rarely meant.
type oddity struct{ summary, detail string }

// cycles are the fields that a step should divide, counted from the last one.
var cycles = []struct {
	fromEnd, length int
	name, unit      string
}{{6, 60, "minute", "seconds"}, {5, 60, "hour", "minutes"}, {4, 24, "day", "hours"}}

func oddities(expression string) []oddity {
	fields := strings.Fields(expression)
	if len(fields) < 5 {
		return nil
	}
	var odd []oddity
	for _, c := range cycles {
		if len(fields) < c.fromEnd {
			continue
		}
		text, ok := strings.CutPrefix(fields[len(fields)-c.fromEnd], "*/")
		step, err := strconv.Atoi(text)
		if ok && err == nil && c.length%step != 0 {
			odd = append(odd, oddity{
				fmt.Sprintf("*/%d is not every %d %s", step, step, c.unit),
				fmt.Sprintf(`It counts anew with each %s. For a steady pace write every = "…" instead.`, c.name),
			})
		}
	}
	if day, weekday := fields[len(fields)-3], fields[len(fields)-1]; !open(day) && !open(weekday) {
		odd = append(odd, oddity{
			"day of month and weekday together",
			fmt.Sprintf("As in every cron, it runs on days that are %s of the month, and also on each %s, not only on days that are both.", day, weekday),
		})
	}
	return odd
}

// open tells whether the field leaves its day open.
func open(field string) bool { return field[0] == '*' || field[0] == '?' }
