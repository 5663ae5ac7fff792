package config

import (
	"fmt"

	"github.com/syncd/syncd/engine/component"
)

type transformConfig struct {
	Description string `hcl:"description" doc:"A note for people; nothing depends on it."`
}

// decodeTransforms decodes each transform once; flows that apply it share its steps.
func (l *loader) decodeTransforms() {
	blocks := l.blocks["transform"]
	for i := range blocks {
		blocks[i].result = &Body{}
	}
	for i := range blocks {
		d := &blocks[i]
		dec := l.decoding(d.file, "in "+blockName(d.block), flowNames...)
		dec.fill(d.block, "", l.stepTypes(), &transformConfig{})
		body, w := dec.steps(d.block)
		*d.result.(*Body) = *body
		l.ways[d.address] = w
		for _, to := range w.to {
			l.error(to.at, "to in a transform", "A transform is a run of steps that flows apply. Where events go is said in the flow.")
		}
	}
	for i := range blocks {
		l.findCycle(blocks[i].address, func(w *way) []destination { return w.applied }, "transform applies itself")
	}
}

// findCycle reports a way that leads back to start, where it sets out.
func (l *loader) findCycle(start component.Address, next func(*way) []destination, summary string) {
	if l.inCycle[start] {
		return
	}
	visited := map[component.Address]bool{}
	var walk func(at component.Address, path []string) bool
	walk = func(at component.Address, path []string) bool {
		w := l.ways[at]
		if w == nil || visited[at] {
			return false
		}
		visited[at] = true
		for _, to := range next(w) {
			path := append(path, string(to.address))
			if to.address != start {
				if walk(to.address, path) {
					l.inCycle[to.address] = true
					return true
				}
				continue
			}
			l.inCycle[start] = true
			l.error(to.at, summary, fmt.Sprintf("%s.", cyclePath(path)))
			return true
		}
		return false
	}
	walk(start, []string{string(start)})
}
