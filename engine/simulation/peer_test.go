package simulation

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/journal"
)

// peer is the system at the other end of a sink, which no crash of the daemon
// touches. It remembers all that it was asked, and complains of what breaks a
// promise.
type peer struct {
	w    *world
	plan *sinkPlan

	writers atomic.Int32 // calls of a file that are under way

	mu      sync.Mutex
	mood    mood
	since   time.Time // of the mood
	cured   bool      // it takes what it used to reject
	records map[delivery]*record
	keys    map[string]delivery // idempotency keys
	rows    []delivery          // content of a file
	batches map[string][]delivery
	last    map[delivery]inBatch
	split   map[string]bool // batches that were refused as a whole
}

// delivery names a delivery as the outside sees it.
type delivery struct {
	flow, n int
	path    string
}

func (d delivery) String() string { return fmt.Sprintf("f%d #%d%s", d.flow, d.n, d.path) }

// answer is what an attempt was told.
type answer int

const (
	none answer = iota
	ok
	failed // worth a retry
	final  // a dead letter at once
	ill    // the sink's own illness
)

var answerNames = []string{"nothing", "ok", "failed", "final", "ill"}

// record is the history of one delivery.
type record struct {
	key, print string // idempotency key, and all that a sink sees of the event
	tries      int
	effects    int
	last       answer
	okIn       int // the daemon whose attempt succeeded last
	succeeded  bool
	refused    bool      // an attempt was told that it is final
	firstBad   time.Time // of the failed attempts
	badIn      int       // the daemon that made it
	expired    bool      // it went on failing for as long as is tried
	settled    bool      // its success is on record, as the journal acknowledged
	dropped    bool      // an operator gave it up, acknowledged
	dropping   bool      // an operator tried to give it up
	forgotten  bool      // an operator dropped the lane that it came by
}

// over tells that the events behind it need not wait for it any longer.
func (r *record) over() bool {
	return r != nil && (r.succeeded || r.refused || r.expired || r.dropping)
}

func newPeer(w *world, k *sinkPlan) *peer {
	return &peer{w: w, plan: k, records: map[delivery]*record{}, keys: map[string]delivery{},
		batches: map[string][]delivery{}, last: map[delivery]inBatch{}, split: map[string]bool{}}
}

func (t *peer) seed() seed { return t.w.seed }

// begin checks an attempt before it has any effect. With it begin those of batch.
func (t *peer) begin(in *daemon, d component.Delivery, batch map[delivery]bool) (delivery, *record) {
	turn()
	e := d.Event
	id := delivery{flow: int(e.Vars["flow"].(int64)), n: serial(e), path: e.Path}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[id]
	if r == nil {
		r = &record{}
		t.records[id] = r
	}
	if r.key == "" { // an operator may have given it up before it was tried
		t.first(id, d.ID, batch)
		r.key, r.print = d.ID, fingerprint(e)
		t.keys[d.ID] = id
	}
	t.again(in, id, d, r)
	r.tries++
	batch[id] = true
	return id, r
}

// first checks the first attempt of a delivery.
func (t *peer) first(id delivery, key string, batch map[delivery]bool) {
	if other, taken := t.keys[key]; taken {
		t.w.fail("G4: %s and %s have the same key %s", other, id, key)
	}
	lane := t.lane(id)
	if !t.w.model.expects(lane, id) {
		t.w.fail("G3: %s came to %s, where it must not", id, t.plan.address)
	}
	if before, out := lane.overtakes(t.w.model, t, id, batch); out {
		t.w.fail("order: %s came to %s before %s", id, t.plan.address, before)
	}
}

// again checks what every attempt must keep to.
func (t *peer) again(in *daemon, id delivery, d component.Delivery, r *record) {
	where := fmt.Sprintf("%s at %s, attempt %d", id, t.plan.address, r.tries+1)
	switch {
	case r.key != d.ID:
		t.w.fail("G4: %s has key %s, had %s", where, d.ID, r.key)
	case r.print != fingerprint(d.Event):
		t.w.fail("G4: %s differs from the first:\n%s\n%s", where, r.print, fingerprint(d.Event))
	case r.okIn == in.number && t.plan.kind != file: // a file's call may be undone
		t.w.fail("G4: %s came again though it had succeeded in the same run", where)
	case r.settled && !r.forgotten:
		t.w.fail("G4: %s came again though its success was on record", where)
	case r.dropped:
		t.w.fail("G3: %s came again though it was dropped", where)
	case d.Attempt < 1 || d.Attempt > r.tries+1:
		t.w.fail("G4: %s says that it is attempt %d", where, d.Attempt)
	}
}

// told notes the answer to an attempt.
func (t *peer) told(in *daemon, d delivery, a answer) {
	in.trace("%s tells %s %s", t.plan.address, d, answerNames[a])
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[d]
	r.last = a
	switch a {
	case ok:
		r.okIn, r.succeeded = in.number, true
	case final:
		r.refused = true
	case failed, none:
		if r.firstBad.IsZero() {
			r.firstBad, r.badIn = time.Now(), in.number
		}
		// A restart after a step of the clock counts a pause that it cut short as whole.
		spared := time.Duration(in.number-r.badIn) * max(retryMax, busyMax)
		r.expired = r.expired || time.Since(r.firstBad)+spared >= t.plan.retryFor
	}
}

// lane is the one that a delivery came by.
func (t *peer) lane(id delivery) *laneModel {
	return t.w.model.lanes[journal.Lane{Flow: t.w.plan.flows[id.flow].name, Sink: t.plan.address}]
}

// fingerprint is all that a sink may send of an event.
func fingerprint(e *component.Event) string {
	b, err := format.AppendJSON(nil, map[string]any{
		"id": e.ID, "source": e.Source, "time": e.Time.UnixNano(), "key": e.Key, "meta": e.Meta,
		"body": e.Body, "vars": e.Vars, "parent": e.Parent, "path": e.Path,
	})
	if err != nil {
		return err.Error()
	}
	return string(b)
}
