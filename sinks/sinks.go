// Package sinks lists the kinds of sinks.
package sinks

import (
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/sinks/email"
	"github.com/syncd/syncd/sinks/exec"
	"github.com/syncd/syncd/sinks/files"
	"github.com/syncd/syncd/sinks/http"
	"github.com/syncd/syncd/sinks/log"
	"github.com/syncd/syncd/sinks/sql"
)

// Kinds lists every kind of sink.
func Kinds() []component.Kind {
	return []component.Kind{email.Kind, exec.Kind, files.Kind, http.Kind, log.Kind, sql.Kind}
}
