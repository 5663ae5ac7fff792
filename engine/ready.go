package engine

import (
	"net"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
)

// Ready tells where a daemon that has just started can be reached.
type Ready struct {
	StateDir  string
	Socket    string // of the admin API
	Listeners []Listening
	Routes    []Mounted // in the order of the configuration
}

// Listening is an open listener; Addr is what it is really bound to.
type Listening struct {
	Address component.Address
	Addr    net.Addr
	TLS     bool
}

// Mounted is a path on which a listener serves a source.
type Mounted struct {
	Source, Listener component.Address
	Methods          []string
	Path             string // a net/http pattern without method
}

func (e *engine) ready() Ready {
	g := e.graph.Load()
	r := Ready{StateDir: e.dir, Socket: admin.SocketPath(e.dir), Routes: g.mounted()}
	for _, c := range g.cfg.Listeners {
		r.Listeners = append(r.Listeners, Listening{Address: c.Address, Addr: g.listeners[c.Address].Addr(), TLS: c.TLS != nil})
	}
	return r
}
