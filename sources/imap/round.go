package imap

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/syncd/syncd/engine/component"
)

const (
	// A commit takes so many mails, up to about so many bytes; one that is larger comes
	// alone.
	batchMails = 250
	batchBytes = 1 << 20
	// sizesAtOnce are asked for ahead.
	sizesAtOnce = 500
	// searchEvery is how often the ledger is compared with what is there.
	searchEvery = 24 * time.Hour
)

// round sees to all mails that are there.
func (v *visit) round(ctx context.Context) error {
	drain(v.kick)
	drain(v.news)
	v.trouble = ""
	if err := v.finish(ctx); err != nil {
		return err
	}
	var known map[string][]acquaintance
	if len(v.ledger.Was) > 0 {
		var err error
		if known, err = v.ledger.acquaintances(ctx); err != nil {
			return &storeError{err}
		}
	}
	there, fitting, err := v.search(ctx)
	if err != nil {
		return err
	}
	look := fitting
	if known != nil {
		look = there
	}
	for all := look.all(); len(all) > 0; {
		n := min(len(all), sizesAtOnce)
		if err := v.some(ctx, all[:n], fitting, known); err != nil {
			return err
		}
		all = all[n:]
	}
	if last := there.all(); len(last) > 0 && last[len(last)-1] > v.ledger.UID {
		v.ledger.UID, v.ledger.moved = last[len(last)-1], true
	}
	if known != nil {
		return stored(v.ledger.end(ctx))
	}
	if err := v.prune(ctx); err != nil {
		return err
	}
	return stored(v.ledger.commit(ctx, nil))
}

func drain(flag chan struct{}) {
	select {
	case <-flag:
	default:
	}
}

// stored makes an intake's error one that is not the server's.
func stored(err error) error {
	later := (*component.LaterError)(nil)
	if err == nil || errors.As(err, &later) {
		return err
	}
	return &storeError{err}
}

// search finds the mails behind the place, and those of them that fit.
func (v *visit) search(ctx context.Context) (there, fitting uids, err error) {
	first := v.ledger.UID + 1
	var behind imap.UIDSet
	behind.AddRange(first, 0) // to "*", which is the last mail even if that has been read
	found, err := v.find(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{behind}})
	if err != nil {
		return there, fitting, err
	}
	for _, uid := range found.all() {
		if uid >= first {
			there.AddNum(uid)
		}
	}
	if there.empty() || !v.criteria.asks {
		return there, there, nil
	}
	asked := v.criteria.search
	asked.UID = []imap.UIDSet{there.UIDSet}
	if len(there.UIDSet) > 100 { // the command would grow long
		asked.UID = []imap.UIDSet{behind}
	}
	found, err = v.find(ctx, &asked)
	return there, found.and(there), err
}

func (v *visit) find(ctx context.Context, c *imap.SearchCriteria) (found uids, err error) {
	err = v.session.Do(ctx, "search "+v.mailbox, func() error {
		data, err := v.session.UIDSearch(c, nil).Wait()
		if err != nil {
			return err
		}
		found.UIDSet, _ = data.All.(imap.UIDSet)
		return nil
	})
	return found, err
}

// prune compares the ledger with what is there, now and then.
func (v *visit) prune(ctx context.Context) error {
	if v.ledger.Pages.empty() || time.Since(v.searched) < searchEvery {
		return nil
	}
	var known imap.UIDSet
	known.AddRange(1, v.ledger.UID)
	there, err := v.find(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{known}})
	if err != nil {
		return err
	}
	v.searched = time.Now()
	v.ledger.prune(there.UIDSet)
	return nil
}

// some reads some mails, as many at a time as a commit takes.
func (v *visit) some(ctx context.Context, all []imap.UID, fitting uids, known map[string][]acquaintance) error {
	sizes, err := v.sizes(ctx, all)
	if err != nil {
		return err
	}
	for len(all) > 0 {
		n, bytes := 0, int64(0)
		for n < len(all) && n < batchMails {
			size := sizes[all[n]]
			if size > int64(v.config.MaxMessage) {
				size = 0 // its header is all that is read
			}
			if bytes += size; n > 0 && bytes > batchBytes {
				break
			}
			n++
		}
		if v.stuck.alone(all[0]) {
			n = 1
		}
		b := &batch{visit: v, fitting: fitting, known: known, sizes: sizes}
		if err := b.take(ctx, all[:n]); err != nil {
			return err
		}
		if err := v.finish(ctx); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}
