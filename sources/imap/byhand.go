package imap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/message"
)

// Checkpoint takes the UID of the last mail that counts as read: a number, or, of one of
// several mailboxes, {"mailbox": "INBOX", "uid": 120}.
func (s *source) Checkpoint(raw json.RawMessage) ([]component.Put, error) {
	var to struct {
		Mailbox string    `json:"mailbox"`
		UID     *imap.UID `json:"uid"`
	}
	decode := json.NewDecoder(bytes.NewReader(raw))
	decode.DisallowUnknownFields()
	var uid imap.UID
	err := json.Unmarshal(raw, &uid)
	if err == nil && len(s.boxes) == 1 && string(raw) != "null" {
		to.Mailbox, to.UID = s.boxes[0].mailbox, &uid
	} else if err = decode.Decode(&to); err == nil {
		to.Mailbox = canonical(to.Mailbox)
	}
	if err != nil || to.UID == nil {
		return nil, fmt.Errorf(`write the UID of the last mail that counts as read, 0 for none: {"mailbox": %q, "uid": 120}`, s.boxes[0].mailbox)
	}
	if !slices.ContainsFunc(s.boxes, func(b *box) bool { return b.mailbox == to.Mailbox }) {
		return nil, fmt.Errorf("it reads no mailbox %q", to.Mailbox)
	}
	var p place
	found, err := s.env.State.Get(context.Background(), placeKey(to.Mailbox), &p)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%s has not been opened yet: its UIDs are not known", to.Mailbox)
	}
	p.UID, p.ByHand = *to.UID, true
	return []component.Put{{Key: placeKey(to.Mailbox), Value: p}}, nil
}

// retryTime is what reading one mail again may take.
const retryTime = time.Minute

// origin is what a dead letter knows of its mail.
type origin struct {
	Mailbox  string   `json:"mailbox"`
	UID      imap.UID `json:"uid"`
	Validity uint32   `json:"uidvalidity"`
	Size     int64    `json:"size"`
}

// Parse reads a mail again that was too large, or was not handed out.
func (s *source) Parse(d component.Draft) (component.Draft, error) {
	var meta struct{ Mail origin }
	if err := json.Unmarshal(d.RawMeta, &meta); err != nil {
		return d, fmt.Errorf("read meta: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), retryTime)
	defer cancel()
	m, err := s.again(ctx, meta.Mail, message.ID(d.Raw))
	switch {
	case err != nil:
		return d, err
	case m.over > 0:
		return d, fmt.Errorf("it has %d bytes, and max_message is %d", m.over, s.config.MaxMessage)
	}
	draft, refusal := s.draft(meta.Mail.Mailbox, meta.Mail.UID, m.raw)
	if refusal != "" {
		return d, errors.New(refusal)
	}
	return draft, nil
}

// again reads one mail over a connection of its own: where it was, or where it was moved
// to, by Message-ID and size.
func (s *source) again(ctx context.Context, o origin, id string) (fetched, error) {
	session, err := s.server.Open(ctx, nil)
	if err != nil {
		return fetched{}, err
	}
	defer session.HangUp()
	v := &visit{box: newBox(s, o.Mailbox), session: session}
	is, err := v.examine(ctx, o.Mailbox)
	if err != nil {
		return fetched{}, err
	}
	var there uids
	if is.UIDValidity == o.Validity {
		if there, err = v.find(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{imap.UIDSetNum(o.UID)}}); err != nil {
			return fetched{}, err
		}
	}
	if to := s.config.onFailed().move; there.empty() && to != "" && id != "" {
		if _, err := v.examine(ctx, to); err != nil {
			return fetched{}, err
		}
		if there, err = v.twin(ctx, id, o.Size); err != nil {
			return fetched{}, err
		}
	}
	if there.empty() {
		return fetched{}, fmt.Errorf("mail %d is not in %s any more", o.UID, o.Mailbox)
	}
	uid := there.all()[0]
	got, err := v.fetch(ctx, []imap.UID{uid}, imap.PartSpecifierNone)
	m, ok := got[uid]
	if err == nil && !ok {
		err = fmt.Errorf("mail %d is not in %s any more", o.UID, o.Mailbox)
	}
	return m, err
}

// unread makes the dead letter of a mail that cannot be read; raw is its header, as far
// as it is known, size that of all of it.
func (b *batch) unread(uid imap.UID, raw []byte, size int64, fault error) component.Draft {
	about := b.about(b.mailbox, uid, raw)
	about["uidvalidity"], about["size"] = int64(b.ledger.Validity), size
	return component.Draft{Raw: raw, Meta: map[string]any{"mail": about}, Fault: &unreadError{b.mailbox, uid, fault}}
}

// unreadError says which mail cannot be read, and why.
type unreadError struct {
	mailbox string
	uid     imap.UID
	error
}

func (e *unreadError) Error() string { return e.Place() + ": " + e.error.Error() }
func (e *unreadError) Unwrap() error { return e.error }

// Place implements component.Placed.
func (e *unreadError) Place() string { return fmt.Sprintf("mail %d in %s", e.uid, e.mailbox) }
