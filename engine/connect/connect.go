// Package connect lists the kinds of connections: ways to reach another system
// that sources, steps and sinks share.
package connect

import (
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/connect/mail"
	"github.com/syncd/syncd/engine/connect/sftp"
	"github.com/syncd/syncd/engine/connect/sql"
)

// Kinds lists every kind of connection.
func Kinds() []component.Kind {
	return []component.Kind{http.Kind, mail.IMAP, mail.SMTP, sftp.Kind, sql.Kind}
}
