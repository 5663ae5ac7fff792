package flow

import (
	"fmt"
	"time"
)

// expired makes d a dead letter if its event is older than the sink's expires allows.
// Nothing is learned of the sink by that. An operator who has had it retried since knew its
// age.
func (l *lane) expired(d *delivery) bool {
	limit := l.sink.Common.Expires
	if limit == 0 || d.ex != nil && d.ex.ex.Since.Sub(d.Event.Time) > limit {
		return false
	}
	age := l.o.Now().Sub(d.Event.Time)
	if age <= limit {
		return false
	}
	d.Attempt-- // there was none
	l.bury(d, fmt.Errorf("expired: accepted %s ago, and the sink's expires is %s", age.Round(time.Second), limit))
	return true
}
