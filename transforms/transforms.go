// Package transforms lists the kinds of steps, one file each. Branching,
// batching and waiting are the engine's; what is here turns one event into none,
// one or many, and changes nothing it was given.
package transforms

import "github.com/syncd/syncd/engine/component"

// Kinds lists every kind of step.
func Kinds() []component.Kind {
	return []component.Kind{Filter, Map, Replace, Set, Remove, Split}
}

// one is the result of a step that passes one event on.
func one(e *component.Event) []*component.Event { return []*component.Event{e} }
