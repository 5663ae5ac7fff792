package flow

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// tape is what a pipelined sink writes to: numbers, of which so many are on record.
type tape struct {
	t  *testing.T
	mu sync.Mutex

	state   func() (raw []byte, found bool, err error)
	known   bool
	at      int
	numbers []any
	began   []time.Time
	refuses bool                                // to take a call before the last one is settled
	react   func(ds []component.Delivery) error // nil: none fails
	forgot  int
	calling atomic.Bool
}

func (s *tape) MaxBatch() int { return 3 }

func (s *tape) Pipelines() bool { return !s.refuses }

func (s *tape) Settled() {
	if s.calling.Load() {
		s.t.Error("told that all is settled in the middle of a call")
	}
}

func (s *tape) Forget() {
	if s.calling.Load() {
		s.t.Error("forgotten in the middle of a call")
	}
	s.forgot++
	s.known = false
}

// Deliver takes a second.
func (s *tape) Deliver(_ context.Context, ds []component.Delivery) component.Result {
	if s.calling.Swap(true) {
		s.t.Error("two calls at a time")
	}
	defer s.calling.Store(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = append(s.began, time.Now())
	if !s.known {
		s.at = 0
		raw, found, err := s.state()
		if found && err == nil {
			err = json.Unmarshal(raw, &s.at)
		}
		if err != nil {
			return component.AllFailed(len(ds), err)
		}
		s.known = true
	}
	s.numbers = s.numbers[:s.at]
	for _, d := range ds {
		s.numbers = append(s.numbers, d.Event.Body)
	}
	time.Sleep(time.Second)
	if s.react != nil {
		if err := s.react(ds); err != nil {
			s.numbers = s.numbers[:s.at]
			return component.AllFailed(len(ds), err)
		}
	}
	s.at = len(s.numbers)
	return component.Result{State: []component.Put{{Key: "at", Value: s.at}}}
}

// written is what stands there now.
func (s *tape) written() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.numbers)
}

// tapeRig has a flow to a tape; each settlement takes as long as settling says.
func tapeRig(t *testing.T, settling func(journal.Settlement) error, change ...func(*component.SinkCommon)) (*rig, *tape) {
	g := newRig(t)
	g.settling = settling
	s := &tape{t: t, state: func() ([]byte, bool, error) { return g.j.Get(t.Context(), "sink.test.tape", "at") }}
	g.flow("f", send(g.sink("tape", s, append(change, timeout(time.Hour))...)))
	return g, s
}

func slowly(d time.Duration) func(journal.Settlement) error {
	return func(journal.Settlement) error { time.Sleep(d); return nil }
}

// beginnings are the moments of the calls, in seconds since the first.
func (s *tape) beginnings() (all []float64) {
	for _, at := range s.began {
		all = append(all, at.Sub(s.began[0]).Seconds())
	}
	return all
}

// A whole call comes while the last one is being settled, and none before the last but
// one has been.
func TestCallsArePipelined(t *testing.T) {
	for _, c := range []struct {
		name    string
		events  int
		settles time.Duration
		refuses bool
		want    []float64
	}{
		{"settled while the next one is under way", 12, 500 * time.Millisecond, false, []float64{0, 1, 2, 3}},
		{"settled more slowly", 12, 3 * time.Second, false, []float64{0, 1, 4, 7}},
		{"the sink does not take it", 9, 500 * time.Millisecond, true, []float64{0, 1.5, 3}},
		{"no whole call is there", 5, 500 * time.Millisecond, false, []float64{0, 1.5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				g, s := tapeRig(t, slowly(c.settles))
				s.refuses = c.refuses
				g.run()
				g.accept(numbers(1, c.events)...)
				settle(time.Minute)
				if got := s.beginnings(); !slices.Equal(got, c.want) {
					t.Errorf("calls after %v seconds, want %v", got, c.want)
				}
				wantBodies(t, s.written(), numbers(1, c.events)...)
				g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: int64(c.events), Delivered: int64(c.events)})
			})
		})
	}
}

// Two lanes take turns all the same.
func TestPipelinedSinkIsShared(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g, s := tapeRig(t, slowly(500*time.Millisecond))
		g.flow("g", send("sink.test.tape"))
		g.run()
		g.accept(numbers(1, 12)...)
		settle(time.Minute)
		times := map[any][]int{}
		for at, n := range s.written() {
			times[n] = append(times[n], at/3)
		}
		for n := int64(1); n <= 12; n++ {
			calls := times[n]
			if len(calls) != 2 || calls[1]-calls[0] > 2 {
				t.Errorf("%d is in the calls %v", n, calls)
			}
		}
	})
}

// While a settlement cannot be stored, nothing of the call behind it is, and no further
// one comes.
func TestSettlementBeforePipelinedCallFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var down atomic.Bool
		g, s := tapeRig(t, func(journal.Settlement) error {
			time.Sleep(500 * time.Millisecond)
			if down.Load() {
				return errors.New("disk full")
			}
			return nil
		})
		down.Store(true)
		g.run()
		g.accept(numbers(1, 12)...)
		settle(time.Minute)
		if n := len(s.began); n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 12, Pending: 12})
		down.Store(false)
		settle(time.Minute)
		if s.forgot != 0 {
			t.Errorf("forgotten %d times", s.forgot)
		}
		wantBodies(t, s.written(), numbers(1, 12)...)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 12, Delivered: 12})
	})
}

// What a stop gives up, both calls, comes again.
func TestStopGivesUpPipelinedCalls(t *testing.T) {
	for _, after := range []time.Duration{1200 * time.Millisecond, 2200 * time.Millisecond} { // in the second call, behind it
		inBubble(t, func(t *testing.T) {
			var down atomic.Bool
			g, s := tapeRig(t, func(journal.Settlement) error {
				if down.Load() {
					return errors.New("disk full")
				}
				return nil
			})
			down.Store(true)
			g.run()
			g.accept(numbers(1, 12)...)
			settle(after)
			g.stop()
			if s.forgot == 0 {
				t.Error("not forgotten")
			}
			down.Store(false)
			g.run()
			settle(time.Minute)
			wantBodies(t, s.written(), numbers(1, 12)...)
			g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 12, Delivered: 12})
		})
	}
}

// A call that fails while the last one is being settled takes nothing of that with it.
func TestPipelinedCallFails(t *testing.T) {
	for name, fails := range map[string]func() error{
		"fails":  func() error { return errDown },
		"panics": func() error { panic("a sink's fault") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				g, s := tapeRig(t, slowly(3*time.Second))
				once := sync.Once{}
				s.react = func(ds []component.Delivery) (err error) {
					if ds[0].Event.Body == int64(4) {
						once.Do(func() { err = fails() })
					}
					return err
				}
				g.run()
				g.accept(numbers(1, 12)...)
				settle(10 * time.Minute)
				wantBodies(t, s.written(), numbers(1, 12)...)
				g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 12, Delivered: 12})
			})
		})
	}
}

// A settlement that is slow is not handed in again when the journal cannot be read meanwhile.
func TestSettlementIsHandedInOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var under atomic.Int32
		g, s := tapeRig(t, func(journal.Settlement) error {
			if under.Add(1) > 1 {
				t.Error("two settlements at a time")
			}
			time.Sleep(5 * time.Second)
			under.Add(-1)
			return nil
		})
		g.run()
		g.accept(numbers(1, 3)...)
		settle(1500 * time.Millisecond)
		g.unread.Store(true)
		g.accept(numbers(4, 6)...)
		settle(2500 * time.Millisecond)
		g.unread.Store(false)
		settle(time.Minute)
		wantBodies(t, s.written(), numbers(1, 6)...)
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 6, Delivered: 6})
	})
}

// Who waits for rate_limit has no turn: the next one may come first.
func TestRateLimitedCallsAreNotPipelined(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g, s := tapeRig(t, slowly(500*time.Millisecond), func(c *component.SinkCommon) { c.RateLimit = component.Rate{N: 1, Per: time.Minute} })
		g.flow("g", send("sink.test.tape"))
		g.run()
		g.accept(numbers(1, 9)...)
		settle(time.Hour)
		if got, want := s.beginnings(), []float64{0, 60, 120, 180, 240, 300}; !slices.Equal(got, want) {
			t.Errorf("calls after %v seconds, want %v", got, want)
		}
	})
}
