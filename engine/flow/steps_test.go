package flow

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// A flow without a lane to a sink has nobody who reads the journal.
func TestFlowNeedsASink(t *testing.T) {
	pass := Apply{"pass", stepFunc(func(e *component.Event) ([]*component.Event, error) { return []*component.Event{e}, nil })}
	_, err := New(Options{}, []Spec{{Name: "flow.f", Sources: []string{src}, Program: NewProgram([]Node{pass})}}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "flow.f: it leads to no sink") {
		t.Errorf("error: %v", err)
	}
}

// What a lane had settled when the daemon was killed counts at the start, also where
// the lane stands before it and its sink is down.
func TestStepsFollowWhatIsSettledBeyond(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{}
		s.set(func(context.Context, component.Delivery) error { return errDown })
		g.flow("f", send(g.sink("a", s)))
		g.run()
		g.stop()
		g.accept(numbers(1, 3*chunkEvents)...)
		const first = 2*chunkEvents + 1
		settlement := journal.Settlement{Lane: journal.Lane{Flow: "flow.f", Sink: "sink.test.a"}}
		for p := journal.Position(first); p <= 3*chunkEvents; p++ {
			settlement.Outcomes = append(settlement.Outcomes, journal.Outcome{Source: src, Position: p, Status: journal.Delivered, Attempts: 1})
		}
		if err := g.j.Settle(t.Context(), settlement); err != nil {
			t.Fatal(err)
		}
		g.run()
		settle(time.Hour)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 3 * chunkEvents, Delivered: chunkEvents, Pending: 2 * chunkEvents})
	})
}
