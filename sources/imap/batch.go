package imap

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/emersion/go-imap/v2"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/message"
)

// batch is mails that are read and committed together.
type batch struct {
	*visit
	fitting uids
	known   map[string][]acquaintance // nil: all are new
	sizes   map[imap.UID]int64

	mails  map[imap.UID]fetched
	faults map[imap.UID]error // of mails that the server does not hand out
	drafts []component.Draft
	// refusals are why mails become no event, for people.
	refusals []string
}

// take reads mails, and commits what they become with the place behind them.
func (b *batch) take(ctx context.Context, all []imap.UID) error {
	if err := b.read(ctx, all); err != nil {
		if ctx.Err() == nil {
			b.stuck.again(all)
		}
		return err
	}
	for _, uid := range all {
		if err := b.mail(ctx, uid); err != nil {
			return err
		}
	}
	b.ledger.UID, b.ledger.moved = all[len(all)-1], true
	if err := stored(b.ledger.commit(ctx, b.drafts)); err != nil {
		return err
	}
	b.refuse(b.in, b.refusals)
	return nil
}

// read reads mails, of those that are too large the header alone.
func (b *batch) read(ctx context.Context, all []imap.UID) error {
	b.mails, b.faults = map[imap.UID]fetched{}, map[imap.UID]error{}
	if b.stuck.left(all[0]) {
		b.faults[all[0]] = fmt.Errorf("reading it has ended the connection %d times", b.stuck.times)
		return nil
	}
	var whole, large []imap.UID
	for _, uid := range all {
		if b.sizes[uid] > int64(b.config.MaxMessage) {
			large = append(large, uid)
		} else {
			whole = append(whole, uid)
		}
	}
	if err := b.fetchAll(ctx, whole, imap.PartSpecifierNone); err != nil {
		return err
	}
	if err := b.fetchAll(ctx, large, imap.PartSpecifierHeader); err != nil {
		return err
	}
	for _, uid := range large {
		if m, ok := b.mails[uid]; ok {
			b.mails[uid] = fetched{m.raw, b.sizes[uid]}
		}
	}
	return nil
}

// fetchAll fetches mails; those that are not handed out with the others are asked for
// alone, so that none stands in the way of another.
func (b *batch) fetchAll(ctx context.Context, all []imap.UID, part imap.PartSpecifier) error {
	if len(all) == 0 {
		return nil
	}
	got, err := b.fetch(ctx, all, part)
	if answer := (*imap.Error)(nil); err != nil && !errors.As(err, &answer) {
		return err
	}
	var left uids
	for _, uid := range all {
		if m, ok := got[uid]; ok {
			b.mails[uid] = m
		} else {
			left.AddNum(uid)
		}
	}
	if left.empty() {
		return nil
	}
	there, err := b.find(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{left.UIDSet}})
	if err != nil {
		return err
	}
	for _, uid := range there.and(left).all() { // the others are gone
		if err := b.fetchOne(ctx, uid, part); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) fetchOne(ctx context.Context, uid imap.UID, part imap.PartSpecifier) error {
	got, err := b.fetch(ctx, []imap.UID{uid}, part)
	answer := (*imap.Error)(nil)
	switch m, ok := got[uid]; {
	case errors.As(err, &answer):
		b.faults[uid] = err
	case err != nil:
		return err
	case !ok:
		b.faults[uid] = errors.New("the server has the mail, and does not hand it out")
	default:
		b.mails[uid] = m
	}
	return nil
}

// mail decides what becomes of one.
func (b *batch) mail(ctx context.Context, uid imap.UID) error {
	m, ok := b.mails[uid]
	fault := b.faults[uid]
	if !ok && fault == nil {
		return nil // it is gone
	}
	name := digest(m.raw)
	if m.over > 0 {
		name = digest(fmt.Appendf(slices.Clone(m.raw), "%d", m.over))
		fault = fmt.Errorf("it has %d bytes, and max_message is %d: with a larger one, a retry reads it", m.over, b.config.MaxMessage)
	}
	if old := b.known[name]; len(old) > 0 {
		b.known[name] = old[1:]
		b.ledger.meet(uid, old[0])
		return stored(b.ledger.remember(ctx, uid, name))
	}
	if !b.fitting.Contains(uid) || ok && !b.criteria.fits(m.raw) {
		return nil
	}
	if fault != nil {
		b.drafts = append(b.drafts, b.unread(uid, m.raw, max(m.over, b.sizes[uid]), fault))
		return b.failed(ctx, uid, name)
	}
	draft, refusal := b.draft(b.mailbox, uid, m.raw)
	if refusal != "" {
		b.refusals = append(b.refusals, fmt.Sprintf("mail %d in %s: %s", uid, b.mailbox, refusal))
		return b.failed(ctx, uid, name)
	}
	b.drafts = append(b.drafts, draft)
	if b.config.onDone().any() && !b.unmarked {
		b.ledger.Done = b.ledger.Done.with(uid)
	}
	return stored(b.ledger.remember(ctx, uid, name))
}

// failed notes a mail that becomes no event.
func (b *batch) failed(ctx context.Context, uid imap.UID, name string) error {
	if b.config.onFailed().any() {
		b.ledger.Failed = b.ledger.Failed.with(uid)
	}
	return stored(b.ledger.remember(ctx, uid, name))
}

// draft makes the event of a mail, or says why it becomes none.
func (s *source) draft(mailbox string, uid imap.UID, raw []byte) (d component.Draft, refusal string) {
	about := s.about(mailbox, uid, raw)
	if s.config.Trusted != "" {
		auth := message.Results(raw, s.config.Trusted)
		if refusal = s.judge(auth, raw); refusal != "" {
			return d, refusal
		}
		if auth != nil {
			about["auth"] = auth.Meta()
		}
	}
	return component.Draft{ContentType: message.ContentType, Raw: raw, Meta: map[string]any{"mail": about}}, ""
}

func (s *source) about(mailbox string, uid imap.UID, raw []byte) map[string]any {
	about := message.Meta(raw, false)
	about["mailbox"], about["uid"] = mailbox, int64(uid)
	return about
}

// judge tells why a mail does not show what is required, "" if it does.
func (s *source) judge(a *message.Auth, raw []byte) string {
	if len(s.config.Require) > 0 && a == nil {
		return fmt.Sprintf("it has no Authentication-Results of %s", s.config.Trusted)
	}
	for _, what := range s.config.Require {
		switch {
		case what == "dmarc" && message.Author(message.From(raw)) == "":
			return "it must have one From, with one address"
		case what == "dmarc" && a.DMARC == "fail" && a.Policy == "none":
		case what == "dmarc" && a.DMARC != "pass" && a.DMARC != "none" && a.DMARC != "bestguesspass":
			return "DMARC: " + a.DMARC
		case what == "dmarc", slices.Contains(a.Aligned, what):
		case what == "spf":
			return fmt.Sprintf("SPF does not speak for the domain of From: %s for %q", a.SPF, a.SPFDomain)
		default:
			return "no good DKIM signature speaks for the domain of From: " + a.DKIM
		}
	}
	return ""
}
