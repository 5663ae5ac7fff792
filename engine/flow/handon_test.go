package flow

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// telling gives the flow another to which its dead letters go.
func (s *Spec) telling(nodes ...Node) {
	s.Program = s.Program.WithDeadLetters([]Node{Call{Flow: "flow.trouble", Nodes: nodes}})
}

// metas are what the sink was told of dead letters.
type metas struct {
	fake
	got []map[string]any
}

func (m *metas) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	m.mu.Lock()
	m.got = append(m.got, ds[0].Event.Meta)
	m.mu.Unlock()
	return m.fake.Deliver(ctx, ds)
}

// A dead letter's event goes to the flow that is to be told as well, once for each death,
// and the dead letter stays.
func TestDeadLettersAreHandedOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		allowed := make(chan struct{})
		s, alarm := &fake{}, &metas{}
		s.set(refuse("bad", allowed))
		g.flow("f", send(g.sink("a", s))).telling(send(g.sink("alarm", alarm)))
		g.run()
		g.accept("good", "bad", "good")
		settle(time.Minute)
		if d := cmp.Diff([]any{"bad"}, alarm.bodies()); d != "" {
			t.Fatalf("the other flow was told: (-want +got)\n%s", d)
		}
		want := map[string]any{"flow": "flow.f", "sink": "sink.test.a", "attempts": int64(1), "error": "refused"}
		if d := cmp.Diff(want, alarm.got[0]); d != "" {
			t.Errorf("meta: (-want +got)\n%s", d)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 3, Delivered: 2, Dead: 1})
		dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})[0]
		g.retry(dead)
		settle(time.Minute)
		if n := alarm.attempts(); n != 2 || alarm.fake.got[0].id == alarm.fake.got[1].id {
			t.Errorf("told %d times of two deaths, or under one id", n)
		}
		close(allowed)
		g.retry(dead)
		settle(time.Minute)
		if n := alarm.attempts(); n != 2 {
			t.Errorf("told %d times of two deaths", n)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 3, Delivered: 3})
		g.restart()
		settle(time.Minute)
		if n := alarm.attempts(); n != 2 {
			t.Errorf("told %d times after a restart", n)
		}
	})
}

// It may be the same sink: what it is told is not taken for the delivery itself.
func TestDeathInAStepIsHandedOnToTheSameSink(t *testing.T) {
	for _, told := range []bool{true, false} {
		inBubble(t, func(t *testing.T) {
			g := newRig(t)
			broken := true
			step := Apply{"step", stepFunc(func(e *component.Event) ([]*component.Event, error) {
				if broken {
					return nil, errors.New("it is broken")
				}
				return []*component.Event{e.With("whole")}, nil
			})}
			s := &fake{}
			if !told {
				s.set(func(context.Context, component.Delivery) error { return component.Permanent(errDown) })
			}
			addr := g.sink("a", s)
			g.flow("f", step, send(addr)).telling(send(addr))
			g.run()
			g.accept("raw")
			settle(time.Minute)
			s.set(nil)
			broken = false
			for _, ex := range g.exceptions(journal.ExceptionQuery{DeadOnly: true}) {
				if ex.Step == "step" {
					g.retry(ex)
				}
			}
			settle(time.Minute)
			want := []any{"raw", "whole"}
			if !told {
				want = want[1:]
			}
			if d := cmp.Diff(want, s.bodies()); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// What dies on its way to those who are to be told is a dead letter, and no more.
func TestDeadLetterOfADeadLetter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s, alarm := &fake{}, &fake{}
		s.set(refuse("bad", nil))
		alarm.set(refuse("bad", nil))
		g.flow("f", send(g.sink("a", s))).telling(send(g.sink("alarm", alarm)))
		g.run()
		g.accept("bad")
		settle(time.Hour)
		if dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true}); len(dead) != 2 || alarm.attempts() != 1 {
			t.Errorf("%d dead letters, %d attempts to tell", len(dead), alarm.attempts())
		}
	})
}

// A called flow that cannot handle a dead letter has one of its own, which can be retried.
func TestCalledFlowThatFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		broken := true
		step := Apply{"step", stepFunc(func(e *component.Event) ([]*component.Event, error) {
			if broken {
				return nil, errors.New("it is broken")
			}
			return []*component.Event{e}, nil
		})}
		s, alarm := &fake{}, &fake{}
		s.set(refuse("bad", nil))
		g.flow("f", send(g.sink("a", s))).telling(step, send(g.sink("alarm", alarm)))
		g.run()
		g.accept("bad")
		settle(time.Minute)
		for range 2 {
			for _, ex := range g.exceptions(journal.ExceptionQuery{DeadOnly: true}) {
				if ex.Step == "dead_letter" {
					g.retry(ex)
				}
			}
			settle(time.Minute)
			broken = false
		}
		if d := cmp.Diff([]any{"bad"}, alarm.bodies()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true}); len(dead) != 1 {
			t.Errorf("%d dead letters are left, want that of the sink", len(dead))
		}
	})
}

// A daemon that was killed when a dead letter was on disk, and nothing else, hands it on at
// the next start; so does one that was killed when what came out of it was on disk too.
func TestHandingOnOutlivesAKill(t *testing.T) {
	for _, given := range []bool{false, true} {
		inBubble(t, func(t *testing.T) {
			g := newRig(t)
			s, alarm := &fake{}, &fake{}
			s.set(refuse("bad", nil))
			spec := g.flow("f", send(g.sink("a", s)))
			spec.telling(send(g.sink("alarm", alarm)))
			g.run()
			f := g.r.roster.Load().flows["flow.f"]
			g.accept("bad")
			settle(time.Minute)
			dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
			g.stop()
			dead[0].Attempts = 2 // another death, as the journal has it
			lane := journal.Lane{Flow: "flow.f", Sink: "sink.test.a"}
			err := g.j.Settle(t.Context(), journal.Settlement{
				Lane: lane, Failed: dead, State: []component.Put{f.handRecord(lane, dead)},
			})
			if err == nil && given {
				_, err = f.hand(t.Context(), dead)
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				g.run()
				settle(time.Minute)
				g.stop()
			}
			if n := len(alarm.bodies()); n != 2 {
				t.Errorf("told %d times of two deaths", n)
			}
		})
	}
}

// A reload loses nothing that is to be handed on.
func TestHandingOnOverReloads(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s, alarm := &fake{}, &fake{}
		s.set(func(context.Context, component.Delivery) error { return component.Permanent(errDown) })
		spec := g.flow("f", send(g.sink("a", s)))
		tell := func() { spec.telling(send(g.sink("alarm", alarm))) }
		tell()
		g.run()
		for i := range 30 {
			g.accept(numbers(10*i+1, 10*i+10)...)
			time.Sleep(time.Millisecond)
			g.swap(tell)
		}
		settle(time.Hour)
		told := map[any]int{}
		for _, b := range alarm.bodies() {
			told[b]++
		}
		for n := int64(1); n <= 300; n++ {
			if told[n] != 1 {
				t.Errorf("told %d times of %d", told[n], n)
			}
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 300, Dead: 300})
	})
}
