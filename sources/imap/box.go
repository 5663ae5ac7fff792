package imap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/emersion/go-imap/v2"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/mail"
)

// box reads one mailbox.
type box struct {
	*source
	mailbox string
	kick    chan struct{} // somebody wants it looked into now
	news    chan struct{} // the server says that there are new mails
	status  status
	said    string // the fault that was logged last
	stuck   stuck
}

// stuck is where reading mails has ended connections, one after the other: somewhere
// from one mail to another.
type stuck struct {
	at, to imap.UID
	times  int
}

const (
	// aloneAfter so many times, each of the mails is read without the others.
	aloneAfter = 3
	// leftAfter so many times, the one at fault is left, so that it does not keep the others.
	leftAfter = 8
)

// again notes that it has happened with these mails.
func (s *stuck) again(all []imap.UID) {
	switch at, to := all[0], all[len(all)-1]; {
	case s.at == at:
	case s.alone(at):
		s.at, s.times = at, aloneAfter
	default:
		*s = stuck{at: at, to: to}
	}
	s.times++
}

func (s *stuck) alone(uid imap.UID) bool {
	return s.times >= aloneAfter && s.at <= uid && uid <= s.to
}

func (s *stuck) left(uid imap.UID) bool { return s.at == uid && s.times >= leftAfter }

func newBox(s *source, mailbox string) *box {
	return &box{source: s, mailbox: mailbox, kick: make(chan struct{}, 1), news: make(chan struct{}, 1)}
}

// How long it is from one attempt to the next.
const (
	firstPause = time.Second
	// loginPause is the shortest after a login that was refused: servers count those.
	loginPause   = 30 * time.Second
	longestPause = 5 * time.Minute
)

// storeError is an intake's that no other attempt would be spared.
type storeError struct{ error }

func (e *storeError) Unwrap() error { return e.error }

// run reads until ctx ends, over one connection after the other.
func (b *box) run(ctx context.Context, in component.Intake) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = firstPause, longestPause
	defer b.status.set(func(s *standing) { s.next, s.note = time.Time{}, "" })
	for {
		b.status.set(func(s *standing) { s.next, s.note = time.Time{}, "connects" })
		v := &visit{box: b, in: in, began: pauses.Reset}
		err := v.run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if failed := (*storeError)(nil); errors.As(err, &failed) {
			return failed.error
		}
		pause := pauses.NextBackOff()
		if mail.IsLogin(err) {
			pause = max(pause, loginPause)
		}
		pause = max(pause, component.Wait(err))
		b.failed(err, pause)
		if !b.pause(ctx, pause) {
			return nil
		}
	}
}

// failed notes why a connection is over.
func (b *box) failed(err error, pause time.Duration) {
	text := fmt.Sprintf("%s: %s", b.mailbox, err)
	level := slog.LevelWarn
	if text == b.said {
		level = slog.LevelDebug
	}
	b.said = text
	b.env.Log.Log(context.Background(), level, "reading mail failed; it is tried again", "mailbox", b.mailbox, "error", err, "in", pause.Round(time.Millisecond))
	b.status.set(func(s *standing) {
		s.fault, s.next, s.note = text, b.env.Now().Add(pause).UTC(), "is not connected"
	})
}

// well notes that all mails that were there have been seen to, but for trouble.
func (b *box) well(began time.Time, trouble string) {
	if trouble == "" && b.said != "" {
		b.env.Log.Info("mail is read again", "mailbox", b.mailbox)
	}
	if trouble != "" && trouble != b.said {
		b.env.Log.Warn("mails stay where they are", "mailbox", b.mailbox, "error", trouble)
	}
	b.said = trouble
	b.status.set(func(s *standing) {
		s.last, s.fault = began.UTC(), trouble
	})
}

func (b *box) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-b.kick:
	case <-timer.C:
	}
	return true
}

// visit is what happens over one connection.
type visit struct {
	*box
	in      component.Intake
	session *mail.Session
	ledger  *ledger
	began   func() // it goes well
	trouble string // why mails stay where they are
	// unmarked: the mailbox takes no marks, and nobody has asked for them.
	unmarked bool
	searched time.Time // when the ledger was last compared with what is there
}

func (v *visit) run(ctx context.Context) (err error) {
	if v.session, err = v.server.Open(ctx, func() { signal(v.news) }); err != nil {
		return err
	}
	defer func() {
		if err == nil || ctx.Err() != nil {
			v.session.Close()
		} else {
			v.session.HangUp()
		}
	}()
	if v.ledger, err = loadLedger(ctx, v.in, v.mailbox); err != nil {
		return &storeError{err}
	}
	if err := v.enter(ctx); err != nil {
		return err
	}
	if err := v.doubts(ctx); err != nil {
		return err
	}
	for {
		wait, err := v.look(ctx)
		if err != nil {
			return err
		}
		if err := v.wait(ctx, wait); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// look is one round. wait is how long it is until the next at most.
func (v *visit) look(ctx context.Context) (wait time.Duration, err error) {
	began := v.env.Now()
	err = v.round(ctx)
	later := (*component.LaterError)(nil)
	if errors.As(err, &later) {
		v.status.set(func(s *standing) { s.note = "waits: " + later.Reason })
		if v.ledger, err = loadLedger(ctx, v.in, v.mailbox); err != nil {
			return 0, &storeError{err}
		}
		return max(later.After, firstPause), nil
	}
	if err != nil {
		return 0, err
	}
	v.began()
	v.well(began, v.trouble)
	return v.config.Every, nil
}

// enter opens the mailbox.
func (v *visit) enter(ctx context.Context) error {
	still := !v.config.onDone().any() && !v.config.onFailed().any()
	var is *imap.SelectData
	err := v.session.Do(ctx, "open "+v.mailbox, func() (err error) {
		is, err = v.session.Select(v.mailbox, &imap.SelectOptions{ReadOnly: still}).Wait()
		return err
	})
	if err != nil {
		return err
	}
	l := v.ledger
	if l.ByHand && l.Validity == is.UIDValidity && is.UIDNext != 0 {
		l.UID, l.ByHand, l.moved = min(l.UID, is.UIDNext-1), false, true
	}
	switch {
	case is.UIDValidity == 0:
		return fmt.Errorf("open %s: the server gives no UIDVALIDITY, so that nothing tells its mails apart", v.mailbox)
	case l.Validity != is.UIDValidity, is.UIDNext != 0 && is.UIDNext <= l.UID:
		if l.Validity != 0 {
			v.env.Log.Warn("the server has given all mails other UIDs; they are compared with those that are events already",
				"mailbox", v.mailbox, "uidvalidity", is.UIDValidity, "before", l.Validity)
		}
		l.begin(is.UIDValidity)
	}
	return nil
}

// beat is the longest that nothing is asked of a server: what lies between drops
// connections on which nothing passes, and servers end them (RFC 2177: 29 minutes).
const beat = 5 * time.Minute

// wait waits for new mails, or until the next round is due.
func (v *visit) wait(ctx context.Context, d time.Duration) error {
	d = min(d, beat)
	v.status.set(func(s *standing) {
		s.next = v.env.Now().Add(d).UTC()
		s.note = "is read up to UID " + fmt.Sprint(v.ledger.UID)
		if n := len(v.ledger.Done.all()) + len(v.ledger.Failed.all()); n > 0 {
			s.note += fmt.Sprintf(", after is yet to be done to %d", n)
		}
	})
	stop, err := v.idle(ctx)
	if err != nil {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-v.kick:
	case <-v.news:
	case <-v.session.Closed():
		err = errors.New("the server has hung up")
	}
	v.status.set(func(s *standing) { s.next = time.Time{} })
	if failed := stop(); err == nil {
		err = failed
	}
	return err
}

// idle has the server tell of new mails, if it can.
func (v *visit) idle(ctx context.Context) (stop func() error, err error) {
	if caps := v.session.Caps(); !v.config.Idle || !caps.Has(imap.CapIdle) {
		return func() error { return nil }, nil
	}
	var is interface {
		Close() error
		Wait() error
	}
	err = v.session.Do(ctx, "wait for mails", func() (err error) {
		is, err = v.session.Idle()
		return err
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		return v.session.Do(ctx, "wait for mails", func() error {
			if err := is.Close(); err != nil {
				return err
			}
			return is.Wait()
		})
	}, nil
}
