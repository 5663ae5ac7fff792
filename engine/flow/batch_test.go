package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// basket is a Batcher that notes its calls, and does as react says.
type basket struct {
	limits component.Batching
	react  func(call) component.Result

	mu    sync.Mutex
	calls []call
}

// call is what a basket was given once.
type call struct {
	batch  string
	ids    []string
	bodies []any
	at     time.Time
	failed bool
}

func newBasket(n int, within time.Duration) *basket {
	return &basket{limits: component.Batching{Max: n, Within: within, Bytes: 1 << 20}}
}

func (b *basket) Batching() *component.Batching { return &b.limits }

// Group goes by the first letter of a text.
func (b *basket) Group(e *component.Event) (string, error) {
	s, ok := e.Body.(string)
	if !ok {
		return "", nil
	}
	if s == "" {
		return "", errors.New("of no group")
	}
	return s[:1], nil
}

func (b *basket) Deliver(_ context.Context, ds []component.Delivery) component.Result {
	c := call{batch: ds[0].Batch, at: time.Now()}
	for _, d := range ds {
		if d.Batch != c.batch || d.Batch == "" {
			panic(fmt.Sprintf("a call with the batches %q and %q", c.batch, d.Batch))
		}
		c.ids, c.bodies = append(c.ids, d.ID), append(c.bodies, d.Event.Body)
	}
	b.mu.Lock()
	react := b.react
	b.mu.Unlock()
	var r component.Result
	if react != nil {
		r = react(c)
	}
	c.failed = r.Batch != nil || r.Errors != nil
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, c)
	return r
}

func (b *basket) set(react func(call) component.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.react = react
}

// check holds the calls to what every Batcher is promised: one batch always has the same
// deliveries, and what succeeded does not come again.
func (b *basket) check(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	members := map[string][]string{}
	done := map[string]bool{}
	for _, c := range b.calls {
		if was, ok := members[c.batch]; ok && !slices.Equal(was, c.ids) {
			t.Errorf("batch %s had %v, and then %v", c.batch, was, c.ids)
		}
		members[c.batch] = c.ids
		for _, id := range c.ids {
			if done[id] && !c.failed {
				t.Errorf("%s has been delivered twice", id)
			}
			done[id] = done[id] || !c.failed
		}
	}
}

func (b *basket) sizes() (n []int) {
	for _, c := range b.calls {
		n = append(n, len(c.ids))
	}
	return n
}

func whole(err error) func(call) component.Result {
	return func(call) component.Result { return component.Result{Batch: err} }
}

// A batch goes out when it is full, or when its first member has waited.
func TestBatchIsFullOrDue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(10, time.Second)
		g.flow("f", send(g.sink("a", s)))
		g.run()
		began := time.Now()
		g.accept(numbers(1, 25)...)
		settle(time.Minute)
		s.check(t)
		if d := cmp.Diff([]int{10, 10, 5}, s.sizes()); d != "" {
			t.Fatalf("(-want +got)\n%s", d)
		}
		if waited := s.calls[2].at.Sub(began); waited < time.Second || waited > 1100*time.Millisecond {
			t.Errorf("the last went out after %s", waited)
		}
		if waited := s.calls[1].at.Sub(began); waited > 100*time.Millisecond {
			t.Errorf("a full one went out after %s", waited)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 25, Delivered: 25})
		g.wantNoRecords("sink.test.a")
	})
}

// wantNoRecords says that nothing is left on record of batches that have ended.
func (g *rig) wantNoRecords(sink string) {
	g.t.Helper()
	if raw, found, err := g.j.Get(g.t.Context(), sink, "batch/flow.f/"); err != nil || found {
		g.t.Errorf("batches are still on record: %s, %v", raw, err)
	}
}

func TestBatchesAreOfOneGroup(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(10, 0)
		g.flow("f", send(g.sink("a", s)))
		g.run()
		g.accept("a1", "b1", "", "a2", "b2")
		settle(time.Minute)
		s.check(t)
		var got []string
		for _, c := range s.calls {
			got = append(got, fmt.Sprint(c.bodies))
		}
		slices.Sort(got)
		if d := cmp.Diff([]string{"[a1 a2]", "[b1 b2]"}, got); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 5, Delivered: 4, Dead: 1})
	})
}

// What fails for now comes again as it was, under the same key, after a restart too.
func TestBatchComesAgainAsItWas(t *testing.T) {
	for _, restart := range []bool{false, true} {
		inBubble(t, func(t *testing.T) {
			g := newRig(t)
			s := newBasket(10, time.Second)
			fail := errDown
			s.set(func(c call) component.Result {
				if fmt.Sprint(c.bodies[0]) == "1" {
					return component.Result{Batch: fail}
				}
				return component.Result{}
			})
			g.flow("f", send(g.sink("a", s)))
			g.run()
			g.accept(numbers(1, 30)...)
			settle(500 * time.Millisecond)
			g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 30, Delivered: 20, Pending: 10})
			if restart {
				g.restart()
			}
			settle(time.Minute)
			s.set(nil)
			g.accept(numbers(31, 40)...)
			settle(time.Hour)
			s.check(t)
			g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 40, Delivered: 40})
			g.wantNoRecords("sink.test.a")
		})
	}
}

// A permanent error is only that of the deliveries at fault.
func TestBatchIsSplitWhereItIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(64, time.Second)
		s.set(func(c call) component.Result {
			if slices.Contains(c.bodies, any(int64(7))) {
				return component.Result{Batch: component.Permanent(errors.New("7 is no number"))}
			}
			return component.Result{}
		})
		g.flow("f", send(g.sink("a", s)))
		g.run()
		g.accept(numbers(1, 64)...)
		settle(time.Minute)
		s.check(t)
		dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
		if len(dead) != 1 || dead[0].Position != 7 || dead[0].Attempts != 7 || dead[0].Errors[0].Error != "7 is no number" {
			t.Errorf("dead letters: %+v", dead)
		}
		if n := len(s.calls); n != 13 {
			t.Errorf("%d calls, want 13", n)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 64, Delivered: 63, Dead: 1})
		g.wantNoRecords("sink.test.a")
	})
}

// A panic is of the delivery that causes it.
func TestBatchThatPanics(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(8, time.Second)
		s.set(func(c call) component.Result {
			if slices.Contains(c.bodies, any(int64(3))) {
				panic("3")
			}
			return component.Result{}
		})
		g.flow("f", send(g.sink("a", s)))
		g.run()
		g.accept(numbers(1, 8)...)
		settle(time.Minute)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 8, Delivered: 7, Dead: 1})
	})
}

// Where the destination tells of each, only what may still succeed comes again, as
// another batch.
func TestBatchWithResultsOfEach(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(10, time.Second)
		first := true
		s.set(func(c call) component.Result {
			if !first {
				return component.Result{}
			}
			first = false
			errs := make([]error, len(c.ids))
			errs[1], errs[2], errs[5] = errDown, component.Permanent(errors.New("no")), errDown
			return component.Result{Errors: errs}
		})
		g.flow("f", send(g.sink("a", s)))
		g.run()
		g.accept(numbers(1, 10)...)
		settle(time.Minute)
		if d := cmp.Diff([]any{int64(2), int64(6)}, s.calls[1].bodies); d != "" {
			t.Errorf("the second call: (-want +got)\n%s", d)
		}
		if s.calls[0].batch == s.calls[1].batch {
			t.Error("another batch under the same key")
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 10, Delivered: 9, Dead: 1})
		g.wantNoRecords("sink.test.a")
	})
}

// A sink that is down stops its lane, no attempt is counted, and all go on as they were.
func TestBatchesOfAStoppedLane(t *testing.T) {
	for _, restart := range []bool{false, true} {
		inBubble(t, func(t *testing.T) {
			g := newRig(t)
			s := newBasket(10, time.Second)
			s.set(whole(component.Unwell(errDown)))
			g.flow("f", send(g.sink("a", s)))
			g.run()
			g.accept(numbers(1, 205)...)
			settle(time.Hour)
			if n := len(g.exceptions(journal.ExceptionQuery{})); n != 0 {
				t.Errorf("%d exceptions of a sink that is down", n)
			}
			if restart {
				g.restart()
				settle(time.Minute)
			}
			s.set(nil)
			settle(time.Hour)
			s.check(t)
			g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 205, Delivered: 205})
			g.wantNoRecords("sink.test.a")
		})
	}
}

// An event that is several deliveries shares no batch with others.
func TestBatchesOfEventsThatWereSplit(t *testing.T) {
	for _, restart := range []bool{false, true} {
		inBubble(t, func(t *testing.T) {
			g := newRig(t)
			s := newBasket(4, time.Second)
			s.set(func(c call) component.Result {
				if slices.Contains(c.bodies, any(int64(5))) {
					return component.Result{Batch: errDown}
				}
				return component.Result{}
			})
			g.flow("f", split, send(g.sink("a", s)))
			g.run()
			g.accept(numbers(1, 6), numbers(7, 7), numbers(8, 8), numbers(9, 20))
			settle(time.Minute)
			if restart {
				g.restart()
			}
			s.set(nil)
			settle(time.Hour)
			s.check(t)
			for _, c := range s.calls {
				if len(c.bodies) > 1 && strings.Contains(fmt.Sprint(c.bodies), "6") && strings.Contains(fmt.Sprint(c.bodies), "7") {
					t.Errorf("two events in one batch: %v", c.bodies)
				}
			}
			g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 4, Delivered: 4})
			g.wantNoRecords("sink.test.a")
		})
	}
}

// An operator may drop one that waits: the others are another batch.
func TestBatchOfWhichAMemberIsDropped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(3, time.Second)
		s.set(whole(errDown))
		g.flow("f", send(g.sink("a", s)))
		g.run()
		g.accept(numbers(1, 3)...)
		settle(3 * time.Second)
		waiting := g.exceptions(journal.ExceptionQuery{AliveOnly: true})
		if len(waiting) != 3 {
			t.Fatalf("%d wait", len(waiting))
		}
		if _, err := g.j.Drop(t.Context(), waiting[1].ID); err != nil {
			t.Fatal(err)
		}
		s.set(nil)
		settle(time.Hour)
		s.check(t)
		last := s.calls[len(s.calls)-1]
		if d := cmp.Diff([]any{int64(1), int64(3)}, last.bodies); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 3, Delivered: 2, Dropped: 1})
		g.wantNoRecords("sink.test.a")
	})
}

// Dead letters that are retried go together, and one that dies again is alone.
func TestDeadLettersOfABatchAreRetried(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(10, time.Second)
		s.set(whole(component.Permanent(errors.New("no"))))
		g.flow("f", send(g.sink("a", s)))
		g.run()
		g.accept(numbers(1, 10)...)
		settle(time.Minute)
		dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
		if len(dead) != 10 {
			t.Fatalf("%d dead letters", len(dead))
		}
		s.set(nil)
		calls := len(s.calls)
		for _, ex := range dead {
			ex, err := g.j.Revive(t.Context(), ex.ID)
			if err == nil {
				err = g.r.Retry(t.Context(), ex)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		settle(time.Minute)
		s.check(t)
		if n := len(s.calls) - calls; n != 1 {
			t.Errorf("%d calls for ten retries", n)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 10, Delivered: 10})
		g.wantNoRecords("sink.test.a")
	})
}

// Of one order_by key, there is never more than one under way.
func TestBatchesKeepOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(10, 0)
		n := 0
		s.set(func(c call) component.Result {
			if n++; n%3 == 1 {
				return component.Result{Batch: errDown}
			}
			return component.Result{}
		})
		f := g.flow("f", send(g.sink("a", s)))
		f.OrderBy = mustExpr(t, "body % 7")
		g.run()
		g.accept(numbers(1, 100)...)
		settle(time.Hour)
		s.check(t)
		last := map[int64]int64{}
		for _, c := range s.calls {
			if c.failed {
				continue
			}
			for _, b := range c.bodies {
				v := b.(int64)
				if last[v%7] > v {
					t.Errorf("%d came after %d", v, last[v%7])
				}
				last[v%7] = v
			}
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 100, Delivered: 100})
	})
}

// Batches outlive a reload, to a sink of its own, to one that takes none, and to steps by
// which a member does not come any more.
func TestBatchesOverAReload(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(10, time.Second)
		s.set(whole(errDown))
		f := g.flow("f", send(g.sink("a", s)))
		g.run()
		g.accept(numbers(1, 10)...)
		settle(1500 * time.Millisecond)
		next := newBasket(10, time.Second)
		next.set(whole(component.Unwell(errDown)))
		g.swap(func() { g.sink("a", next) })
		settle(time.Minute)
		g.accept(numbers(11, 20)...)
		settle(time.Minute)
		if len(next.calls) == 0 || next.calls[0].batch != s.calls[0].batch || !slices.Equal(next.calls[0].ids, s.calls[0].ids) {
			t.Fatalf("the batch did not come to the next sink as it was: %v", next.calls)
		}
		odd := Apply{"odd", stepFunc(func(e *component.Event) ([]*component.Event, error) {
			if e.Body.(int64)%2 == 0 {
				return nil, nil
			}
			return []*component.Event{e}, nil
		})}
		last := newBasket(10, time.Second)
		g.swap(func() { f.Program = NewProgram([]Node{odd, send(g.sink("a", last))}) })
		settle(time.Hour)
		last.check(t)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 20, Delivered: 15, Filtered: 5})
		g.wantNoRecords("sink.test.a")
	})
}

// A member that has expired leaves its batch.
func TestBatchOfWhichSomeExpire(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRig(t)
		s := newBasket(10, 10*time.Minute)
		s.set(whole(component.Unwell(errDown)))
		g.flow("f", send(g.sink("a", s, func(c *component.SinkCommon) { c.Expires = time.Hour })))
		g.run()
		g.accept(numbers(1, 5)...)
		settle(9 * time.Minute)
		g.accept(numbers(6, 10)...)
		settle(52 * time.Minute)
		s.set(nil)
		settle(time.Hour)
		s.check(t)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 10, Delivered: 5, Dead: 5})
		g.wantNoRecords("sink.test.a")
	})
}
