package admin

import (
	"encoding/json"
	"time"
)

// DeadLetter is an event, or one delivery of it, that failed for good and waits
// for an operator. It belongs to a source (Flow is ""), to a step of a flow (Sink
// is "") or to the lane of a flow to a sink.
type DeadLetter struct {
	ID       int64     `json:"id"`
	Event    string    `json:"event"`
	Source   string    `json:"source"`
	Flow     string    `json:"flow"`
	Step     string    `json:"step"`
	Sink     string    `json:"sink"`
	Error    string    `json:"error"` // the latest
	Attempts int       `json:"attempts"`
	Time     time.Time `json:"time"` // of the latest failure

	Since     time.Time `json:"since"`                // of the first failure
	Accepted  time.Time `json:"accepted"`             // of the event
	Place     string    `json:"place,omitempty"`      // of the step or sink, "orders.hcl:14"
	ChildPath string    `json:"child_path,omitempty"` // which way through splits and routes

	Payload json.RawMessage `json:"payload,omitempty"` // the body, JSON; text that could not be parsed is a JSON string
	Meta    json.RawMessage `json:"meta,omitempty"`
	History []Failure       `json:"history,omitempty"` // the latest last
}

// Failure is one failed attempt.
type Failure struct {
	Time  time.Time `json:"time"`
	Error string    `json:"error"`
}

// Filter selects dead letters by address; "" selects all.
type Filter struct {
	Source string `json:"source,omitempty"`
	Flow   string `json:"flow,omitempty"`
	Sink   string `json:"sink,omitempty"`
}

// Selection names dead letters: by their ids, or, with All, all that the filter selects.
type Selection struct {
	IDs []int64 `json:"ids,omitempty"`
	All bool    `json:"all,omitempty"`
	Filter
}

// Outcome tells how many of a selection were acted upon, which ids were no dead
// letters (any more), and what went wrong with others. After maxFailures the rest
// is left alone.
type Outcome struct {
	Done     int       `json:"done"`
	NotFound []int64   `json:"not_found"`
	Failed   []Refusal `json:"failed"`
}

// Refusal says why a dead letter could not be acted upon.
type Refusal struct {
	ID    int64  `json:"id"`
	Error string `json:"error"`
}
