package flow

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/row"
)

// acceptRows stores rows of two fields; row n is {n: n, text: "x"}, its meta {"row": n}.
func (g *rig) acceptRows(from, to int) {
	g.t.Helper()
	names := []string{"n", "text"}
	for first := from; first <= to; first += 1000 {
		a := journal.Append{Source: src}
		for n := first; n <= min(to, first+999); n++ {
			now := utcNow()
			meta, _ := json.Marshal(map[string]int{"row": n})
			a.Records = append(a.Records, journal.Record{
				ID: journal.NewID(now), Time: now, Meta: meta,
				Payload: journal.Payload{Names: names, Values: []any{int64(n), "x"}},
			})
		}
		if _, err := g.j.Append(g.t.Context(), a); err != nil {
			g.t.Fatal(err)
		}
	}
}

// seen is what a step or sink has met.
type seen struct {
	mu     sync.Mutex
	events []component.Event
}

func (s *seen) note(e *component.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, *e)
}

// Who does not know rows never meets one, and finds meta where it is.
func TestRowsAreForThoseWhoKnowThem(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		var step, sink seen
		look := Apply{"look", stepFunc(func(e *component.Event) ([]*component.Event, error) {
			step.note(e)
			return []*component.Event{e.With(&row.Row{Shape: row.NewShape([]string{"m"}), Values: []any{e.Body.(map[string]any)["n"]}})}, nil
		})}
		s := &fake{}
		s.set(func(_ context.Context, d component.Delivery) error { sink.note(d.Event); return nil })
		g.flow("f", look, send(g.sink("a", s)))
		g.run()
		g.acceptRows(1, 1)
		settle(time.Second)
		meta := map[string]any{"row": int64(1)}
		for _, c := range []struct {
			who  string
			seen *seen
			body any
		}{{"step", &step, map[string]any{"n": int64(1), "text": "x"}}, {"sink", &sink, map[string]any{"m": int64(1)}}} {
			if len(c.seen.events) != 1 {
				t.Fatalf("the %s met %d events", c.who, len(c.seen.events))
			}
			e := c.seen.events[0]
			if d := cmp.Diff([]any{c.body, meta}, []any{e.Body, e.Meta}); d != "" || e.Kept != nil {
				t.Errorf("what the %s met: (-want +got)\n%s", c.who, d)
			}
		}
	})
}

// A row's retry is of the same body.
func TestRowsAreKeptAsObjects(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{}
		s.set(func(_ context.Context, d component.Delivery) error {
			if d.Attempt == 1 {
				return errDown
			}
			return nil
		})
		g.flow("f", send(g.sink("a", s)))
		g.run()
		g.acceptRows(1, 1)
		settle(time.Minute)
		if d := cmp.Diff([]any{map[string]any{"n": int64(1), "text": "x"}}, s.bodies()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
}

// Meta that cannot be read is the fault of its own event.
func TestMetaThatCannotBeRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := &fake{}
		g.flow("f", send(g.sink("a", s)))
		g.run()
		now := utcNow()
		a := journal.Append{Source: src}
		for _, meta := range []string{`{"row": 1}`, `{"row"`, `{"row": 3}`} {
			a.Records = append(a.Records, journal.Record{ID: journal.NewID(now), Time: now, Meta: json.RawMessage(meta), Payload: journal.Payload{Raw: []byte("1")}})
		}
		if _, err := g.j.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
		if len(dead) != 1 || !strings.Contains(dead[0].Errors[0].Error, "read meta") {
			t.Errorf("dead letters: %+v", dead)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 3, Delivered: 2, Dead: 1})
	})
}

// pile is an ordered sink that notes how large its calls are, and waits before each.
type pile struct {
	mu    sync.Mutex
	calls []int
	all   []any
	gate  func()
}

func (h *pile) Deliver(_ context.Context, ds []component.Delivery) component.Result {
	if h.gate != nil {
		h.gate()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, len(ds))
	for _, d := range ds {
		h.all = append(h.all, d.Event.Body)
	}
	return component.Result{}
}

func (h *pile) MaxBatch() int { return 1000 }
func (h *pile) Forget()       {}

// A call of an ordered sink is bounded in bytes too.
func TestOrderedCallsAreBoundedInBytes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		h := &pile{}
		g.flow("f", send(g.sink("a", h)))
		g.run()
		large := strings.Repeat("x", maxBatchBytes/4)
		for range 10 {
			g.accept(large)
		}
		settle(time.Minute)
		for _, n := range h.calls {
			if n > 4 {
				t.Errorf("a call with %d times a quarter of the most", n)
			}
		}
		if len(h.all) != 10 {
			t.Errorf("%d of 10 delivered", len(h.all))
		}
	})
}

// While a call of an ordered sink is under way, what comes next is made ready, but not
// more than the next call may carry, and order stays.
func TestOrderedSinkIsLoadedAhead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		var step seen
		look := Apply{"look", stepFunc(func(e *component.Event) ([]*component.Event, error) {
			step.note(e)
			if e.Body.(map[string]any)["n"].(int64)%2 == 0 {
				return nil, nil
			}
			return []*component.Event{e}, nil
		})}
		proceed := make(chan struct{})
		h := &pile{gate: func() { <-proceed }}
		g.flow("f", look, send(g.sink("a", h)))
		g.acceptRows(1, 1) // before the flow: not for it
		g.run()
		g.acceptRows(1, 50_000)
		settle(time.Second)
		met := len(step.events)
		if met < 3000 || met > 6000 {
			t.Errorf("%d events were through the steps while the first call was under way", met)
		}
		close(proceed)
		settle(time.Minute)
		if len(h.all) != 25_000 {
			t.Fatalf("%d of 25000 delivered", len(h.all))
		}
		for i, b := range h.all {
			if n := b.(map[string]any)["n"]; n != int64(2*i+1) {
				t.Fatalf("delivery %d is row %v", i, n)
			}
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 50_000, Delivered: 25_000, Filtered: 25_000})
	})
}

// Events that are filtered are settled as they come, however many.
func TestFilteredBacklogIsSettledInParts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		none := Apply{"none", stepFunc(func(*component.Event) ([]*component.Event, error) { return nil, nil })}
		g.flow("f", none, send(g.sink("a", &fake{})))
		g.run()
		g.stop()
		g.acceptRows(1, 3*maxUnsettled)
		g.run()
		settle(time.Minute)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 3 * maxUnsettled, Filtered: 3 * maxUnsettled})
	})
}
