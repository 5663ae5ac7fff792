// Package sinks lists the kinds of sinks.
package sinks

import (
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/sinks/files"
	"github.com/syncd/syncd/sinks/http"
	"github.com/syncd/syncd/sinks/log"
)

// Kinds lists every kind of sink.
func Kinds() []component.Kind {
	return []component.Kind{files.Kind, http.Kind, log.Kind}
}
