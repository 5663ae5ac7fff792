// Package sources is the list of the kinds of source. A new kind is its package
// and one line here.
package sources

import (
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/sources/files"
	"github.com/syncd/syncd/sources/imap"
	"github.com/syncd/syncd/sources/poll"
	"github.com/syncd/syncd/sources/schedule"
	"github.com/syncd/syncd/sources/smtp"
	"github.com/syncd/syncd/sources/sql"
	"github.com/syncd/syncd/sources/webhook"
)

// Kinds are all kinds of source.
func Kinds() []component.Kind {
	return []component.Kind{
		poll.Kind(),
		files.Kind(),
		imap.Kind(),
		schedule.Kind(),
		smtp.Kind(),
		sql.Kind(),
		webhook.Kind(),
	}
}
