// Package config turns HCL files into a checked graph of components, with a
// diagnostic for every mistake. It is pure: it reads the files and nothing else.
package config

import (
	"net/netip"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Config is a whole configuration, decoded and checked. Nothing in it refers to
// HCL any more.
type Config struct {
	Daemon      Daemon
	Listeners   []*Listener
	Connections []*Component
	Sources     []*Component // disabled ones included
	Sinks       []*Component
	Flows       []*Flow // disabled ones included
	Moved       []Moved
	Files       []string // of the configuration itself, absolute
}

// Component is a configured source, sink or connection.
type Component struct {
	Address component.Address
	Kind    component.Kind
	Config  any                     // what Kind.NewConfig made, decoded
	Source  *component.SourceCommon // of a source
	Sink    *component.SinkCommon   // of a sink
	Refs    []component.Address     // what it refers to
	Parts   Parts                   // for comparing it with another
	Place   string                  // "orders.hcl:14"
}

// Flow is a configured flow.
type Flow struct {
	Address     component.Address
	Description string
	Enabled     bool
	From        []component.Address // empty: only called by other flows
	Concurrency int                 // unsettled events of a lane
	OrderBy     expr.Expr
	Hold        bool              // events of a dead letter's key wait
	DeadLetter  component.Address // a flow; "": none
	Start       Start
	Body        *Body
	Parts       Parts // for comparing it, and all that runs in its place, with another
	Place       string
}

// Start says where a new flow begins: at events accepted since Back ago, or, with
// Oldest, at the oldest that the journal keeps. Both zero: now.
type Start struct {
	Oldest bool
	Back   time.Duration
}

// Body is a run of steps and where what passes them goes.
type Body struct {
	Steps []Step
	To    []component.Address // sinks and flows; empty in a transform and in a case that goes on below
}

// Step is one step of a Body: a kind with its configuration, or a route, or an
// applied transform.
type Step struct {
	Type  string // "filter", "route", "apply"
	Label string
	Place string // "orders.hcl:14"

	Kind   component.Kind // of a step that is a kind
	Config any

	Cases []Case // of a route, otherwise last (When not set)
	All   bool   // route: every case that matches, not only the first

	Apply *Body // of an applied transform, its steps in place
}

// Case is a branch of a route.
type Case struct {
	Name string // "otherwise" for the last
	When expr.Expr
	Body *Body // one without To goes on below the route
}

// Moved is a rename that keeps state.
type Moved struct {
	From, To component.Address
	Place    string
}

// Listener is a configured listener; the implied one stands here too when a source uses it.
type Listener struct {
	Address        component.Address // listener.http.public
	Listen         string            // host:port
	TrustedProxies []netip.Prefix
	TLS            *TLS
	Place          string
}

// AnyPort tells that the system chooses the port, anew at each start.
func (l *Listener) AnyPort() bool { return strings.HasSuffix(l.Listen, ":0") }

// TLS names the files of a listener's certificate.
type TLS struct{ Cert, Key, ClientCA string }

// Daemon holds the daemon block.
type Daemon struct {
	StateDir      string
	Reload        string
	ShutdownGrace time.Duration
	MaxInFlight   component.Size
	Log           Log
	Journal       Journal
}

// Log says how much is logged, and how.
type Log struct{ Level, Format string }

// Journal bounds the journal.
type Journal struct {
	MaxSize, Backlog component.Size
	Retention        time.Duration
}
