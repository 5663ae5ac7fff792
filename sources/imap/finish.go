package imap

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
)

// finish does what is yet to be done to mails. What the server refuses is tried again
// with the next round, and keeps nothing from being read; the error is the connection's,
// or the intake's.
func (v *visit) finish(ctx context.Context) error {
	if err := v.settle(ctx, &v.ledger.Done, v.config.onDone()); err != nil {
		return err
	}
	return v.settle(ctx, &v.ledger.Failed, v.config.onFailed())
}

// patience is how many mails may be refused one after the other before the others are
// left alone.
const patience = 3

// settle does a to the mails of a set: to all at once, or, if the server refuses that,
// to one after the other.
func (v *visit) settle(ctx context.Context, set *uids, a action) error {
	if set.empty() {
		return nil
	}
	if !a.any() || v.unmarked {
		*set, v.ledger.moved = uids{}, true
		return nil
	}
	err := v.act(ctx, set, *set, a)
	if !refused(err) {
		return err
	}
	if v.config.After == nil {
		v.env.Log.Info("the server does not let mails be marked as seen; they are read without", "mailbox", v.mailbox, "answer", err)
		v.unmarked, *set, v.ledger.moved = true, uids{}, true
		return nil
	}
	v.trouble = fmt.Sprintf("%s: after fails, and is tried again: %s", v.mailbox, err)
	inARow := 0
	all := set.all()
	if len(all) == 1 {
		return nil
	}
	for _, uid := range all {
		err := v.act(ctx, set, uids{imap.UIDSetNum(uid)}, a)
		switch {
		case err == nil:
			inARow = 0
		case !refused(err):
			return err
		default:
			if inARow++; inARow == patience {
				return nil
			}
		}
	}
	return nil
}

// refusedError is what cannot be done, whatever is asked of the server.
type refusedError struct{ error }

func refused(err error) bool {
	answer := (*imap.Error)(nil)
	return errors.As(err, &answer) || errors.As(err, new(*refusedError))
}

// act does a to some mails of a set, and takes them out of it. A mail that is gone is
// passed over by the server.
func (v *visit) act(ctx context.Context, set *uids, some uids, a action) error {
	if a.seen {
		if err := v.mark(ctx, some); err != nil {
			return err
		}
	}
	switch {
	case a.delete:
		if err := v.remove(ctx, some); err != nil {
			return err
		}
	case a.move != "" && v.session.Caps().Has(imap.CapMove):
		if err := v.move(ctx, some, a.move); err != nil {
			return err
		}
	case a.move != "":
		if err := v.copyAndRemove(ctx, some, a.move); err != nil {
			return err
		}
	}
	*set, v.ledger.moved = set.without(some), true
	if !a.gone() {
		return nil
	}
	v.ledger.Copied = v.ledger.Copied.without(some)
	return stored(v.ledger.forget(ctx, some))
}

// mark marks mails as seen, and makes sure where somebody has asked for it.
func (v *visit) mark(ctx context.Context, some uids) error {
	if err := v.store(ctx, some, imap.FlagSeen); err != nil || v.config.After == nil {
		return err
	}
	return v.check(ctx, "mark mails", imap.SearchCriteria{UID: []imap.UIDSet{some.UIDSet}, NotFlag: []imap.Flag{imap.FlagSeen}})
}

func (v *visit) store(ctx context.Context, some uids, flag imap.Flag) error {
	return v.session.Do(ctx, "mark mails in "+v.mailbox, func() error {
		return v.session.Store(some.UIDSet, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	})
}

// remove takes mails away, and no others that somebody has marked as deleted.
func (v *visit) remove(ctx context.Context, some uids) error {
	if err := v.canExpunge(); err != nil {
		return err
	}
	if err := v.store(ctx, some, imap.FlagDeleted); err != nil {
		return err
	}
	err := v.session.Do(ctx, "delete mails in "+v.mailbox, func() error {
		return v.session.UIDExpunge(some.UIDSet).Close()
	})
	if err != nil {
		return err
	}
	return v.check(ctx, "delete mails", imap.SearchCriteria{UID: []imap.UIDSet{some.UIDSet}})
}

// check tells of a server that says OK where nobody may do what was asked for, and does
// nothing: left are the mails that would not be found.
func (v *visit) check(ctx context.Context, what string, left imap.SearchCriteria) error {
	found, err := v.find(ctx, &left)
	if err != nil || found.empty() {
		return err
	}
	return &refusedError{fmt.Errorf("the server says OK to %s, and leaves %d as they are: it seems that %s may be read alone", what, len(found.all()), v.mailbox)}
}

func (v *visit) canExpunge() error {
	if v.session.Caps().Has(imap.CapUIDPlus) {
		return nil
	}
	return &refusedError{errors.New("the server can delete no single mail (UIDPLUS), only all that anybody has marked as deleted: use after { seen = true }")}
}

// inMailbox does something with another mailbox, which is made if it is not there.
func (v *visit) inMailbox(ctx context.Context, to, what string, do func() error) error {
	what = fmt.Sprintf("%s mails from %s to %s", what, v.mailbox, to)
	err := v.session.Do(ctx, what, do)
	answer := (*imap.Error)(nil)
	if !errors.As(err, &answer) || answer.Code != imap.ResponseCodeTryCreate && answer.Code != imap.ResponseCodeNonExistent {
		return err
	}
	err = v.session.Do(ctx, "make mailbox "+to, func() error { return v.session.Create(to, nil).Wait() })
	if err != nil {
		return err
	}
	v.env.Log.Info("made a mailbox", "mailbox", to)
	return v.session.Do(ctx, what, do)
}

func (v *visit) move(ctx context.Context, some uids, to string) error {
	return v.inMailbox(ctx, to, "move", func() error {
		_, err := v.session.Move(some.UIDSet, to).Wait()
		return err
	})
}

// copyAndRemove moves where the server cannot. That mails are being copied is on disk
// before it is asked for, that they have been before they are taken away: after a
// failure in between it is looked which are there (see doubts).
func (v *visit) copyAndRemove(ctx context.Context, some uids, to string) error {
	if err := v.canExpunge(); err != nil {
		return err
	}
	l := v.ledger
	if !l.Copying.and(some).empty() {
		if err := v.doubts(ctx); err != nil {
			return err
		}
	}
	if rest := some.without(l.Copied); !rest.empty() {
		l.Copying, l.moved = l.Copying.with(rest.all()...), true
		if err := stored(l.commit(ctx, nil)); err != nil {
			return err
		}
		err := v.inMailbox(ctx, to, "copy", func() error {
			_, err := v.session.Copy(rest.UIDSet, to).Wait()
			return err
		})
		if err != nil && !refused(err) {
			return err
		}
		l.Copying, l.moved = l.Copying.without(rest), true
		if err != nil {
			return err
		}
		l.Copied = l.Copied.with(rest.all()...)
		if err := stored(l.commit(ctx, nil)); err != nil {
			return err
		}
	}
	return v.remove(ctx, some)
}

// doubts finds out of mails that were being copied when a connection ended, or the
// daemon, whether they are where they were to go.
func (v *visit) doubts(ctx context.Context) error {
	l := v.ledger
	if l.Copying.empty() {
		return nil
	}
	var copied []imap.UID
	for _, part := range []struct {
		set uids
		to  string
	}{{l.Copying.and(l.Done), v.config.onDone().move}, {l.Copying.and(l.Failed), v.config.onFailed().move}} {
		if part.set.empty() || part.to == "" {
			continue
		}
		found, err := v.arrived(ctx, part.set, part.to)
		if err != nil {
			return err
		}
		copied = append(copied, found...)
	}
	l.Copied, l.Copying, l.moved = l.Copied.with(copied...), uids{}, true
	return stored(l.commit(ctx, nil))
}
