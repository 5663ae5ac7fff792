package imap

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"

	"github.com/emersion/go-imap/v2"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/message"
)

// place is how far a mailbox has been read.
type place struct {
	Validity uint32   `json:"uidvalidity"`
	UID      imap.UID `json:"uid"` // the last that was looked at
	// Mails that are yet to be seen to: events, by after; others, by after.failed.
	Done   uids `json:"done,omitzero"`
	Failed uids `json:"failed,omitzero"`
	// Of these, where the server cannot move: those that are being copied, and may have
	// been, and those that have been and are yet to be taken away.
	Copying uids `json:"copying,omitzero"`
	Copied  uids `json:"copied,omitzero"`
	// Pages are the numbers of the pages of the ledger, Epoch what they are filed under:
	// how often UIDs have lost their meaning.
	Pages uids `json:"pages,omitzero"`
	Epoch int  `json:"epoch,omitempty"`
	// ByHand: an operator has said UID, who need not know how many there are.
	ByHand bool `json:"by_hand,omitempty"`
	// Was is what there was under UIDs that have lost their meaning, until all mails
	// have been looked at anew.
	Was []place `json:"was,omitempty"`
}

// The keys of the source's state.
func placeKey(mailbox string) string { return "mailbox:" + mailbox }

func pageKey(mailbox string, epoch int, n imap.UID) string {
	return fmt.Sprintf("mails:%s/%d/%d", mailbox, epoch, n)
}

// The ledger remembers which mails are events, for the day on which the server gives
// them other UIDs: by UID, a digest of each. It is kept in pages of so many UIDs.
const perPage = 128

type leaf map[imap.UID]string

// pageOf is the number of the page of a mail, from 1.
func pageOf(uid imap.UID) imap.UID { return uid/perPage + 1 }

// pageUIDs are the UIDs of a page.
func pageUIDs(n imap.UID) imap.UIDSet {
	var s imap.UIDSet
	s.AddRange(max(1, (n-1)*perPage), n*perPage-1)
	return s
}

func digest(raw []byte) string {
	sum := message.Digest(raw)
	return base64.RawStdEncoding.EncodeToString(sum[:12])
}

// ledger is a place with the pages that were looked at, and what of both is not on disk.
type ledger struct {
	mailbox string
	in      component.Intake
	place
	pages map[imap.UID]leaf
	dirty map[imap.UID]bool // pages
	moved bool              // the place is to be stored
	gone  []component.Put   // pages of UIDs without a meaning
}

func loadLedger(ctx context.Context, in component.Intake, mailbox string) (*ledger, error) {
	l := &ledger{mailbox: mailbox, in: in, pages: map[imap.UID]leaf{}, dirty: map[imap.UID]bool{}}
	if _, err := in.Get(ctx, placeKey(mailbox), &l.place); err != nil {
		return nil, fmt.Errorf("read how far %s has been read: %w", mailbox, err)
	}
	return l, nil
}

func (l *ledger) page(ctx context.Context, n imap.UID) (leaf, error) {
	if p := l.pages[n]; p != nil {
		return p, nil
	}
	p := leaf{}
	if l.Pages.Contains(n) {
		if _, err := l.in.Get(ctx, pageKey(l.mailbox, l.Epoch, n), &p); err != nil {
			return nil, err
		}
	}
	l.pages[n] = p
	return p, nil
}

// remember notes that a mail is an event.
func (l *ledger) remember(ctx context.Context, uid imap.UID, digest string) error {
	n := pageOf(uid)
	p, err := l.page(ctx, n)
	if err != nil {
		return err
	}
	p[uid], l.dirty[n], l.moved = digest, true, true
	l.Pages = l.Pages.with(n)
	return nil
}

// forget ends what is known of mails that are gone: one that comes back is new.
func (l *ledger) forget(ctx context.Context, gone uids) error {
	for _, uid := range gone.all() {
		n := pageOf(uid)
		if !l.Pages.Contains(n) {
			continue
		}
		p, err := l.page(ctx, n)
		if err != nil {
			return err
		}
		delete(p, uid)
		l.dirty[n], l.moved = true, true
	}
	return nil
}

// prune forgets pages none of whose mails is among those that are there.
func (l *ledger) prune(there imap.UIDSet) {
	for _, n := range l.Pages.all() {
		if l.pages[n] != nil || overlap(pageUIDs(n), there) {
			continue
		}
		l.pages[n], l.dirty[n], l.moved = leaf{}, true, true
	}
}

func overlap(a, b imap.UIDSet) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Start <= y.Stop && y.Start <= x.Stop {
				return true
			}
		}
	}
	return false
}

// commit stores drafts with all that has changed. On an error nothing is stored, and
// the ledger is of no more use.
func (l *ledger) commit(ctx context.Context, drafts []component.Draft) error {
	if len(drafts) == 0 && !l.moved {
		return nil
	}
	state := l.gone
	for n := range l.dirty {
		put := component.Put{Key: pageKey(l.mailbox, l.Epoch, n)}
		if p := l.pages[n]; len(p) > 0 {
			put.Value = maps.Clone(p)
		} else {
			var none uids
			l.Pages = l.Pages.without(none.with(n))
		}
		state = append(state, put)
	}
	state = append(state, component.Put{Key: placeKey(l.mailbox), Value: l.place})
	_, err := l.in.Accept(ctx, component.Batch{Drafts: drafts, State: state})
	if err != nil {
		return err
	}
	l.moved, l.gone = false, nil
	clear(l.dirty)
	if len(l.pages) > 4 {
		clear(l.pages)
	}
	return nil
}

// begin makes the place one of UIDs that have another meaning than those known so far.
func (l *ledger) begin(validity uint32) {
	was := l.place
	if was.Validity == 0 && was.Epoch == 0 {
		l.Validity, l.moved = validity, true
		return
	}
	before := append(was.Was, was)
	before[len(before)-1].Was = nil
	l.place = place{Validity: validity, Epoch: was.Epoch + 1, Was: before}
	l.moved = true
	clear(l.pages)
	clear(l.dirty)
}

// acquaintance is a mail that was known under another UID: what is yet to be done to it.
type acquaintance struct{ done, failed, copying, copied bool }

// acquaintances gives the mails that were known under UIDs without a meaning, and have
// not been met again, by digest.
func (l *ledger) acquaintances(ctx context.Context) (map[string][]acquaintance, error) {
	known := map[string][]acquaintance{}
	for _, was := range l.Was {
		for _, n := range was.Pages.all() {
			p := leaf{}
			if _, err := l.in.Get(ctx, pageKey(l.mailbox, was.Epoch, n), &p); err != nil {
				return nil, err
			}
			for uid, d := range p {
				known[d] = append(known[d], acquaintance{
					was.Done.Contains(uid), was.Failed.Contains(uid), was.Copying.Contains(uid), was.Copied.Contains(uid),
				})
			}
		}
	}
	for _, n := range l.Pages.all() {
		p, err := l.page(ctx, n)
		if err != nil {
			return nil, err
		}
		for _, d := range p {
			if len(known[d]) > 0 {
				known[d] = known[d][1:]
			}
		}
	}
	return known, nil
}

// meet gives a mail that was known its new UID.
func (l *ledger) meet(uid imap.UID, a acquaintance) {
	for _, to := range []struct {
		is  bool
		set *uids
	}{{a.done, &l.Done}, {a.failed, &l.Failed}, {a.copying, &l.Copying}, {a.copied, &l.Copied}} {
		if to.is {
			*to.set = to.set.with(uid)
		}
	}
}

// putsAtOnce bounds one commit.
const putsAtOnce = 500

// end forgets what was known under UIDs without a meaning: all mails have been met.
func (l *ledger) end(ctx context.Context) error {
	for i := range l.Was {
		was := &l.Was[i]
		for _, n := range was.Pages.all() {
			l.gone = append(l.gone, component.Put{Key: pageKey(l.mailbox, was.Epoch, n)})
			if len(l.gone) >= putsAtOnce {
				l.moved = true
				if err := l.commit(ctx, nil); err != nil {
					return err
				}
			}
		}
	}
	l.Was, l.moved = nil, true
	return l.commit(ctx, nil)
}
