// Package intake stands between a source and the journal: it gives each draft
// its id and time, applies what all sources have in common (key, id, redact)
// and stores the result. A draft that those cannot handle is kept as a dead
// letter of its source.
package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/journal"
)

// Options say whose intake it is.
type Options struct {
	Source  component.Address
	Common  *component.SourceCommon
	Journal journal.Journal
	Now     func() time.Time
	Records bool                                           // see component.Kind
	Parse   func(component.Draft) (component.Draft, error) // see component.Parser; nil: the source is none
}

// Intake is one source's component.Intake. It is safe for concurrent use.
type Intake struct {
	source  string
	common  *component.SourceCommon
	journal journal.Journal
	now     func() time.Time
	renew   bool // ids that are met again
	parse   func(component.Draft) (component.Draft, error)
	started time.Time
	masks   []mask
	// What must be looked at before anything can be stored; and what is stored
	// anew because something in it is masked.
	looks, usesBody, usesMeta bool
	masksBody, masksMeta      bool
	decoders                  *semaphore.Weighted
	retrying                  sync.Mutex // one retry at a time
}

// bigBatch is the number of bytes from which batches that must be decoded take
// turns: decoded, they are many times as large.
const bigBatch = 64 << 10

var _ component.Intake = (*Intake)(nil)

// New makes an intake. The error tells which path of redact is faulty.
func New(o Options) (*Intake, error) {
	masks, err := parseMasks(o.Common.Redact)
	if err != nil {
		return nil, fmt.Errorf("open intake of %s: %w", o.Source, err)
	}
	in := &Intake{
		source: string(o.Source), common: o.Common, journal: o.Journal,
		now: o.Now, renew: o.Records, parse: o.Parse, started: o.Now(), masks: masks,
		decoders: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0))),
	}
	for _, e := range []expr.Expr{o.Common.Key, o.Common.ID} {
		if e.IsSet() {
			in.looks = true
			in.usesBody, in.usesMeta = in.usesBody || e.Uses("body") || e.Uses("record"), in.usesMeta || e.Uses("meta")
		}
	}
	for _, m := range masks {
		in.looks = true
		in.masksBody, in.masksMeta = in.masksBody || !m.meta, in.masksMeta || m.meta
	}
	in.usesBody, in.usesMeta = in.usesBody || in.masksBody, in.usesMeta || in.masksMeta
	return in, nil
}

// Accept stores the batch in one transaction. A draft on which key or id fails,
// or that cannot be masked, is stored as a dead letter and answered like the others.
func (in *Intake) Accept(ctx context.Context, b component.Batch) ([]component.Accepted, error) {
	records, dead, places, err := in.prepare(ctx, b.Drafts)
	if err != nil {
		return nil, err
	}
	accepted, err := in.journal.Append(ctx, journal.Append{
		Source: in.source, Records: records, State: b.State, Dead: dead,
		DedupeWindow: in.common.DedupeWindow, Renew: in.renew, Silent: b.Silent,
	})
	if err != nil || dead == nil || b.Silent {
		return accepted, err
	}
	return merge(accepted, dead, places), nil
}

// prepare makes records and dead letters of drafts; places are the indexes of the
// dead among the drafts. The error is the context's.
func (in *Intake) prepare(ctx context.Context, drafts []component.Draft) (records []journal.Record, dead []journal.Exception, places []int, err error) {
	if in.usesBody && size(drafts) > bigBatch {
		if err := in.decoders.Acquire(ctx, 1); err != nil {
			return nil, nil, nil, fmt.Errorf("wait to decode: %w", err)
		}
		defer in.decoders.Release(1)
	}
	at := in.now()
	records = make([]journal.Record, 0, len(drafts))
	for i := range drafts {
		id := journal.NewID(at)
		record, fault := in.record(&drafts[i], id, at)
		if fault == nil {
			records = append(records, record)
			continue
		}
		dead = append(dead, in.deadLetter(&drafts[i], id, at, fault))
		places = append(places, i)
	}
	return records, dead, places, nil
}

func size(drafts []component.Draft) int {
	n := 0
	for i := range drafts {
		n += len(drafts[i].Raw)
	}
	return n
}

// merge puts the answers for the dead where their drafts stood.
func merge(accepted []component.Accepted, dead []journal.Exception, places []int) []component.Accepted {
	all := make([]component.Accepted, 0, len(accepted)+len(dead))
	for i := range dead {
		n := places[i] - len(all)
		all = append(all, accepted[:n]...)
		accepted = accepted[n:]
		all = append(all, component.Accepted{ID: dead[i].EventID})
	}
	return append(all, accepted...)
}

// Get reads what the source stored as state of a batch.
func (in *Intake) Get(ctx context.Context, key string, v any) (bool, error) {
	raw, ok, err := in.journal.Get(ctx, in.source, key)
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return false, fmt.Errorf("decode state %q of %s: %w", key, in.source, err)
	}
	return true, nil
}

// Refused counts n inputs that were turned away before becoming events.
func (in *Intake) Refused(n int) { in.journal.Refused(in.source, n) }

// Stale tells whether the source has been silent for longer than expect_every;
// last is when it last brought an event, zero for never. A source that has just
// been started has all its time again.
func (in *Intake) Stale(last time.Time) bool {
	if in.common.ExpectEvery <= 0 {
		return false
	}
	if last.Before(in.started) {
		last = in.started
	}
	return in.now().Sub(last) > in.common.ExpectEvery
}
