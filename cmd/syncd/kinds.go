package main

import (
	"slices"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect"
	"github.com/syncd/syncd/sinks"
	"github.com/syncd/syncd/sources"
	"github.com/syncd/syncd/transforms"
)

// kinds is everything that a configuration can be made of.
func kinds() []component.Kind {
	return slices.Concat(connect.Kinds(), sources.Kinds(), transforms.Kinds(), sinks.Kinds())
}
