// Package transforms lists the kinds of steps, one file each. Branching,
// batching and waiting are the engine's; what is here turns one event into none,
// one or many, and changes nothing it was given.
package transforms

import (
	"embed"
	"io/fs"

	"github.com/syncd/syncd/engine/component"
)

//go:embed pages
var pages embed.FS

// Kinds lists every kind of step.
func Kinds() []component.Kind {
	kinds := []component.Kind{Filter, Map, Replace, Set, Remove, Split, Decode, Encode}
	for i, k := range kinds {
		page, err := fs.ReadFile(pages, "pages/"+k.Name+".md")
		if err != nil {
			panic(err) // a kind was added without its page
		}
		kinds[i] = k.WithPage(string(page))
	}
	return kinds
}

// one is the result of a step that passes one event on.
func one(e *component.Event) []*component.Event { return []*component.Event{e} }
