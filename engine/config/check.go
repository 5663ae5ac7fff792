package config

import (
	"fmt"
	"strings"

	"github.com/syncd/syncd/engine/component"
)

// check looks at the configuration as a whole: what no single block can know.
func (l *loader) check() {
	for _, d := range l.components["flow"] {
		l.within(d, func() { l.checkFlow(d) })
	}
	l.merge()
	if l.diags.HasErrors() {
		return // what seems unused may be a consequence
	}
	l.warnUnused(l.called())
	l.warnUnreferred()
	for _, c := range l.constants {
		l.warn(c.at, c.summary, c.detail)
	}
	c := &l.config
	if len(c.Connections)+len(c.Sources)+len(c.Sinks)+len(c.Flows) == 0 {
		l.report(Warning, spot{}, "the configuration is empty", "It declares no source, sink, connection or flow, so that nothing will happen.")
	}
}

func (l *loader) checkFlow(d *declared) {
	if l.index[d.address] != d {
		return
	}
	l.findCycle(d.address, func(w *way) []destination { return w.to }, "flows call one another in a circle")
	for _, to := range l.ways[d.address].to {
		called := l.index[to.address]
		if f, ok := called.result.(*Flow); ok && !f.Enabled {
			l.error(to.at, fmt.Sprintf("%s is disabled", to.address), fmt.Sprintf("enabled = false stands at %s. Events sent there would be lost: enable it or take it out.", called.place()))
		}
	}
}

// called are the sources that flows take, and the sinks and flows that flows lead to.
func (l *loader) called() map[component.Address]bool {
	called := map[component.Address]bool{}
	for _, f := range l.config.Flows {
		for _, from := range f.From {
			called[from] = true
		}
		for _, to := range l.ways[f.Address].to {
			called[to.address] = true
		}
	}
	return called
}

func (l *loader) warnUnused(called map[component.Address]bool) {
	partly := map[*declared]bool{} // blocks of which some component is called
	for address := range called {
		if d := l.index[address]; d.each != nil {
			partly[d.each.of] = true
		}
	}
	unused := func(typ, summary, detail string) {
		for _, d := range l.components[typ] {
			f, isFlow := d.result.(*Flow)
			if called[d.address] || d.result == nil || isFlow && len(f.From) > 0 {
				continue
			}
			address := d.address
			if d.each != nil && !partly[d.each.of] {
				address = address.Base()
			}
			l.within(d, func() {
				l.warn(d.spot(), fmt.Sprintf(summary, blockName(d.block)), strings.ReplaceAll(detail, "ADDRESS", string(address)))
			})
		}
	}
	unused("source", "no flow takes %s", "Its events are stored and go nowhere. Name it in a flow: from = [ADDRESS].")
	unused("sink", "nothing goes to %s", "Name it in a flow: to = [ADDRESS].")
	unused("flow", "nothing comes to %s", "It has no from, and no other flow leads to it.")
}
