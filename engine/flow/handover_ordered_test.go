package flow

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// paper is what several generations of an ordered sink write to.
type paper struct {
	t  *testing.T
	mu sync.Mutex // held for a whole call: nobody else may want it then

	rows  []string
	stuck atomic.Bool // a call takes as long as it may
}

// writer is one generation: it knows where its last call ended, and looks at the paper
// only when it has forgotten.
type writer struct {
	*paper
	known bool
	at    int
}

// written is what stands there now.
func (p *paper) written() []string {
	if !p.mu.TryLock() {
		return nil // a call is under way
	}
	defer p.mu.Unlock()
	return slices.Clone(p.rows)
}

func (w *writer) MaxBatch() int { return 3 }
func (w *writer) Forget()       { w.known = false }

func (w *writer) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	if !w.mu.TryLock() {
		w.t.Error("two write at the same time")
		w.mu.Lock()
	}
	defer w.mu.Unlock()
	if w.stuck.Load() {
		<-ctx.Done()
		return component.AllFailed(len(ds), ctx.Err())
	}
	if !w.known {
		w.at, w.known = len(w.rows), true
	}
	if w.at != len(w.rows) {
		w.t.Errorf("goes on at row %d of %d: another has written", w.at, len(w.rows))
	}
	time.Sleep(5 * time.Millisecond)
	for _, d := range ds {
		w.rows = append(w.rows, fmt.Sprint(d.Event.Vars["flow"], " ", d.Event.Body))
	}
	w.at = len(w.rows)
	return component.Result{State: []component.Put{{Key: "rows", Value: w.at}}}
}

// An ordered sink is changed again and again while three flows write to it: each event
// is there once, in order, and no two generations ever write at once.
func TestSwapOfAnOrderedSink(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		p := &paper{t: t}
		to := g.sink("file", &writer{paper: p})
		for _, name := range []string{"f", "g", "h"} {
			mark := Apply{"mark", stepFunc(func(e *component.Event) ([]*component.Event, error) {
				return []*component.Event{e.WithVar("flow", name)}, nil
			})}
			g.flow(name, mark, send(to))
		}
		g.run()
		for n := range 60 {
			g.accept(numbers(3*n+1, 3*n+3)...)
			old := g.sinks[to]
			over := g.swap(func() { g.sink("file", &writer{paper: p}); g.sinks[to].After(old) })
			settle(time.Duration(n%7) * time.Millisecond)
			if n%20 == 0 {
				<-over
			}
		}
		settle(time.Minute)
		for _, name := range []string{"f", "g", "h"} {
			var want, got []string
			for n := range 180 {
				want = append(want, fmt.Sprint(name, " ", n+1))
			}
			for _, r := range p.written() {
				if r[:1] == name {
					got = append(got, r)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("rows of %s: %v", name, got)
			}
		}
	})
}

// While a call of the old generation hangs, the new one waits; a lane that waited for
// its turn at the old one never calls it any more.
func TestSwapOfAnOrderedSinkThatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		p := &paper{t: t}
		p.stuck.Store(true)
		to := g.sink("file", &writer{paper: p}, timeout(time.Minute))
		g.flow("f", send(to))
		g.flow("g", send(to))
		g.run()
		g.accept(numbers(1, 2)...)
		settle(time.Second)
		old := g.sinks[to]
		over := g.swap(func() { g.sink("file", &writer{paper: p}); g.sinks[to].After(old) })
		p.stuck.Store(false) // for whoever calls next
		settle(30 * time.Second)
		if rows := p.written(); isOver(over) || len(rows) > 0 {
			t.Errorf("over: %v, rows: %v", isOver(over), rows)
		}
		settle(time.Minute)
		if rows := p.written(); !isOver(over) || len(rows) != 4 {
			t.Errorf("over: %v, rows: %v, want 4", isOver(over), rows)
		}
	})
}
