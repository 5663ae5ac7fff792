package imap

import (
	"context"
	"errors"

	"github.com/emersion/go-imap/v2"

	"github.com/syncd/syncd/engine/message"
)

// arrived tells which mails are in another mailbox too: by Message-ID, and size to the
// byte. The session is in its own mailbox again afterwards.
func (v *visit) arrived(ctx context.Context, some uids, to string) (found []imap.UID, err error) {
	heads, err := v.fetch(ctx, some.all(), imap.PartSpecifierHeader)
	if err != nil {
		return nil, err
	}
	sizes, err := v.sizes(ctx, some.all())
	if err != nil {
		return nil, err
	}
	_, err = v.examine(ctx, to)
	if answer := (*imap.Error)(nil); errors.As(err, &answer) {
		return nil, v.enter(ctx) // there is no such mailbox
	} else if err != nil {
		return nil, err
	}
	for _, uid := range some.all() {
		there, err := v.twin(ctx, message.ID(heads[uid].raw), sizes[uid])
		if err != nil {
			return nil, err
		}
		if !there.empty() {
			found = append(found, uid)
		}
	}
	return found, v.enter(ctx)
}

// twin finds the mails of that Message-ID, if there is one, and size.
func (v *visit) twin(ctx context.Context, id string, size int64) (uids, error) {
	c := imap.SearchCriteria{Larger: max(size-1, 0), Smaller: size + 1}
	if id != "" {
		c.Header = []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: id}}
	}
	return v.find(ctx, &c)
}

// examine opens a mailbox in which nothing is to be changed.
func (v *visit) examine(ctx context.Context, mailbox string) (is *imap.SelectData, err error) {
	err = v.session.Do(ctx, "open "+mailbox, func() (err error) {
		is, err = v.session.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	return is, err
}
