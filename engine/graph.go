package engine

import (
	"errors"
	"slices"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/listen"
)

// graph is a configuration with all that it opened. It never changes: a reload
// assembles the next one beside it, which shares with it what stays.
type graph struct {
	cfg        *config.Config
	reading    *config.Reading // nil before the first
	generation int64

	listeners   map[component.Address]*listen.Listener
	connections map[component.Address]any
	sinks       map[component.Address]*flow.Sink
	fields      map[component.Address][]string // the order that each sink was told
	specs       map[component.Address]flow.Spec
	sources     map[component.Address]*source
	opened      []opened // in the order of opening
}

// opened is something that a graph holds open.
type opened struct {
	address component.Address
	is      component.Closer
}

// closeAll closes what is open, the last opened first.
func closeAll(list []opened) error {
	var errs []error
	for _, o := range slices.Backward(list) {
		errs = append(errs, o.is.Close())
	}
	return errors.Join(errs...)
}

// without are the things that g holds open and next does not.
func (g *graph) without(next *graph) []opened {
	return slices.DeleteFunc(slices.Clone(g.opened), func(o opened) bool { return slices.Contains(next.opened, o) })
}

// serves tells whether l is a listener of g.
func (g *graph) serves(l *listen.Listener) bool {
	for _, is := range g.listeners {
		if is == l {
			return true
		}
	}
	return false
}

// mounted are the routes of its sources, in the order of the configuration.
func (g *graph) mounted() []Mounted {
	var all []Mounted
	for _, c := range g.cfg.Sources {
		s := g.sources[c.Address]
		if s == nil {
			continue
		}
		for _, r := range s.routes {
			all = append(all, Mounted{Source: c.Address, Listener: s.listener, Methods: r.Methods, Path: r.Path})
		}
	}
	return all
}

// routes are those that each listener serves.
func (g *graph) routes() map[component.Address][]component.Route {
	all := map[component.Address][]component.Route{}
	for _, c := range g.cfg.Sources {
		if s := g.sources[c.Address]; s != nil && s.routes != nil {
			all[s.listener] = append(all[s.listener], s.routes...)
		}
	}
	return all
}

// list are the flows to run, in the order of the configuration.
func (g *graph) list() []flow.Spec {
	var specs []flow.Spec
	for _, f := range g.cfg.Flows {
		if s, ok := g.specs[f.Address]; ok {
			specs = append(specs, s)
		}
	}
	return specs
}
