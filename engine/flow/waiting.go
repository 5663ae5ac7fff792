package flow

import "github.com/syncd/syncd/engine/journal"

// revive takes up exceptions that are to be tried at once. They are in the journal
// already: where the lane is leaving, its successor finds them there.
func (l *lane) revive(exs ...journal.Exception) {
	for _, ex := range exs {
		waits, ended := l.inHand[ex.Key]
		if waits { // it was found waiting at the start
			continue
		}
		l.hold(ex.OrderKey)
		if l.ordered != nil {
			l.holdBehind(deadLetter{Key: ex.Key}, ex.OrderKey)
		}
		if ended { // but perhaps of an earlier life, which is to be stored first
			l.unstored[ex.Key] = revived(ex)
		} else {
			l.await(revived(ex))
		}
	}
}

// stored notes that what has become of an exception is on disk.
func (l *lane) stored(k journal.Key) {
	if !l.inHand[k] {
		delete(l.inHand, k)
	}
	if r := l.unstored[k]; r != nil {
		delete(l.unstored, k)
		if !l.storedMember(k, r) {
			l.await(r)
		}
	}
}

// resume takes up an exception after a restart, or after another in the lane's seat; was
// is what that one knew of it, if it did.
func (l *lane) resume(ex journal.Exception, was *retry) {
	r := resumed(ex, l.o.Now())
	if was != nil {
		r.since, r.next = was.since, was.next
	}
	if l.ordered != nil { // it was dead
		l.holdBehind(deadLetter{Key: ex.Key}, ex.OrderKey)
	}
	if c := l.cursor(ex.Source); c != nil {
		r.item = c.amid(ex.Position, ex.Path)
	}
	l.await(r)
}

// await takes an exception in hand until its end. A member of a batch waits for the others.
func (l *lane) await(r *retry) {
	l.inHand[r.ex.Key] = true
	if b := l.member[r.ex.Key]; b != nil {
		r.batch = b
		b.slot(r.ex.Key).r = r
		return
	}
	l.queue.push(r)
}

// eachWaiting gives all that is on disk and waits for its next attempt.
func (l *lane) eachWaiting(do func(*retry)) {
	l.queue.each(func(r *retry) {
		if r.batch == nil {
			do(r)
		}
	})
	for _, b := range l.live {
		for _, s := range b.slots {
			if s.r != nil && l.unstored[s.key] == nil {
				do(s.r)
			}
		}
	}
}
