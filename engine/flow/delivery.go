package flow

import (
	"crypto/sha256"
	"encoding/base32"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// item is one event on a lane, until all its deliveries there are settled.
type item struct {
	cursor   *cursor
	pos      journal.Position
	open     int                 // deliveries not finished
	done     map[string]struct{} // child paths of those that are, when there are several
	status   journal.Status
	failed   []journal.Exception
	batches  []string             // ids of those that have ended and stay on record until it does
	resolved []journal.Resolution // of those among its exceptions that were stored before its end
	settled  bool
	attempts int
	begun    time.Time
}

// unsettled tells whether it is one, and has not come to its end.
func (it *item) unsettled() bool { return it != nil && !it.settled }

// delivery is one thing to hand to the sink: of an item, or the retry of an exception.
type delivery struct {
	component.Delivery
	item *item
	ex   *retry // the exception that this is a retry of
	key  string // of order_by
	size int    // of the event's payload, in bytes
	// died: it is none, but the place in the row at which events of its key begin to wait.
	died *deadLetter
	of   *batch // that it is a member of; nil: it goes alone
}

// event is that of d, where it is known.
func (d *delivery) event() *item {
	if d.ex != nil {
		return d.ex.item
	}
	return d.item
}

// retry is an exception that waits for its next attempt. Its times are of the
// monotonic clock, which no step of the wall clock moves.
type retry struct {
	ex    journal.Exception // without its envelope
	since time.Time         // the first failure, later by the time that its lane stood still
	next  time.Time
	// batch is that of which it is a member; in the queue, all its members.
	batch *batch
	// item is its event. As long as that is not settled, the exception waits in the
	// journal, whatever became of it: after a crash it tells what not to deliver anew.
	item *item
}

// resumed takes up an exception after a restart: soon, and the time that the
// daemon was down does not count against retry.for.
func resumed(ex journal.Exception, now time.Time) *retry {
	down := max(now.Sub(ex.Next), 0)
	ex.Envelope, ex.Shared = nil, nil
	return &retry{ex: ex, since: time.Now().Add(-max(now.Sub(ex.Since)-down, 0)), next: time.Now()}
}

// revived is a dead letter that is to be tried anew.
func revived(ex journal.Exception) *retry {
	ex.Envelope, ex.Shared = nil, nil
	return &retry{ex: ex, since: time.Now(), next: time.Now()}
}

// deliveryID is the idempotency key: event, lane and child path.
func (l *lane) deliveryID(e *component.Event) string {
	if e.Path == "" {
		return e.ID + "-" + l.tag
	}
	return e.ID + "-" + l.tag + "-" + short(e.Path)
}

// laneTag is the lane's part of its deliveries' ids.
func laneTag(id journal.Lane) string { return short(id.Flow + "\x00" + id.Sink) }

// short is 80 bits of the hash of s, as 16 letters and digits.
func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return encoding.EncodeToString(sum[:10])
}

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
