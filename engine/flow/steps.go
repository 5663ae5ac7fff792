package flow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// stepsLane is the lane that owns what was filtered and what died in a step. It
// reads nothing by itself: whichever lane evaluates a chunk first records its
// failures here, before it settles them as having nothing to deliver, and then
// hands the chunk over.
type stepsLane struct {
	id journal.Lane
	f  *flow

	mu       sync.Mutex
	cursors  map[string]*cursor
	out      []journal.Outcome
	spare    []journal.Outcome // room for those of the next settlement
	flushing bool
	idle     chan struct{} // closed when the last flush has ended
	draining bool

	handing chan struct{}       // held by those who store dead letters that are to be handed on
	toHand  []journal.Exception // on record
}

// newStepsLane goes on where progress says. What a sink's lane has settled has
// been through the steps, and its failures are on record: so far there is nothing
// left to do.
func newStepsLane(f *flow, progress []journal.Progress) *stepsLane {
	s := &stepsLane{id: journal.Lane{Flow: f.Name}, f: f, cursors: map[string]*cursor{}, handing: make(chan struct{}, 1)}
	for _, p := range progress {
		if p.Lane == s.id {
			s.cursors[p.Source] = newCursor(p)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range progress {
		c := s.cursors[p.Source]
		if p.Lane == s.id || c == nil {
			continue
		}
		s.cover(c, c.low+1, p.Low, nil)
		for _, b := range p.Beyond {
			s.cover(c, b, b, nil)
		}
	}
	return s
}

// begin settles what the sinks' lanes were ahead by.
func (s *stepsLane) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
}

// record makes the failures of a chunk dead letters. It returns when they are on disk.
func (s *stepsLane) record(ctx context.Context, c *chunk) error {
	c.recording <- struct{}{}
	defer func() { <-c.recording }()
	if c.recorded {
		return nil
	}
	settlement := journal.Settlement{Lane: s.id}
	failed := map[journal.Position]bool{}
	for i := range c.results {
		if c.results[i].err == nil {
			continue
		}
		p := c.first + journal.Position(i)
		failed[p] = true
		known, err := s.known(ctx, c.frame.Source, p)
		if err != nil {
			return err
		}
		if !known {
			ex := s.deadLetter(c.frame.Source, p, c.record(p), c.results[i].err)
			ex.OrderKey = c.results[i].key
			s.f.deaths.log(s.f.o.Log, ex, c.results[i].err)
			settlement.Failed = append(settlement.Failed, ex)
			settlement.Outcomes = append(settlement.Outcomes, journal.Outcome{
				Source: c.frame.Source, Position: p, Status: journal.Excepted, Attempts: 1,
			})
		}
	}
	if err := s.bury(ctx, settlement); err != nil {
		return err
	}
	c.recorded = true
	s.settled(c, failed)
	return nil
}

// known tells whether the event's failure is on record already, from an earlier
// pass of another lane or before a restart, or was given up.
func (s *stepsLane) known(ctx context.Context, source string, p journal.Position) (bool, error) {
	s.mu.Lock()
	seen := s.cursors[source].isSettled(p)
	s.mu.Unlock()
	if !seen {
		return false, nil
	}
	by, err := s.f.o.Journal.Statuses(ctx, s.f.Name, source, p)
	if err != nil {
		return false, fmt.Errorf("look up event %d of %s: %w", p, source, err)
	}
	return by[""]&(journal.Excepted|journal.Dropped) != 0, nil
}

func (s *stepsLane) deadLetter(source string, p journal.Position, rec *journal.Record, cause *StepError) journal.Exception {
	now := s.f.o.Now()
	ex := journal.Exception{
		Key: journal.Key{Source: source, Position: p}, Lane: s.id,
		EventID: rec.ID.String(), EventTime: rec.Time, Step: cause.Step,
		Attempts: 1, Since: now, Dead: true,
		Errors: []journal.Failure{{Time: now, Error: cause.Err.Error()}},
	}
	e, err := restore(source, rec)
	if err != nil {
		e = &component.Event{ID: ex.EventID, Body: string(rec.Payload.Raw)}
	}
	if err := (&sharing{}).seal(&ex, e); err != nil {
		s.f.o.Log.Error("dead letter kept without its event", "flow", s.f.Name, "event", ex.EventID, "error", err)
	}
	return ex
}

// settled takes over a chunk whose failures are on record.
func (s *stepsLane) settled(c *chunk, failed map[journal.Position]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cover(s.cursors[c.frame.Source], c.first, c.last(), failed)
	s.flush()
}

// cover settles positions for which the steps lane has nothing to do. s.mu is held.
func (s *stepsLane) cover(c *cursor, first, last journal.Position, failed map[journal.Position]bool) {
	for p := max(first, c.low+1); p <= last; p++ {
		if c.isSettled(p) {
			continue
		}
		c.settle(p)
		if !failed[p] {
			s.out = append(s.out, journal.Outcome{Source: c.source, Position: p, Status: journal.Nothing})
		}
	}
}

// flush settles what has gathered, unless a flush is under way. s.mu is held.
func (s *stepsLane) flush() {
	if s.flushing || len(s.out) == 0 {
		return
	}
	s.flushing, s.idle = true, make(chan struct{})
	go s.settle()
}

// settle hands over what has gathered until nothing is left. When the journal
// cannot take it, it tries again, until the lane drains.
func (s *stepsLane) settle() {
	for {
		s.mu.Lock()
		out, draining := s.out, s.draining
		if len(out) == 0 {
			s.flushing = false
			close(s.idle)
			s.mu.Unlock()
			return
		}
		s.out, s.spare = s.spare, nil
		s.mu.Unlock()
		out, _ = arrange(out, nil)
		err := s.f.o.Journal.Settle(context.Background(), journal.Settlement{Lane: s.id, Outcomes: out})
		if err == nil || draining || errors.Is(err, journal.ErrNotFound) { // the lane has been dropped
			s.mu.Lock()
			s.spare = reuse(out)
			s.mu.Unlock()
			continue
		}
		s.mu.Lock()
		s.out = append(out, s.out...)
		s.mu.Unlock()
		time.Sleep(settleRetry)
	}
}

// drain settles what is left. From giveUp on it gives up what the journal cannot
// take: after a restart it is settled again.
func (s *stepsLane) drain(giveUp <-chan struct{}) {
	s.mu.Lock()
	s.flush()
	idle := s.idle
	s.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
		return
	case <-giveUp:
	}
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	<-idle
}
