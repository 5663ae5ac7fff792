// Package plan compares two configurations: what a reload starts, stops, restarts
// and keeps, and what becomes of state. It is pure.
package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
)

// Action is what happens to a component.
type Action string

// The actions. A listener that is adjusted keeps its port and its connections.
const (
	Start   Action = "start"
	Stop    Action = "stop"
	Restart Action = "restart"
	Adjust  Action = "adjust"
	Keep    Action = "keep"
)

// Change is what happens to one component, and why.
type Change struct {
	Address component.Address `json:"address"`
	Action  Action            `json:"action"`
	Reasons []string          `json:"reasons"`         // "path changed", "connection.http.crm restarts"
	State   string            `json:"state,omitempty"` // what becomes of its state
	From    component.Address `json:"from,omitempty"`  // where it was, if it moved
	// Reset tells of a source whose checkpoint starts over.
	Reset bool `json:"reset,omitempty"`
}

// Plan is all that lies between two configurations.
type Plan struct {
	// Changes has an entry for each component of either, in the order listeners,
	// connections, sources, flows, sinks.
	Changes []Change `json:"changes"`
	// Daemon are the attributes of the daemon block that change at once, Fixed those
	// that need a start of the daemon.
	Daemon []string `json:"daemon,omitempty"`
	Fixed  []string `json:"fixed,omitempty"`
}

// Find is the change of the component at that address, which it has afterwards, or
// had if it goes.
func (p *Plan) Find(address component.Address) *Change {
	for i := range p.Changes {
		if p.Changes[i].Address == address {
			return &p.Changes[i]
		}
	}
	return nil
}

// Keeps tells whether the component at that address goes on untouched.
func (p *Plan) Keeps(address component.Address) bool {
	c := p.Find(address)
	return c != nil && c.Action == Keep
}

// Empty tells whether nothing changes.
func (p *Plan) Empty() bool {
	return len(p.Daemon)+len(p.Fixed) == 0 && !slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Action != Keep || c.From != "" })
}

// Count is how many components have the action.
func (p *Plan) Count(a Action) int {
	n := 0
	for _, c := range p.Changes {
		if c.Action == a {
			n++
		}
	}
	return n
}

// Summary is the plan in one line: "1 start, 2 restart, 40 keep".
func (p *Plan) Summary() string {
	var parts []string
	for _, a := range []Action{Start, Stop, Restart, Adjust, Keep} {
		if n := p.Count(a); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, a))
		}
	}
	if len(p.Daemon) > 0 {
		parts = append(parts, "daemon: "+strings.Join(p.Daemon, ", "))
	}
	return strings.Join(parts, ", ")
}

// Between plans the way from old to its successor next. An old of nil is a daemon
// that starts.
func Between(old, next *config.Config) *Plan {
	if old == nil {
		old = &config.Config{Daemon: next.Daemon}
	}
	c := comparison{old: old, next: next, from: renames(old, next), restarts: map[component.Address]bool{}}
	c.daemon()
	c.listeners()
	c.components(old.Connections, next.Connections, "")
	c.components(old.Sources, next.Sources, "")
	c.flows()
	c.components(old.Sinks, next.Sinks, "what waits for it goes to the new one")
	return &c.plan
}

// comparison is a plan being made.
type comparison struct {
	old, next *config.Config
	from      map[component.Address]component.Address // of what moved: new address to old
	restarts  map[component.Address]bool              // connections
	plan      Plan
}

// renames are the moves that have not been made yet.
func renames(old, next *config.Config) map[component.Address]component.Address {
	had := map[component.Address]bool{}
	for _, c := range slices.Concat(old.Sources, old.Sinks) {
		had[c.Address] = true
	}
	for _, f := range old.Flows {
		had[f.Address] = true
	}
	from := map[component.Address]component.Address{}
	for _, m := range next.Moved {
		if had[m.From] && !had[m.To] {
			from[m.To] = m.From
		}
	}
	return from
}

func (c *comparison) daemon() {
	a, b := c.old.Daemon, c.next.Daemon
	differ := func(into *[]string, changed bool, name string) {
		if changed {
			*into = append(*into, name)
		}
	}
	differ(&c.plan.Fixed, a.StateDir != b.StateDir, "state_dir")
	differ(&c.plan.Daemon, a.Reload != b.Reload, "reload")
	differ(&c.plan.Daemon, a.ShutdownGrace != b.ShutdownGrace, "shutdown_grace")
	differ(&c.plan.Daemon, a.MaxInFlight != b.MaxInFlight, "max_in_flight")
	differ(&c.plan.Daemon, a.Log != b.Log, "log")
	differ(&c.plan.Daemon, a.Journal != b.Journal, "journal")
}

func (c *comparison) listeners() {
	had := map[component.Address]*config.Listener{}
	for _, l := range c.old.Listeners {
		had[l.Address] = l
	}
	for _, l := range c.next.Listeners {
		before := had[l.Address]
		delete(had, l.Address)
		switch {
		case before == nil:
			c.add(Change{Address: l.Address, Action: Start, Reasons: []string{"new"}})
		case before.Listen != l.Listen:
			c.add(Change{Address: l.Address, Action: Restart, Reasons: []string{fmt.Sprintf("address changed from %s to %s", before.Listen, l.Listen)}})
		default:
			c.add(adjusted(before, l))
		}
	}
	for _, l := range c.old.Listeners {
		if had[l.Address] != nil {
			c.add(Change{Address: l.Address, Action: Stop, Reasons: []string{"gone"}})
		}
	}
}

func adjusted(before, l *config.Listener) Change {
	change := Change{Address: l.Address, Action: Keep}
	if !slices.Equal(before.TrustedProxies, l.TrustedProxies) {
		change.Reasons = append(change.Reasons, "trusted_proxies changed")
	}
	if (before.TLS == nil) != (l.TLS == nil) || l.TLS != nil && *before.TLS != *l.TLS {
		change.Reasons = append(change.Reasons, "tls changed")
	}
	if change.Reasons != nil {
		change.Action, change.State = Adjust, "its port stays open"
	}
	return change
}

// components compares connections, sources or sinks.
func (c *comparison) components(old, next []*config.Component, restarted string) {
	had := map[component.Address]*config.Component{}
	for _, x := range old {
		if isEnabled(x) {
			had[x.Address] = x
		}
	}
	for _, x := range next {
		if !isEnabled(x) {
			continue
		}
		change := Change{Address: x.Address, Action: Keep, From: c.from[x.Address]}
		before := had[cmp.Or(change.From, x.Address)]
		delete(had, cmp.Or(change.From, x.Address))
		if before == nil {
			c.add(Change{Address: x.Address, Action: Start, Reasons: []string{c.newReason(x.Address, old)}})
			continue
		}
		c.compare(&change, before, x, restarted)
		c.add(change)
	}
	for _, x := range old {
		if had[x.Address] == nil {
			continue
		}
		change := Change{Address: x.Address, Action: Stop, Reasons: []string{"gone"}}
		if isDisabled(next, x.Address) {
			change.Reasons = []string{"disabled"}
		}
		switch x.Kind.Class {
		case component.ClassSource:
			change.State = "its checkpoint and counters stay"
		case component.ClassSink:
			change.State = "its lanes keep their place, and every new event, until it is back or syncd lane drop"
		}
		c.add(change)
	}
}

func isEnabled(x *config.Component) bool { return x.Source == nil || x.Source.Enabled }

func isDisabled(list []*config.Component, address component.Address) bool {
	return slices.ContainsFunc(list, func(x *config.Component) bool { return x.Address == address && !isEnabled(x) })
}

func (c *comparison) newReason(address component.Address, old []*config.Component) string {
	if isDisabled(old, address) {
		return "enabled"
	}
	return "new"
}

func (c *comparison) compare(change *Change, before, x *config.Component, restarted string) {
	var reset []string
	if change.From != "" {
		change.Action, change.Reasons = Restart, []string{fmt.Sprintf("moved from %s", change.From)}
		change.State = "its state comes along"
	}
	for _, name := range before.Parts.Differ(x.Parts) {
		change.Reasons = append(change.Reasons, name+" changed")
		if slices.Contains(x.Identity(), name) {
			reset = append(reset, name)
		}
	}
	for _, ref := range x.Refs {
		if c.restarts[ref] {
			change.Reasons = append(change.Reasons, fmt.Sprintf("%s restarts", ref))
		}
	}
	if len(change.Reasons) == 0 {
		return
	}
	change.Action = Restart
	switch x.Kind.Class {
	case component.ClassConnection:
		c.restarts[x.Address] = true
	case component.ClassSource:
		if len(reset) > 0 {
			change.Reset, change.State = true, fmt.Sprintf("its checkpoint starts over, since %s says what it counts", strings.Join(reset, " and "))
		} else if change.State == "" {
			change.State = "its checkpoint stays"
		}
	case component.ClassSink:
		if change.State == "" {
			change.State = restarted
		}
	}
}

func (c *comparison) flows() {
	had := map[component.Address]*config.Flow{}
	for _, f := range c.old.Flows {
		if f.Enabled {
			had[f.Address] = f
		}
	}
	for _, f := range c.next.Flows {
		if !f.Enabled {
			continue
		}
		change := Change{Address: f.Address, Action: Keep, From: c.from[f.Address]}
		before := had[cmp.Or(change.From, f.Address)]
		delete(had, cmp.Or(change.From, f.Address))
		if before == nil {
			c.add(Change{Address: f.Address, Action: Start, Reasons: []string{"new"}})
			continue
		}
		if change.From != "" {
			change.Reasons, change.State = []string{fmt.Sprintf("moved from %s", change.From)}, "its state comes along"
		}
		for _, name := range before.Parts.Differ(f.Parts) {
			change.Reasons = append(change.Reasons, name+" changed")
		}
		if change.Reasons != nil {
			change.Action = Restart
			change.State = cmp.Or(change.State, "what has begun is finished, all else takes the new steps")
		}
		c.add(change)
	}
	for _, f := range c.old.Flows {
		if had[f.Address] == nil {
			continue
		}
		reason := "gone"
		if slices.ContainsFunc(c.next.Flows, func(n *config.Flow) bool { return n.Address == f.Address }) {
			reason = "disabled"
		}
		c.add(Change{Address: f.Address, Action: Stop, Reasons: []string{reason}, State: "its lanes keep their place, and every new event, until it is back or syncd lane drop"})
	}
}

func (c *comparison) add(change Change) { c.plan.Changes = append(c.plan.Changes, change) }
