package simulation

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// plainSink is a daemon's access to a peer that takes deliveries one by one.
type plainSink struct {
	t      *peer
	in     *daemon
	closed *atomic.Bool
}

func (s plainSink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	defer s.in.use(s.t, s.closed)()
	if !s.in.alive() {
		return component.AllFailed(len(ds), context.Canceled)
	}
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = s.one(ctx, d)
	}
	return component.Result{Errors: errs}
}

func (s plainSink) one(ctx context.Context, d component.Delivery) error {
	id, r := s.t.begin(s.in, d, map[delivery]bool{})
	c := s.t.conduct(id, r.tries)
	if s.t.rejects(id) && c.err == nil && !c.hangs && !c.panics {
		c.err, c.effect = component.Permanent(errRejected), false
	}
	s.in.trace("%s begins %s try %d", s.t.plan.address, id, r.tries)
	return s.t.finish(ctx, s.in, []delivery{id}, c, func() { r.effects++ })
}

// finish lives through c and notes the answer.
func (t *peer) finish(ctx context.Context, in *daemon, ids []delivery, c conduct, effect func()) (err error) {
	a := none
	defer turn()
	defer func() {
		if !in.alive() {
			return
		}
		for _, d := range ids {
			t.told(in, d, a)
		}
	}()
	if err := pause(ctx, c.before); err != nil {
		sleep(c.late)
		return err
	}
	if c.effect && in.alive() {
		t.mu.Lock()
		effect()
		t.mu.Unlock()
	}
	if c.hangs {
		turn()
		<-ctx.Done()
		turn()
		sleep(c.late)
		return ctx.Err()
	}
	if err := pause(ctx, c.after); err != nil {
		sleep(c.late)
		return err
	}
	if c.panics {
		a = t.verdict(final, ids)
		panic("a sink's fault")
	}
	a = t.verdict(answerOf(c.err), ids)
	return c.err
}

// verdict is what an answer means for each delivery: that a batch is refused as a whole
// says of none of several that it is at fault.
func (t *peer) verdict(a answer, ids []delivery) answer {
	if a == final && t.plan.kind == batched && len(ids) > 1 {
		return failed
	}
	return a
}

func answerOf(err error) answer {
	switch {
	case err == nil:
		return ok
	case component.IsPermanent(err):
		return final
	case component.IsUnwell(err):
		return ill
	}
	return failed
}

// pause waits for d of virtual time.
func pause(ctx context.Context, d time.Duration) error {
	turn()
	defer turn()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fileSink is a daemon's access to a file: it appends rows, and commits the
// file's length with the settlement. What is beyond that length after a crash, or
// a call whose end it does not know, is cut off.
type fileSink struct {
	t      *peer
	in     *daemon
	closed *atomic.Bool
	known  bool
	rows   int
}

var _ component.Pipelined = (*fileSink)(nil)

func (s *fileSink) MaxBatch() int { return s.t.plan.batch }

func (s *fileSink) Pipelines() bool { return true }

func (s *fileSink) Forget() { s.known = false }

func (s *fileSink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	defer s.in.use(s.t, s.closed)()
	if s.t.writers.Add(1) > 1 && s.in.alive() {
		s.in.w.fail("G4: two write %s at the same time", s.t.plan.address)
	}
	defer s.t.writers.Add(-1)
	if !s.in.alive() {
		return component.AllFailed(len(ds), context.Canceled)
	}
	if err := s.repair(ctx); err != nil {
		return component.AllFailed(len(ds), err)
	}
	ids, rs, batch := make([]delivery, len(ds)), make([]*record, len(ds)), map[delivery]bool{}
	for i, d := range ds {
		ids[i], rs[i] = s.t.begin(s.in, d, batch)
	}
	c := s.t.conduct(ids[0], rs[0].tries)
	s.in.trace("%s begins %v try %d", s.t.plan.address, ids, rs[0].tries)
	if c.effect && c.err == nil && !c.hangs && !c.panics {
		return s.write(ctx, ids, rs, c)
	}
	torn := s.t.seed().pick(len(ids)+1, "torn", s.t.plan.index, ids[0].n, rs[0].tries)
	err := s.t.finish(ctx, s.in, ids, c, func() { s.t.rows = append(s.t.rows, ids[:torn]...) })
	return component.AllFailed(len(ds), err)
}

// repair brings the file back to the length that is on record.
func (s *fileSink) repair(ctx context.Context) error {
	if !s.known {
		raw, found, err := s.in.journal.Get(ctx, s.t.plan.address, "rows")
		if err != nil {
			return err
		}
		s.rows = 0
		if found {
			if err := json.Unmarshal(raw, &s.rows); err != nil {
				return err
			}
		}
		s.known = true
	}
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	switch {
	case !s.in.alive():
		return context.Canceled
	case len(s.t.rows) < s.rows:
		s.t.w.fail("G4: %s has %d rows, %d are on record", s.t.plan.address, len(s.t.rows), s.rows)
	default:
		s.t.rows = s.t.rows[:s.rows]
	}
	return nil
}

// write appends row by row. A row may be refused; at another the disk may fail.
func (s *fileSink) write(ctx context.Context, ids []delivery, rs []*record, c conduct) component.Result {
	errs := make([]error, len(ids))
	limit := len(ids)
	if s.t.mood == lossy && s.t.seed().chance(40, "disk", s.t.plan.index, ids[0].n, rs[0].tries) {
		limit = s.t.seed().pick(len(ids), "disk at", s.t.plan.index, ids[0].n, rs[0].tries)
	}
	for i, id := range ids {
		err := pause(ctx, c.before/time.Duration(i+1))
		switch {
		case err != nil:
		case i >= limit:
			err = errFailing
		case s.t.rejects(id):
			err = component.Permanent(errRejected)
		case s.in.alive():
			s.append(id, rs[i])
		}
		if errs[i] = err; err != nil && !component.IsPermanent(err) {
			limit = i
		}
	}
	if !s.in.alive() {
		return component.AllFailed(len(ids), context.Canceled)
	}
	for i, id := range ids {
		s.t.told(s.in, id, answerOf(errs[i]))
	}
	return component.Result{Errors: errs, State: []component.Put{{Key: "rows", Value: s.rows}}}
}

func (s *fileSink) append(id delivery, r *record) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.t.rows = append(s.t.rows, id)
	s.rows++
	r.effects++
}
