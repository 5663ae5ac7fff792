package config

import (
	"fmt"

	"github.com/syncd/syncd/engine/component"
)

// elsewhere tells whether the component's files are not on this machine.
func (d *decoding) elsewhere() bool {
	return d.own.block != nil && d.own.block.Body.Attributes["connection"] != nil
}

func (d *decoding) relative(f *field, path string, at spot) {
	d.error(at, f.name+" begins with /", fmt.Sprintf("At a connection there is no directory that a path could be relative to: write it from the root as the server shows it, %q perhaps.", "/"+path))
}

// leads is the way from a connection to those through which it goes.
func (d *decoding) leads() *way {
	w := &way{}
	for _, ref := range d.refs {
		w.to = append(w.to, destination{ref.address, ref.at})
	}
	return w
}

// orderConnections puts each connection behind those through which it goes.
func (l *loader) orderConnections() {
	byAddress := map[component.Address]*Component{}
	for _, c := range l.config.Connections {
		byAddress[c.Address] = c
		l.findCycle(c.Address, func(w *way) []destination { return w.to }, "connections go through one another in a circle")
	}
	var ordered []*Component
	var put func(*Component)
	put = func(c *Component) {
		if c == nil || byAddress[c.Address] == nil {
			return
		}
		delete(byAddress, c.Address)
		for _, ref := range c.Refs {
			put(byAddress[ref])
		}
		ordered = append(ordered, c)
	}
	for _, c := range l.config.Connections {
		put(c)
	}
	l.config.Connections = ordered
}
