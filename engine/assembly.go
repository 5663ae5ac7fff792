package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/intake"
	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/listen"
	"github.com/syncd/syncd/engine/plan"
)

// assembly makes the next graph: what stays is taken from the one that runs, all
// else is opened. Nothing that runs is touched by it.
type assembly struct {
	*engine
	old       *graph
	plan      *plan.Plan
	origins   map[string]string // of flows and sinks, for the ids of deliveries
	graph     *graph
	fresh     []opened // opened for this graph
	ports     []*listen.Listener
	committed time.Time        // when the journal had it on disk
	swapped   time.Time        // when all that changes had changed
	changes   []*listen.Change // of listeners and what they serve

	topology journal.Topology // what the journal will be told
}

// assemble opens what the configuration needs beside the old graph. When it fails,
// nothing is left open.
func (e *engine) assemble(ctx context.Context, r *config.Reading, old *graph, p *plan.Plan, origin string) (a *assembly, err error) {
	a = &assembly{engine: e, old: old, plan: p, graph: &graph{
		cfg: r.Config, reading: r,
		listeners:   map[component.Address]*listen.Listener{},
		connections: map[component.Address]any{},
		sinks:       map[component.Address]*flow.Sink{},
		fields:      map[component.Address][]string{},
		specs:       map[component.Address]flow.Spec{},
		sources:     map[component.Address]*source{},
	}}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.discard())
		}
	}()
	known, err := e.journal.Origins(ctx)
	if err != nil {
		return a, fmt.Errorf("read the names of lanes: %w", err)
	}
	r.Masked() // lets go of what reading took
	if old.reading != nil {
		r.Texts = shared(r.Texts, old.reading.Texts)
	}
	a.origins = journal.NextOrigins(known, moves(r.Config), lanesOf(r.Config))
	for _, step := range []func() error{a.openListeners, a.openConnections, a.makePrograms, a.openSinks, a.checkFlows, a.openSources, a.prepareRoutes} {
		if err := step(); err != nil {
			return a, err
		}
	}
	return a, a.record(ctx, origin)
}

// moves are the renames of the configuration as the journal makes them.
func moves(cfg *config.Config) []journal.Move {
	var list []journal.Move
	for _, m := range cfg.Moved {
		list = append(list, journal.Move{From: string(m.From), To: string(m.To)})
	}
	return list
}

// lanesOf are the addresses of all flows and sinks.
func lanesOf(cfg *config.Config) []string {
	var names []string
	for _, f := range cfg.Flows {
		names = append(names, string(f.Address))
	}
	for _, s := range cfg.Sinks {
		names = append(names, string(s.Address))
	}
	return names
}

// discard closes what was opened for a graph that comes to nothing.
func (a *assembly) discard() error {
	errs := []error{closeAll(a.fresh)}
	for _, l := range a.ports {
		errs = append(errs, l.Shutdown(context.Background()))
	}
	return errors.Join(errs...)
}

// openListeners takes ports that nobody has yet. Where a port stays, what changes
// behind it is prepared.
func (a *assembly) openListeners() error {
	j := a.journal // which outlives the assembly
	for _, c := range a.graph.cfg.Listeners {
		name := string(c.Address)
		lc := listen.Config{
			Name: name, Address: c.Listen, TrustedProxies: c.TrustedProxies,
			Refused: func(n int) { j.Refused(name, n) }, Sockets: a.o.Sockets,
		}
		log := a.log.With("listener", c.Address)
		if c.TLS != nil {
			lc.TLS = &listen.TLS{Cert: c.TLS.Cert, Key: c.TLS.Key, ClientCA: c.TLS.ClientCA}
		}
		if l := a.old.listening(c, lc); l != nil {
			change, err := l.Prepare(lc, log)
			if err != nil {
				return fmt.Errorf("%s: %w", c.Place, err)
			}
			a.graph.listeners[c.Address] = l
			a.changes = append(a.changes, change)
			continue
		}
		l, err := listen.Open(lc, log)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Place, a.old.blames(c, err))
		}
		a.ports = append(a.ports, l)
		a.graph.listeners[c.Address] = l
	}
	return nil
}

// listening is the listener of g that has the port which c asks for, nil if none has.
func (g *graph) listening(c *config.Listener, as listen.Config) *listen.Listener {
	for address, l := range g.listeners {
		if l.Keeps(as) && (address == c.Address || !c.AnyPort()) {
			return l
		}
	}
	return nil
}

// blames says of a port that cannot be taken whether g has it itself: on every
// interface, and one of them is asked for, or the other way round.
func (g *graph) blames(c *config.Listener, err error) error {
	host, port, _ := net.SplitHostPort(c.Listen)
	ip, _ := netip.ParseAddr(host)
	for address, l := range g.listeners {
		has, _ := netip.ParseAddrPort(l.Addr().String())
		if strconv.Itoa(int(has.Port())) == port && (host == "" || ip.IsUnspecified() || has.Addr().IsUnspecified()) {
			return fmt.Errorf("open %s: %s cannot be taken while %s listens on %s: restart the daemon for this change, or take another port", c.Address, c.Listen, address, l.Addr())
		}
	}
	return err
}

func (a *assembly) openConnections() error {
	for _, c := range a.graph.cfg.Connections {
		if is, ok := a.old.connections[c.Address]; ok && a.plan.Keeps(c.Address) {
			a.graph.connections[c.Address] = is
			a.keep(c.Address)
			continue
		}
		is, err := a.open(c)
		if err != nil {
			return err
		}
		a.graph.connections[c.Address] = is
	}
	return nil
}

// keep goes on holding open what the old graph has open at that address.
func (a *assembly) keep(address component.Address) {
	for _, o := range a.old.opened {
		if o.address == address {
			a.graph.opened = append(a.graph.opened, o)
		}
	}
}

func (a *assembly) open(c *config.Component) (any, error) {
	env := a.env(c.Address)
	if c.Source != nil && c.Source.ID.IsSet() {
		env.Remembers = c.Source.DedupeWindow
	}
	is, err := c.Kind.Open(env, c.Config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Place, err)
	}
	if closer, ok := is.(component.Closer); ok {
		o := opened{c.Address, closer}
		a.fresh = append(a.fresh, o)
		a.graph.opened = append(a.graph.opened, o)
	}
	return is, nil
}

func (a *assembly) openSinks() error {
	defer a.awaitSinks()
	for _, c := range a.graph.cfg.Sinks {
		before := a.old.sinks[c.Address]
		if before != nil && a.keepsSink(c.Address) {
			a.graph.sinks[c.Address] = before
			a.keep(c.Address)
			continue
		}
		is, err := a.open(c)
		if err != nil {
			return err
		}
		if user, ok := is.(component.FieldOrder); ok && a.graph.fields[c.Address] != nil {
			user.UseFields(a.graph.fields[c.Address])
		}
		sink := flow.NewSink(c.Address, is.(component.Sink), *c.Sink)
		sink.Origin = component.Address(a.origins[string(c.Address)])
		if from := a.plan.Find(c.Address).From; before == nil && from != "" {
			before = a.old.sinks[from]
		}
		if before != nil {
			sink.After(before)
		}
		a.graph.sinks[c.Address] = sink
	}
	return nil
}

// checkFlows tells of flows that could not run, while nothing has happened yet.
func (a *assembly) checkFlows() error { return flow.Check(a.graph.list(), a.graph.sinks) }

// awaitSinks has each sink that is new begin after those of its kind that leave: they
// may write to the same file, whatever their names.
func (a *assembly) awaitSinks() {
	kinds := map[component.Address]string{}
	for _, c := range a.old.cfg.Sinks {
		kinds[c.Address] = c.Kind.Name
	}
	for _, c := range a.graph.cfg.Sinks {
		is := a.graph.sinks[c.Address]
		if is == nil || a.old.sinks[c.Address] == is {
			continue
		}
		for address, leaves := range a.old.sinks {
			if kinds[address] == c.Kind.Name && a.graph.sinks[address] != leaves {
				is.Await(leaves)
			}
		}
	}
}

// keepsSink tells whether a sink goes on. One that lays out fields in the order of
// the maps before it is another one when that order changes.
func (a *assembly) keepsSink(address component.Address) bool {
	if !a.plan.Keeps(address) {
		return false
	}
	_, lays := a.old.sinks[address].Sink.(component.FieldOrder)
	if !lays || slices.Equal(a.old.fields[address], a.graph.fields[address]) {
		return true
	}
	change := a.plan.Find(address)
	change.Action, change.Reasons = plan.Restart, []string{"the order of its fields changed"}
	return false
}

func (a *assembly) openSources() error {
	for _, c := range a.graph.cfg.Sources {
		if !c.Source.Enabled {
			continue
		}
		if before := a.old.sources[c.Address]; before != nil && a.plan.Keeps(c.Address) {
			a.graph.sources[c.Address] = before
			a.keep(c.Address)
			continue
		}
		is, err := a.open(c)
		if err != nil {
			return err
		}
		o := intake.Options{Source: c.Address, Common: c.Source, Journal: a.journal, Now: now, Records: c.Kind.Records}
		if p, ok := is.(component.Parser); ok {
			o.Parse = p.Parse
		}
		in, err := intake.New(o)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Place, err)
		}
		s := &source{Source: is.(component.Source), Component: c, in: in}
		if m, ok := is.(component.Mounter); ok {
			ref, routes := m.Mount(in)
			s.listener, s.routes = ref.Address, routes
		}
		a.graph.sources[c.Address] = s
	}
	return nil
}

// prepareRoutes checks what each listener is to serve.
func (a *assembly) prepareRoutes() error {
	routes := a.graph.routes()
	for address := range routes {
		if a.graph.listeners[address] == nil {
			return fmt.Errorf("mount routes: no listener %s", address)
		}
	}
	for address, l := range a.graph.listeners {
		change, err := l.PrepareRoutes(routes[address])
		if err != nil {
			return err
		}
		a.changes = append(a.changes, change)
	}
	return nil
}

// env is what the component at addr lives in.
func (a *assembly) env(addr component.Address) component.Env {
	connections := a.graph.connections
	env := component.Env{
		Address: addr,
		Log:     a.log.With("component", addr),
		Now:     now,
		State:   state{a.journal, string(addr)},
		Connection: func(r component.Ref) (any, error) {
			c, ok := connections[r.Address]
			if !ok {
				return nil, fmt.Errorf("%s is not open", r.Address)
			}
			return c, nil
		},
		InFlight: a.bodies,
		Spool:    a.spool,
	}
	if strings.HasPrefix(string(addr), "connection.") {
		env.Store = store{state{a.journal, string(addr)}, a.turns.of(addr)}
	}
	return env
}
