// Package sinktest holds every sink to what the engine relies on. Each kind's tests call
// Run and say how to reach its destination.
package sinktest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
)

// Subject is a sink and its destination. Events are numbered; their bodies are objects
// with that number as n.
type Subject struct {
	// Open makes the sink over the same destination: again after a crash.
	Open func(t *testing.T, env component.Env) component.Sink
	// Stored gives the numbers that the destination has, in the order in which they came.
	Stored func(t *testing.T) []int
	// Bad is a body that can never be delivered; nil: there is none.
	Bad any
	// Away makes the destination fail in a way that passes, until back is called; nil:
	// it cannot.
	Away func(t *testing.T) (back func())
	// Once: nothing is stored twice, whatever happens.
	Once bool
}

// Run tests a sink; subject makes a new one, with an empty destination.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	for name, test := range map[string]func(*testing.T, *world){
		"delivers in order":     inOrder,
		"kills":                 kills,
		"failed settlements":    failedSettlements,
		"pipelined calls":       pipelined,
		"permanent failures":    permanent,
		"temporary failures":    temporary,
		"cancelled deliveries":  cancelled,
		"nothing left at close": nothingLeft,
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t, Subject: subject(t), state: map[string]json.RawMessage{}}
			w.start()
			defer w.close()
			test(t, w)
		})
	}
}

// world is what the sink lives in, without an engine: state, and calls one by one.
type world struct {
	Subject
	t     *testing.T
	state map[string]json.RawMessage
	sink  component.Sink
}

// start is the beginning of a process; one that ran before was killed.
func (w *world) start() {
	w.t.Helper()
	w.close()
	w.sink = w.Open(w.t, component.Env{
		Address: "sink.test.it", Log: slog.New(slog.DiscardHandler), Now: time.Now, State: w,
	})
}

func (w *world) close() {
	if c, ok := w.sink.(component.Closer); ok {
		c.Close()
	}
}

// Get reads the state that settlements have committed.
func (w *world) Get(_ context.Context, key string, v any) (bool, error) {
	raw, ok := w.state[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

// delivery number n.
func delivery(n int, body any) component.Delivery {
	if body == nil {
		body = map[string]any{"n": int64(n)}
	}
	id := fmt.Sprintf("e%04d", n)
	return component.Delivery{ID: id + "-lane", Attempt: 1, Event: &component.Event{
		ID: id, Source: "source.test.it", Time: time.Unix(1_700_000_000, 0).UTC(), Body: body}}
}

func deliveries(first, last int) []component.Delivery {
	var ds []component.Delivery
	for n := first; n <= last; n++ {
		ds = append(ds, delivery(n, nil))
	}
	return ds
}

// calls cuts deliveries into calls as the engine does: one each, unless it is Ordered or
// has batches.
func (w *world) calls(ds []component.Delivery, atMost int) [][]component.Delivery {
	size := 1
	if o, ok := w.sink.(component.Ordered); ok {
		size = min(atMost, o.MaxBatch())
	}
	b := batching(w.sink)
	if b == nil {
		return slices.Collect(slices.Chunk(ds, size))
	}
	var all [][]component.Delivery
	last := ""
	for _, d := range ds {
		group, err := w.sink.(component.Batcher).Group(d.Event)
		if err != nil {
			w.t.Fatalf("%s: %v", d.ID, err)
		}
		if n := len(all); n > 0 && group == last && len(all[n-1]) < min(atMost, b.Max) {
			all[n-1] = append(all[n-1], d)
		} else {
			all = append(all, []component.Delivery{d})
		}
		last = group
	}
	return all
}

// batching is what the sink says of its batches; nil: it has none.
func batching(s component.Sink) *component.Batching {
	if b, ok := s.(component.Batcher); ok {
		return b.Batching()
	}
	return nil
}

// call makes one call, without settling it.
func (w *world) call(ctx context.Context, ds []component.Delivery) component.Result {
	w.t.Helper()
	if p, ok := w.sink.(component.Paced); ok {
		if err := p.Await(ctx); err != nil {
			return component.AllFailed(len(ds), err)
		}
		defer p.Done()
	}
	if batching(w.sink) != nil {
		return component.Result{Errors: w.batch(ctx, ds)}
	}
	r := w.sink.Deliver(ctx, ds)
	if r.Errors != nil && len(r.Errors) != len(ds) {
		w.t.Errorf("%d results for %d deliveries", len(r.Errors), len(ds))
		return component.Result{}
	}
	return r
}

// batch makes one call with all, and, where that is refused, others with its halves.
func (w *world) batch(ctx context.Context, ds []component.Delivery) []error {
	w.t.Helper()
	key := "batch"
	for i := range ds {
		key += "-" + ds[i].ID
	}
	for i := range ds {
		ds[i].Batch = key
	}
	r := w.sink.Deliver(ctx, ds)
	switch {
	case r.Batch == nil && r.Errors == nil:
		return make([]error, len(ds))
	case r.Batch == nil:
		return r.Errors
	case component.IsPermanent(r.Batch) && len(ds) > 1:
		half := len(ds) / 2
		return append(w.batch(ctx, ds[:half]), w.batch(ctx, ds[half:])...)
	}
	return component.AllFailed(len(ds), r.Batch).Errors
}

// settle commits a call, behind which no other has begun.
func (w *world) settle(r component.Result) {
	w.t.Helper()
	w.commit(r)
	if s, ok := w.sink.(component.Settler); ok {
		s.Settled()
	}
}

func (w *world) commit(r component.Result) {
	w.t.Helper()
	for _, p := range r.State {
		raw, err := json.Marshal(p.Value)
		if err != nil {
			w.t.Fatal(err)
		}
		if w.state[p.Key] = raw; p.Value == nil {
			delete(w.state, p.Key)
		}
	}
}

// deliver delivers and settles all, in calls of at most so many; each must succeed.
func (w *world) deliver(ds []component.Delivery, atMost int) {
	w.t.Helper()
	for _, call := range w.calls(ds, atMost) {
		r := w.call(w.t.Context(), call)
		for i, err := range r.Errors {
			if err != nil {
				w.t.Fatalf("%s: %v", call[i].ID, err)
			}
		}
		w.settle(r)
	}
}

// check compares what is stored with first to last: each once, or at least once.
func (w *world) check(first, last int) {
	w.t.Helper()
	stored := w.Stored(w.t)
	times := map[int]int{}
	for _, n := range stored {
		times[n]++
	}
	for n := first; n <= last; n++ {
		if times[n] == 0 || w.Once && times[n] > 1 {
			w.t.Errorf("event %d is stored %d times", n, times[n])
		}
		delete(times, n)
	}
	if len(times) > 0 {
		w.t.Errorf("stored, and never delivered: %v", times)
	}
	if _, ok := w.sink.(component.Ordered); ok && w.Once && !slices.IsSorted(stored) {
		w.t.Errorf("not in order: %v", stored)
	}
}

func inOrder(_ *testing.T, w *world) {
	w.deliver(deliveries(1, 40), 7)
	if stored := w.Stored(w.t); !slices.IsSorted(stored) {
		w.t.Errorf("not in order: %v", stored)
	}
	w.check(1, 40)
}

// kills: between call and settlement, and after it. What comes again comes in other calls.
func kills(t *testing.T, w *world) {
	ds := deliveries(1, 60)
	for next, round := 0, 1; next < len(ds); round++ {
		for _, call := range w.calls(ds[next:min(next+11, len(ds))], 3+round%5) {
			r := w.call(t.Context(), call)
			if round%3 == 0 {
				break // killed
			}
			w.settle(r)
			next += len(call)
		}
		w.start()
	}
	w.check(1, 60)
}

// failedSettlements: the journal did not take what a call did.
func failedSettlements(t *testing.T, w *world) {
	o, ok := w.sink.(component.Ordered)
	if !ok {
		return // its calls need no settlement
	}
	ds := deliveries(1, 30)
	w.deliver(ds[:10], 10)
	w.call(t.Context(), ds[10:20])
	o.Forget()
	w.call(t.Context(), ds[10:17])
	o.Forget()
	w.deliver(ds[10:], 6)
	w.check(1, 30)
}

// pipelined: a call is made while the settlement of the last one is under way. Then that
// comes through, or neither is settled: the process is killed, or the journal takes nothing.
func pipelined(t *testing.T, w *world) {
	ds := deliveries(1, 300)
	for next, round := 0, 0; next < len(ds); round++ {
		var last component.Result
		open := 0 // events of the last call, which is not settled
		for i, call := range w.calls(ds[next:min(next+40, len(ds))], 3+round%5) {
			p, ok := w.sink.(component.Pipelined)
			if !ok {
				return
			}
			if open > 0 && !p.Pipelines() {
				w.settle(last)
				next, open = next+open, 0
			}
			r := w.call(t.Context(), call)
			if i == 1+round%6 && round%4 < 3 {
				open = 0
				if p.Forget(); round%2 == 0 {
					w.start()
				}
				break
			}
			w.commit(last)
			next, last, open = next+open, r, len(call)
		}
		if open > 0 {
			w.settle(last)
			next += open
		}
	}
	w.check(1, len(ds))
}

// permanent: what cannot be delivered is dead alone, wherever it stands in a call.
func permanent(t *testing.T, w *world) {
	if w.Bad == nil {
		return
	}
	ds := deliveries(1, 20)
	bad := map[string]bool{}
	for _, at := range []int{0, 9, 10, 22} {
		d := delivery(100+at, w.Bad)
		bad[d.ID] = true
		ds = slices.Insert(ds, at, d)
	}
	for _, call := range w.calls(ds, len(ds)) {
		r := w.call(t.Context(), call)
		for i, d := range call {
			var err error
			if r.Errors != nil {
				err = r.Errors[i]
			}
			if bad[d.ID] != component.IsPermanent(err) || !bad[d.ID] && err != nil {
				t.Errorf("%s: got %v", d.ID, err)
			}
		}
		w.settle(r)
	}
	w.check(1, 20)
}

// temporary: a destination that is away is no reason for a dead letter.
func temporary(t *testing.T, w *world) {
	if w.Away == nil {
		return
	}
	ds := deliveries(1, 30)
	w.deliver(ds[:10], 10)
	back := w.Away(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for _, call := range w.calls(ds[10:], 10)[:1] {
		r := w.call(ctx, call)
		for i, d := range call {
			if r.Errors == nil || r.Errors[i] == nil || component.IsPermanent(r.Errors[i]) {
				t.Errorf("%s: got %v, want an error that may pass", d.ID, r.Errors)
			}
		}
		w.settle(r)
	}
	back()
	if o, ok := w.sink.(component.Ordered); ok {
		o.Forget()
	}
	w.deliver(ds[10:], 10)
	w.check(1, 30)
}

// cancelled: a call whose time is over ends, and leaves nothing in the way of the next.
func cancelled(t *testing.T, w *world) {
	ds := deliveries(1, 30)
	w.deliver(ds[:10], 10)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, call := range w.calls(ds[10:20], 10) {
		ended := make(chan component.Result, 1)
		go func() { ended <- w.call(ctx, call) }()
		select {
		case r := <-ended:
			for _, err := range r.Errors {
				if component.IsPermanent(err) {
					t.Errorf("got %v, want an error that may pass", err)
				}
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it does not end")
		}
	}
	if o, ok := w.sink.(component.Ordered); ok {
		o.Forget() // nothing of it was settled
	}
	w.deliver(ds[10:], 10)
	w.check(1, 30)
}

func nothingLeft(t *testing.T, w *world) {
	before := goleak.IgnoreCurrent()
	w.start()
	w.deliver(deliveries(1, 10), 10)
	w.close()
	w.sink = nil
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// Numbers reads a file that has a number in each line.
func Numbers(t *testing.T, path string) (all []int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Errorf("line %q", line)
		}
		all = append(all, n)
	}
	return all
}
