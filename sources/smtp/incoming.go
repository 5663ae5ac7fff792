package smtp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/message"
)

// incoming is a mail on its way to its answer.
type incoming struct {
	*session
	envelope
	held int64 // bytes of the daemon's budget for what is being received
}

// hold takes n bytes of that budget, if there are so many left.
func (m *incoming) hold(n int64) bool {
	if m.source.env.InFlight != nil && !m.source.env.InFlight.TryAcquire(n) {
		return false
	}
	m.held += n
	return true
}

func (m *incoming) release(n int64) {
	if m.source.env.InFlight != nil && n > 0 {
		m.source.env.InFlight.Release(n)
	}
	m.held -= n
}

func (m *incoming) close() { m.release(m.held) }

// take reads the mail and stores it. The answer to a mail that is stored is an
// error, too: go-smtp has no other way to say more than "OK", and the sender's log then
// names the event.
func (m *incoming) take(src io.Reader) error {
	r, err := m.read(src)
	if err != nil {
		return m.fault(err)
	}
	defer r.close()
	if where := r.ends.bare(); where != "" {
		return m.hangUp(answer(550, 5, 5, 2, where+": lines of a mail end with CR LF"), "it sent a "+where+", as smugglers do")
	}
	if !m.hold(r.size * int64(len(m.to)-1)) {
		return m.fault(errBusy)
	}
	auth, refusal := m.judge(r)
	if refusal != nil {
		return m.refuse(refusal)
	}
	if m.limiter != nil && !m.limiter.Allow() {
		return m.refuse(tooMany())
	}
	accepted, err := m.store(r, auth)
	switch {
	case errors.Is(err, errSpool):
		return m.fault(err)
	case err != nil:
		return m.refuse(m.later(err))
	}
	return answer(250, 2, 0, 0, "OK: stored as "+names(accepted))
}

// store makes events of the mail. Of large mails, which are stored in several copies on
// their way to the disk, one has its turn and the others wait in their files.
func (m *incoming) store(r *received, auth *message.Auth) ([]component.Accepted, error) {
	if r.file != nil {
		if err := m.ports.large.Acquire(m.ctx, 1); err != nil {
			return nil, fmt.Errorf("wait for other mails: %w", err)
		}
		defer m.ports.large.Release(1)
		runtime.GC() // what the one before took is free; the heap would grow by as much first
	}
	raw, err := r.whole()
	if err != nil {
		return nil, err
	}
	return m.intake.Accept(m.ctx, component.Batch{Drafts: m.drafts(raw, auth)})
}

func names(accepted []component.Accepted) string {
	var ids []string
	for _, a := range accepted {
		ids = append(ids, a.ID)
	}
	return strings.Join(ids, " ")
}

// fault says to the sender why its mail was not taken.
func (m *incoming) fault(err error) error {
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, smtp.ErrDataTooLarge):
		return m.refuse(answer(552, 5, 3, 4, fmt.Sprintf("a mail may have %d bytes here", m.config.MaxMessage)))
	case errors.Is(err, errBusy):
		return m.refuse(answer(452, 4, 3, 1, "too much is being received at the moment, come again later"))
	case errors.Is(err, errSpool):
		m.quiet.log(m.source.env.Log, slog.LevelError, "large mails cannot be put aside; senders are told to come again", "err", err)
		return m.refuse(answer(452, 4, 3, 1, "no room for the mail at the moment, come again later"))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return m.hangUp(answer(421, 4, 4, 2, "the mail came too slowly"), "it sent too slowly")
	case errors.Is(err, smtp.ErrTooLongLine):
		return m.hangUp(answer(500, 5, 5, 2, fmt.Sprintf("a line may have %d bytes", maxLine)), "it sent a line without end")
	case errors.Is(err, errEndless):
		return m.hangUp(answer(552, 5, 3, 4, "the mail has no end"), errEndless.Error())
	}
	m.source.env.Log.Debug("a mail broke off", "peer", m.conn.peer, "err", err)
	return answer(451, 4, 4, 2, "the mail broke off")
}

// later turns an intake's error into one that passes: whatever it is, nothing was stored
// and the sender still has the mail.
func (m *incoming) later(err error) *smtp.SMTPError {
	var later *component.LaterError
	switch {
	case errors.As(err, &later):
		return answer(452, 4, 3, 1, "not now: "+later.Reason)
	case errors.Is(err, context.Canceled):
		return answer(421, 4, 3, 2, "stopping, come again later")
	}
	m.quiet.log(m.source.env.Log, slog.LevelError, "mails cannot be stored; senders are told to come again", "err", err)
	return answer(451, 4, 3, 0, "the mail could not be stored; nothing of it was kept")
}

// drafts makes an event for each recipient.
func (m *incoming) drafts(raw []byte, auth *message.Auth) []component.Draft {
	about := message.Meta(raw, m.from == "")
	about["sender"] = m.from
	if auth != nil {
		about["auth"] = auth.Meta()
	}
	if m.user != "" {
		about["user"] = m.user
	}
	drafts := make([]component.Draft, len(m.to))
	for i, to := range m.to {
		mail := map[string]any{"recipient": to.address}
		for name, v := range about {
			mail[name] = v
		}
		drafts[i] = component.Draft{ContentType: message.ContentType, Raw: raw, Meta: map[string]any{
			"mail": mail, "params": to.params, "remote_ip": m.conn.peer.String(),
		}}
	}
	return drafts
}

func statusLine(err *smtp.SMTPError) string {
	return fmt.Sprintf("%d %d.%d.%d %s", err.Code, err.EnhancedCode[0], err.EnhancedCode[1], err.EnhancedCode[2], err.Message)
}
