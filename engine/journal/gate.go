package journal

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/syncd/syncd/engine/component"
)

// ports are what appends and counters of refused inputs touch of each source
// without the writer.
type ports struct {
	mu      sync.RWMutex
	byName  map[string]*port
	refused atomic.Bool // some port has refused inputs to store
}

// port is one source's.
type port struct {
	gate    atomic.Pointer[component.LaterError] // set while a flow is too far behind
	refused atomic.Int64
	pace    pace
}

func (p *ports) get(source string) *port {
	p.mu.RLock()
	t := p.byName[source]
	p.mu.RUnlock()
	if t != nil {
		return t
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t = p.byName[source]; t == nil {
		t = &port{pace: pace{moved: make(chan struct{}, 1)}}
		p.byName[source] = t
	}
	return t
}

func (p *ports) all() map[string]*port {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return maps.Clone(p.byName)
}

// ungate opens the gates of sources that m does not know.
func (p *ports) ungate(m *model) {
	for address, port := range p.all() {
		if m.sources[address] == nil {
			port.gate.Store(nil)
		}
	}
}

// Refused implements Journal.
func (j *SQLite) Refused(source string, n int) {
	j.ports.get(j.name(source)).refused.Add(int64(n))
	j.ports.refused.Store(true)
}

// waiting is what the flow's slowest running lane has before it, in bytes; frames
// settled in part count whole.
func (f *flow) waiting() int64 {
	var most int64
	lanes := map[string]int64{}
	for _, d := range f.feeds {
		for _, t := range d.tracks {
			if !t.active || t.low >= d.source.head {
				continue
			}
			lanes[t.sink] += d.source.bytes - t.bytes
			most = max(most, lanes[t.sink])
		}
	}
	return most
}

// regate opens or closes the gates of the sources whose flows moved; nil: of all.
func (w *writer) regate(moved map[*flow]bool) {
	for _, f := range w.model.flows {
		if f.backlog <= 0 && f.behind == 0 || moved != nil && !moved[f] {
			continue
		}
		behind := int64(0)
		if n := f.waiting(); f.backlog > 0 && n > f.backlog {
			behind = n
		}
		if f.behind == behind && moved != nil {
			continue
		}
		f.behind = behind
		for _, d := range f.feeds {
			d.source.regate(w.j.ports.get(d.source.address))
		}
	}
}

// regate sets the source's gate by the first flow that is too far behind.
func (s *source) regate(p *port) {
	for _, d := range s.feeds {
		if d.active && d.flow.behind > 0 {
			p.gate.Store(&component.LaterError{
				Reason: fmt.Sprintf("flow %s is %s behind", d.flow.name, human(d.flow.behind)), After: laterBacklog})
			return
		}
	}
	p.gate.Store(nil)
}
