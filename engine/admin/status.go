package admin

import "time"

// Status is the daemon as a whole. Counters are durable: they count since the
// state directory was made, over all restarts.
type Status struct {
	Version    string    `json:"version"`
	PID        int       `json:"pid"`
	Started    time.Time `json:"started"`
	Config     string    `json:"config"` // the path it was read from
	StateDir   string    `json:"state_dir"`
	Generation int64     `json:"generation"` // number of the running configuration
	// Stale tells that the files are not what runs, and why; null: they are.
	Stale *Stale `json:"stale"`
	// KeepBy is until when the running configuration must be kept, if it must.
	KeepBy *time.Time `json:"keep_by,omitempty"`
	// NotAccepting says why sources are told to come later; "" when all is well.
	NotAccepting string `json:"not_accepting,omitempty"`

	Journal   JournalStatus    `json:"journal"`
	Listeners []ListenerStatus `json:"listeners"`
	Sources   []SourceStatus   `json:"sources"`
	Flows     []FlowStatus     `json:"flows"`
	Lanes     []LaneStatus     `json:"lanes"`
}

// JournalStatus is the size of the journal's files, in bytes, and its limit.
type JournalStatus struct {
	Bytes    int64 `json:"bytes"`
	MaxBytes int64 `json:"max_bytes"`
}

// ListenerStatus is a listener with what it is really bound to. Refused counts the
// requests that no source takes: an unknown path, a wrong method.
type ListenerStatus struct {
	Address string `json:"address"`
	Listen  string `json:"listen"`
	Refused int64  `json:"refused"`
}

// States of a component or lane.
const (
	Running  = "running"
	Failed   = "failed"   // a source that ended with an error and will be run again
	Disabled = "disabled" // enabled = false
	Stopped  = "stopped"  // a lane whose sink fails for everything: it is probed
	Paused   = "paused"   // a lane that an operator holds
	Orphaned = "orphaned" // its flow or sink is not in the configuration any more
)

// SourceStatus counts the inputs of a source. Accepted leaves duplicates out;
// unrouted are accepted events that no flow took. LastError is why it does not run or,
// of one that works in runs, what the last run failed of.
type SourceStatus struct {
	Address     string     `json:"address"`
	Description string     `json:"description,omitempty"`
	State       string     `json:"state"`
	Accepted    int64      `json:"accepted"`
	Duplicates  int64      `json:"duplicates"`
	Refused     int64      `json:"refused"`
	Unrouted    int64      `json:"unrouted"`
	Dead        int64      `json:"dead"`
	LastEvent   *time.Time `json:"last_event"` // null: none yet
	Stale       bool       `json:"stale"`      // silent for longer than expect_every
	LastError   string     `json:"last_error,omitempty"`
	// Of a source that works in runs: when the next one begins, when the last complete
	// one did, and what else there is to say of them.
	NextRun *time.Time `json:"next_run,omitempty"`
	LastRun *time.Time `json:"last_run,omitempty"`
	Note    string     `json:"note,omitempty"`
}

// FlowStatus counts the events of a flow; Accepted is the sum of the other five.
type FlowStatus struct {
	Address     string `json:"address"`
	Description string `json:"description,omitempty"`
	State       string `json:"state"`
	Accepted    int64  `json:"accepted"`
	Delivered   int64  `json:"delivered"`
	Filtered    int64  `json:"filtered"`
	Dead        int64  `json:"dead"`
	Dropped     int64  `json:"dropped"`
	Pending     int64  `json:"pending"`
}

// LaneStatus is the way of a flow to a sink. Sink is "" for a flow's steps.
type LaneStatus struct {
	Flow      string     `json:"flow"`
	Sink      string     `json:"sink"`
	State     string     `json:"state"`
	Backlog   int64      `json:"backlog"` // events not yet settled
	Bytes     int64      `json:"bytes"`   // their payload
	Waiting   int64      `json:"waiting"` // deliveries that failed and wait for a retry
	Dead      int64      `json:"dead"`
	LastError string     `json:"last_error"`
	NextProbe *time.Time `json:"next_probe,omitempty"` // of a stopped lane
}

// filled is the status with empty lists in place of missing ones: [] in JSON, not null.
func (s Status) filled() Status {
	s.Listeners, s.Sources, s.Flows, s.Lanes = notNil(s.Listeners), notNil(s.Sources), notNil(s.Flows), notNil(s.Lanes)
	return s
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
