package flow

import (
	"context"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// batch is several deliveries that are one call of the sink. Its members are on record
// before the first, and it has them until it ends, or others take its place.
type batch struct {
	id      string
	slots   []slot
	item    *item // the event that all are of, where that is several deliveries
	onDisk  bool
	calling bool      // with the sink
	lined   bool      // among those that may be tried, or in its queue
	next    time.Time // of the next attempt; zero: as soon as all are there
}

// slot is a member: a delivery at hand, an exception that waits, or one that will not
// come again. Else it is missing: it comes when its event is loaded.
type slot struct {
	key  journal.Key
	d    *delivery
	r    *retry
	gone bool
}

// complete tells whether the batch can go on: of no member it is unknown what becomes
// of it, and no exception is on its way to the disk.
func (l *lane) complete(b *batch) bool {
	unknown := func(s slot) bool {
		return s.d == nil && s.r == nil && !s.gone || s.r != nil && l.unstored[s.key] != nil
	}
	return b.onDisk && !b.calling && !b.lined && !slices.ContainsFunc(b.slots, unknown)
}

func (b *batch) slot(k journal.Key) *slot {
	return &b.slots[slices.IndexFunc(b.slots, func(s slot) bool { return s.key == k })]
}

// event is that of the members, where that is several deliveries and not settled; else nil.
func (b *batch) event() *item {
	if b.item != nil {
		return b.item
	}
	for i := range b.slots {
		if d := b.slots[i].d; d != nil {
			return d.event()
		}
	}
	return nil
}

// deliveries are those at hand.
func (b *batch) deliveries() []*delivery {
	list := make([]*delivery, 0, len(b.slots))
	for i := range b.slots {
		if d := b.slots[i].d; d != nil {
			list = append(list, d)
		}
	}
	return list
}

// eventAt is the place of an event.
type eventAt struct {
	source string
	pos    journal.Position
}

// batches is what a lane to a Batcher has at hand; the zero value is that of any other.
type batches struct {
	batcher component.Batcher // nil: deliveries go one by one
	limits  component.Batching

	forming     []*forming // the oldest first
	formed      int        // deliveries in them, of formedBytes
	formedBytes int
	live        map[string]*batch
	member      map[journal.Key]*batch
	waiting     []*batch             // may be tried
	unwritten   []*batch             // whose record is in the settlement that gathers
	writing     []*batch             // in the one that is with the journal
	kept        map[string]struct{}  // ids of records that end with their event
	changed     bool                 // the list of records is another one now
	expected    map[eventAt][]*batch // whose members are still to be loaded, or not to come
}

func newBatches(s component.Sink) batches {
	b, ok := s.(component.Batcher)
	if !ok || b.Batching() == nil {
		return batches{}
	}
	return batches{
		batcher: b, limits: *b.Batching(), live: map[string]*batch{}, member: map[journal.Key]*batch{},
		kept: map[string]struct{}{}, expected: map[eventAt][]*batch{},
	}
}

// forming is deliveries that are going to be a batch.
type forming struct {
	group string
	item  *item
	list  []*delivery
	bytes int
	since time.Time
}

func (l *lane) keyOf(d *delivery) journal.Key {
	if d.ex != nil {
		return d.ex.ex.Key
	}
	return journal.Key{Source: d.item.cursor.source, Position: d.item.pos, Path: d.Event.Path}
}

// together tells whether d is a member of a batch on record. It was not held back then;
// another order_by, by which it were to wait for a fellow member now, would have the batch
// wait for ever.
func (l *lane) together(d *delivery) bool { return l.batcher != nil && l.member[l.keyOf(d)] != nil }

// pickBatch chooses the batch that the next call carries; nil: there is none yet.
func (l *lane) pickBatch() *batch {
	for len(l.waiting) > 0 {
		n := 0
		if l.probing {
			n = l.probes % len(l.waiting) // another one each time
		}
		b := l.waiting[n]
		l.waiting = slices.Delete(l.waiting, n, n+1)
		b.lined = false
		if l.current(b) {
			return b
		}
	}
	return nil
}

// current tells whether the batch may be tried as it is. Members that have expired are
// left behind: what remains is another batch.
func (l *lane) current(b *batch) bool {
	for i := range b.slots {
		if s := &b.slots[i]; l.expired(s.d) {
			s.d, s.gone = nil, true
		}
	}
	if slices.ContainsFunc(b.slots, func(s slot) bool { return s.gone }) {
		l.remake(b)
		return false
	}
	return true
}

// gather takes deliveries until there are batches enough for all calls that may be under
// way, or no more deliveries.
func (l *lane) gather(take func() *delivery) {
	for l.mayGather() {
		l.pulse.beat()
		d := take()
		if d == nil {
			l.closeDue(l.limits.Within == 0 || l.probing)
			return
		}
		l.join(d)
	}
	l.closeDue(false)
}

// mayGather: what is to be loaded for batches on record is loaded in any case.
func (l *lane) mayGather() bool {
	if l.state == Stopped || !l.settleAt.IsZero() || l.crowded() {
		return false
	}
	return len(l.expected) > 0 || len(l.waiting)+len(l.unwritten)+len(l.writing) < l.limit
}

// join puts a delivery where it belongs: into the batch that it is a member of, or one
// that is forming.
func (l *lane) join(d *delivery) {
	key := l.keyOf(d)
	if b := l.member[key]; b != nil {
		if l.whole(d) {
			b.slot(key).d, d.of = d, b
		} else {
			b.slot(key).gone = true
		}
		l.consider(b)
		return
	}
	if l.expired(d) || !l.whole(d) {
		return
	}
	group, err := l.batcher.Group(d.Event)
	if err != nil {
		l.dead(d, err)
		return
	}
	f := l.formingFor(group, d)
	f.list = append(f.list, d)
	f.bytes += d.size
	l.formed++
	l.formedBytes += d.size
	switch {
	case len(f.list) >= l.limits.Max, f.bytes >= int(l.limits.Bytes):
		l.close(f)
	case l.formed >= max(maxHeld, l.limits.Max), l.formedBytes >= max(maxHeldBytes, int(l.limits.Bytes)):
		l.close(l.forming[0])
	}
}

// formingFor: deliveries of an event that is several share their batches with no other
// event, since they are settled only together.
func (l *lane) formingFor(group string, d *delivery) *forming {
	it := d.item
	if d.ex != nil {
		it = d.ex.item
	}
	if !it.unsettled() || it.open < 2 && len(it.done) == 0 && len(it.batches) == 0 {
		it = nil
	}
	for _, f := range l.forming {
		if f.group == group && f.item == it {
			return f
		}
	}
	f := &forming{group: group, item: it, since: time.Now()}
	l.forming = append(l.forming, f)
	return f
}

// closeDue closes what has waited long enough, or all.
func (l *lane) closeDue(all bool) {
	for len(l.forming) > 0 && (all || time.Since(l.forming[0].since) >= l.limits.Within) {
		l.close(l.forming[0])
	}
}

// formDue is when the next batch closes for its age; zero: none is forming.
func (l *lane) formDue() time.Time {
	if len(l.forming) == 0 {
		return time.Time{}
	}
	return l.forming[0].since.Add(l.limits.Within)
}

// close makes a batch of what has formed.
func (l *lane) close(f *forming) {
	l.forming = slices.DeleteFunc(l.forming, func(o *forming) bool { return o == f })
	l.formed -= len(f.list)
	l.formedBytes -= f.bytes
	slots := make([]slot, len(f.list))
	for i, d := range f.list {
		slots[i] = slot{key: l.keyOf(d), d: d}
	}
	l.establish(slots, f.item)
}

// consider lets a batch go on if all that it waits for is there.
func (l *lane) consider(b *batch) {
	if !l.complete(b) {
		return
	}
	if slices.ContainsFunc(b.slots, func(s slot) bool { return s.gone }) {
		l.remake(b)
		return
	}
	b.lined = true
	if slices.ContainsFunc(b.slots, func(s slot) bool { return s.r != nil }) {
		l.queue.push(&retry{batch: b, next: b.due()})
		return
	}
	l.waiting = append(l.waiting, b)
}

// due is when the exceptions among its members may be tried: all together.
func (b *batch) due() time.Time {
	at := b.next
	for i := range b.slots {
		if r := b.slots[i].r; r != nil && r.next.After(at) {
			at = r.next
		}
	}
	return at
}

// remake makes another batch of the members that still come. The steps may be others
// than they were, or an operator has dropped one.
func (l *lane) remake(b *batch) {
	rest := slices.DeleteFunc(slices.Clone(b.slots), func(s slot) bool { return s.gone })
	l.end(b, nil)
	if len(rest) > 0 {
		l.establish(rest, b.item).next = b.next
	}
}

// lapse gives the batches up for now: whatever was loaded comes again.
func (l *lane) lapse() {
	for _, f := range l.forming {
		for _, d := range f.list {
			if d.ex != nil {
				d.ex.batch = nil
				l.giveBack(d)
			}
		}
	}
	for _, b := range l.waiting {
		b.lined = false
	}
	l.forming, l.formed, l.formedBytes, l.waiting = nil, 0, 0, nil
	for _, b := range l.live {
		l.lapsed(b)
	}
}

// lapsed makes the members that are at hand such as come again.
func (l *lane) lapsed(b *batch) {
	for i := range b.slots {
		s := &b.slots[i]
		switch {
		case s.d == nil:
		case s.d.ex != nil:
			s.r, s.d = s.d.ex, nil
			s.r.batch = b
		default:
			s.d = nil
			at := eventAt{s.key.Source, s.key.Position}
			if !slices.Contains(l.expected[at], b) {
				l.expected[at] = append(l.expected[at], b)
			}
		}
	}
	l.consider(b)
}

// loaded notes, of an event whose deliveries have been queued, that members which are not
// among them will not come.
func (l *lane) loaded(c *cursor, p journal.Position, outs []output) {
	at := eventAt{c.source, p}
	expecting := l.expected[at]
	if expecting == nil {
		return
	}
	delete(l.expected, at)
	comes := func(path string) bool {
		if it := c.open[p]; it != nil {
			if _, ok := it.done[path]; ok {
				return false
			}
		}
		return slices.ContainsFunc(outs, func(o output) bool { return o.sink == l.sink.Address && o.event.Path == path })
	}
	it := c.open[p]
	for _, b := range expecting {
		if it != nil && (it.open > 1 || len(it.done) > 0) {
			b.item = it
		}
		for i := range b.slots {
			s := &b.slots[i]
			if s.key.Source == at.source && s.key.Position == at.pos && s.d == nil && s.r == nil && !comes(s.key.Path) {
				s.gone = true
			}
		}
		l.consider(b)
	}
}

// dispatchBatches begins as many calls as may be under way, and has the next batches
// made meanwhile.
func (l *lane) dispatchBatches(abort context.Context) {
	l.gather(func() *delivery { return l.next(abort) })
	for l.mayBegin() {
		l.pulse.beat()
		b := l.pickBatch()
		if b == nil {
			break
		}
		b.calling = true
		l.begin(abort, b.deliveries())
	}
	l.gather(func() *delivery { return l.next(abort) })
}
