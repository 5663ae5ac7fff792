package imap

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// headRoom is how much of the header of a mail is kept that is too large.
const headRoom = 64 << 10

// sizes are those of mails, as the server knows them.
func (v *visit) sizes(ctx context.Context, all []imap.UID) (map[imap.UID]int64, error) {
	sizes := make(map[imap.UID]int64, len(all))
	err := v.session.Do(ctx, "read mails in "+v.mailbox, func() error {
		cmd := v.session.Fetch(imap.UIDSetNum(all...), &imap.FetchOptions{UID: true, RFC822Size: true})
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			var uid imap.UID
			var size int64
			for item := m.Next(); item != nil; item = m.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					uid = item.UID
				case imapclient.FetchItemDataRFC822Size:
					size = item.Size
				}
			}
			sizes[uid] = size
		}
		return cmd.Close()
	})
	if answer := (*imap.Error)(nil); errors.As(err, &answer) {
		return sizes, nil // what is wrong with one of them shows when they are read
	}
	return sizes, err
}

// fetched is a mail as it was read, or as much of it as may be.
type fetched struct {
	raw  []byte
	over int64 // how large it is where it is too large: raw is its header then
}

// fetch reads mails. One that the server does not hand out is not among them.
func (v *visit) fetch(ctx context.Context, all []imap.UID, part imap.PartSpecifier) (map[imap.UID]fetched, error) {
	mails := make(map[imap.UID]fetched, len(all))
	section := &imap.FetchItemBodySection{Peek: true, Specifier: part}
	if part == imap.PartSpecifierHeader {
		section.Partial = &imap.SectionPartial{Size: headRoom}
	}
	err := v.session.Do(ctx, "read mails in "+v.mailbox, func() error {
		cmd := v.session.Fetch(imap.UIDSetNum(all...), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			uid, mail, err := v.receive(m)
			if err != nil {
				return err // the connection is over: Close would read on, beside the client that ends
			}
			if mail != nil {
				mails[uid] = *mail
			}
		}
		return cmd.Close()
	})
	return mails, err
}

// receive reads one mail of an answer; nil: there is none in it.
func (v *visit) receive(m *imapclient.FetchMessageData) (uid imap.UID, mail *fetched, err error) {
	for item := m.Next(); item != nil; item = m.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = item.UID
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			if mail, err = v.body(item.Literal); err != nil {
				return uid, nil, err
			}
		}
	}
	return uid, mail, nil
}

// body reads a mail up to what may be.
func (v *visit) body(r imap.LiteralReader) (*fetched, error) {
	most := int64(v.config.MaxMessage)
	if r.Size() > most {
		head, err := io.ReadAll(io.LimitReader(r, headRoom))
		return &fetched{raw: head, over: r.Size()}, err
	}
	raw := make([]byte, r.Size())
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, fmt.Errorf("a mail broke off: %w", err)
	}
	return &fetched{raw: raw}, nil
}
