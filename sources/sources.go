// Package sources is the list of the kinds of source. A new kind is its package
// and one line here.
package sources

import (
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/sources/webhook"
)

// Kinds are all kinds of source.
func Kinds() []component.Kind {
	return []component.Kind{
		webhook.Kind(),
	}
}
