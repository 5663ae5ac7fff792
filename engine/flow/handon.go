package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// A flow with a dead_letter hands the event of each of its dead letters to that flow as
// well. That it is to be done is on record, in the state of the lane's sink, from the
// settlement on that stores the dead letter. What comes out of the called flow waits, on
// the lanes to its sinks, as exceptions that are due; but they are tried only when the
// record is gone, so that a crash leads to none of them twice.

// handing is a lane's dead letters that are to be handed on.
type handing struct {
	list   []journal.Exception // on record, or about to be
	stored int                 // of the list, on record
	sent   int                 // of the list, in the settlement that is with the journal
	stale  bool                // the record is not the list
	busy   bool                // somebody hands on
	after  time.Time           // not before that, once more
	given  []journal.Exception // handed on; to be tried when the record is without them
	free   []journal.Exception // when the settlement that is with the journal is stored
	done   chan handedOn
}

// handedOn tells what became of the first n of the list.
type handedOn struct {
	n     int
	given []journal.Exception
	err   error
}

// maxHanding dead letters may wait to be handed on before a lane takes no more deliveries.
const maxHanding = 256

// copyMark stands in the child path of what was handed on.
const copyMark = "/dead:"

// isCopy tells whether what has the child path was handed on.
func isCopy(path string) bool { return strings.Contains(path, copyMark) }

// handsOn tells whether a dead letter is to be handed on. One that comes of another is not.
func (f *flow) handsOn(ex *journal.Exception) bool {
	return f.Program.dead != nil && ex.Dead && !isCopy(ex.Path)
}

// handKey is where a lane's record stands.
func (f *flow) handKey(id journal.Lane) string {
	return fmt.Sprintf("handing/%s/%s", f.origin(), id.Sink)
}

func (f *flow) handRecord(id journal.Lane, list []journal.Exception) component.Put {
	p := component.Put{Key: f.handKey(id)}
	if len(list) > 0 {
		p.Value = newLetters(list)
	}
	return p
}

// letters are dead letters on record, with what they share once.
type letters struct {
	List  []journal.Exception
	Parts []*journal.Shared
	Of    []int // by letter, the place of its part; -1: it has none
}

func newLetters(list []journal.Exception) letters {
	l := letters{List: list, Of: make([]int, len(list))}
	places := map[*journal.Shared]int{nil: -1}
	for i := range list {
		part := list[i].Shared
		if _, known := places[part]; !known {
			places[part] = len(l.Parts)
			l.Parts = append(l.Parts, part)
		}
		l.Of[i] = places[part]
	}
	return l
}

func (l letters) list() []journal.Exception {
	for i, n := range l.Of {
		if n >= 0 {
			l.List[i].Shared = l.Parts[n]
		}
	}
	return l.List
}

// toHand has the lane hand on a dead letter of the settlement that gathers.
func (l *lane) toHand(ex journal.Exception) {
	if l.f.handsOn(&ex) {
		l.hands.list, l.hands.stale = append(l.hands.list, ex), true
	}
}

// noteHanding puts the record into the settlement that gathers.
func (l *lane) noteHanding() {
	h := &l.hands
	if h.stale {
		l.out.State = append(l.out.State, l.f.handRecord(l.id, h.list))
		h.stale, h.sent, h.free, h.given = false, len(h.list), h.given, nil
	}
}

// handingStored takes note that the record is on disk.
func (l *lane) handingStored() {
	h := &l.hands
	h.stored = h.sent
	l.f.r.take(h.free)
	h.free = nil
}

// handOn begins to hand on what is on record, beside the lane.
func (l *lane) handOn() {
	h := &l.hands
	if h.busy || h.stored == 0 || time.Now().Before(h.after) || l.f.r.ctx.Err() != nil {
		return
	}
	h.busy, h.after = true, time.Time{}
	list := h.list[:h.stored:h.stored]
	go func() {
		given, err := l.f.hand(l.f.r.ctx, list)
		h.done <- handedOn{len(list), given, err}
	}()
}

// handed takes note that this is done.
func (l *lane) handed(r handedOn) {
	h := &l.hands
	h.busy = false
	if r.err != nil {
		h.after = time.Now().Add(settleRetry)
		l.o.Log.Error("dead letters are not handed on yet", "lane", l.name(), "error", r.err)
		return
	}
	h.list, h.stored, h.sent = h.list[r.n:], h.stored-r.n, h.sent-r.n
	h.given, h.stale = append(h.given, r.given...), true
}

// handing tells whether the lane may not leave yet. At a stop of the daemon the rest is
// done at the next start.
func (l *lane) handing() bool {
	return l.hands.busy || len(l.hands.list) > 0 && l.f.r.ctx.Err() == nil
}

// hand takes dead letters through the called flow. What comes out is on disk when it
// returns: exceptions that are due.
func (f *flow) hand(ctx context.Context, list []journal.Exception) ([]journal.Exception, error) {
	by := map[journal.Lane][]journal.Exception{}
	var parts sharing
	for i := range list {
		if err := f.handOne(ctx, &list[i], by, &parts); err != nil {
			return nil, err
		}
	}
	var all []journal.Exception
	for id, exs := range by {
		if err := f.o.Journal.Settle(ctx, journal.Settlement{Lane: id, Failed: exs}); err != nil {
			return nil, fmt.Errorf("hand dead letters to %s: %w", id.Sink, err)
		}
		if id.Sink != "" {
			all = append(all, exs...)
		}
	}
	return all, nil
}

// handOne adds what becomes of a dead letter. Where the called flow cannot handle it, that
// is a dead letter of its own.
func (f *flow) handOne(ctx context.Context, dead *journal.Exception, by map[journal.Lane][]journal.Exception, parts *sharing) error {
	e, err := parts.open(dead)
	if err != nil {
		return err
	}
	e = told(e, dead)
	outs, failure := (&pass{ctx: ctx}).through(f.Program.dead, e)
	if failure != nil {
		ex := f.waiting(dead, output{"", e}, parts)
		ex.Dead, ex.Next, ex.Attempts, ex.Step = true, time.Time{}, 1, "dead_letter"
		ex.Errors = history(nil, ex.Since, failure)
		f.deaths.log(f.o.Log, ex, failure)
		by[ex.Lane] = append(by[ex.Lane], ex)
	}
	for _, o := range outs {
		ex := f.waiting(dead, o, parts)
		by[ex.Lane] = append(by[ex.Lane], ex)
	}
	return nil
}

// waiting is what came out of the called flow, as an exception that is due.
func (f *flow) waiting(dead *journal.Exception, o output, parts *sharing) journal.Exception {
	now := f.o.Now()
	ex := journal.Exception{
		Key:  journal.Key{Source: dead.Source, Position: dead.Position, Path: o.event.Path},
		Lane: journal.Lane{Flow: f.Name, Sink: string(o.sink)}, EventID: dead.EventID, EventTime: dead.EventTime,
		Since: now, Next: now,
	}
	if err := parts.seal(&ex, o.event); err != nil {
		f.o.Log.Error("exception kept without its event", "flow", f.Name, "event", ex.EventID, "error", err)
	}
	return ex
}

// told is the event of a dead letter as the called flow sees it: with what happened in its
// meta, and a child path that no other has, a later death of the same included.
func told(e *component.Event, dead *journal.Exception) *component.Event {
	c := *e
	c.Path += copyMark + short(dead.Lane.Sink) + ":" + strconv.Itoa(dead.Attempts)
	if c.Meta = maps.Clone(e.Meta); c.Meta == nil {
		c.Meta = map[string]any{}
	}
	if dead.Lane.Sink != "" {
		c.Meta["sink"] = dead.Lane.Sink
	} else {
		c.Meta["step"] = dead.Step
	}
	c.Meta["flow"], c.Meta["attempts"], c.Meta["error"] = dead.Lane.Flow, int64(dead.Attempts), ""
	if n := len(dead.Errors); n > 0 {
		c.Meta["error"] = dead.Errors[n-1].Error
	}
	return &c
}

// take gives exceptions that are due to their lanes.
func (r *Runner) take(exs []journal.Exception) {
	if len(exs) == 0 {
		return
	}
	r.members.Go(func() {
		for _, ex := range exs {
			_ = r.ask(r.ctx, ex.Lane, func(l *lane) { l.revive(ex) }) // who leaves has a successor, who finds it
		}
	})
}

// redo hands on, at the start and before anything is delivered, what is on record.
func (r *Runner) redo(ctx context.Context, f *flow) error {
	ids := []journal.Lane{{Flow: f.Name}}
	for _, sink := range f.Program.Sinks() {
		ids = append(ids, journal.Lane{Flow: f.Name, Sink: string(sink)})
	}
	for _, id := range ids {
		raw, found, err := r.o.Journal.Get(ctx, id.Sink, f.handKey(id))
		var dead letters
		if err == nil && found {
			err = json.Unmarshal(raw, &dead)
		}
		if err == nil && len(dead.List) > 0 {
			if _, err = f.hand(ctx, dead.list()); err == nil {
				err = r.o.Journal.Settle(ctx, journal.Settlement{Lane: id, State: []component.Put{f.handRecord(id, nil)}})
			}
		}
		if err != nil {
			return fmt.Errorf("hand on dead letters of %s: %w", f.Name, err)
		}
	}
	return nil
}

// bury stores dead letters of the steps, and hands them on.
func (s *stepsLane) bury(ctx context.Context, settlement journal.Settlement) error {
	s.handing <- struct{}{}
	defer func() { <-s.handing }()
	list := s.toHand
	for i := range settlement.Failed {
		if s.f.handsOn(&settlement.Failed[i]) {
			list = append(list, settlement.Failed[i])
		}
	}
	if len(list) > len(s.toHand) {
		settlement.State = append(settlement.State, s.f.handRecord(s.id, list))
	}
	if len(settlement.Failed) > 0 {
		if err := s.f.o.Journal.Settle(ctx, settlement); err != nil {
			return fmt.Errorf("record dead letters of %s: %w", s.f.Name, err)
		}
		s.toHand = list
	}
	return s.handOn(ctx)
}

// handOn hands on what is on record. s.handing is held.
func (s *stepsLane) handOn(ctx context.Context) error {
	if len(s.toHand) == 0 {
		return nil
	}
	given, err := s.f.hand(ctx, s.toHand)
	if err != nil {
		return err
	}
	err = s.f.o.Journal.Settle(ctx, journal.Settlement{Lane: s.id, State: []component.Put{s.f.handRecord(s.id, nil)}})
	if err != nil {
		return fmt.Errorf("hand on dead letters of %s: %w", s.f.Name, err)
	}
	s.toHand = nil
	s.f.r.take(given)
	return nil
}

// handAgain retries a dead letter of the called flow.
func (f *flow) handAgain(ctx context.Context, ex journal.Exception, e *component.Event, parts *sharing) error {
	outs, failure := (&pass{ctx: ctx}).through(f.Program.dead, e)
	if failure != nil {
		return f.steps.diedAgain(ctx, ex, &StepError{ex.Step, failure})
	}
	var given []journal.Exception
	for _, o := range outs {
		late := f.waiting(&ex, o, parts)
		if err := f.o.Journal.Settle(ctx, journal.Settlement{Lane: late.Lane, Failed: []journal.Exception{late}}); err != nil {
			return fmt.Errorf("hand on event %s: %w", ex.EventID, err)
		}
		given = append(given, late)
	}
	err := f.o.Journal.Settle(ctx, journal.Settlement{
		Lane:     f.steps.id,
		Resolved: []journal.Resolution{{Key: ex.Key, Status: journal.Nothing, Attempts: ex.Attempts + 1}},
	})
	if err == nil {
		f.r.take(given)
	}
	return err
}
