package flow

import (
	"context"
	"encoding/hex"
	"slices"
	"sync"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

const (
	// chunkEvents are evaluated at a time: enough to pay for the hand-over, few
	// enough that decoded bodies stay small.
	chunkEvents = 128
	// memoChunks is how far lanes may drift apart and still share a pass.
	memoChunks = 4
)

// chunk is the outcome of the steps for some neighbouring events of a frame.
type chunk struct {
	frame *journal.Frame
	first journal.Position
	ready chan struct{} // closed when results are there
	// results has one entry for each event from first on.
	results []result

	takers    int           // lanes that have it; guarded by the memo
	recording chan struct{} // held by the lane that records the failures
	recorded  bool
}

// result is what the steps made of one event: deliveries, or an error.
type result struct {
	outs []output
	key  string // of order_by
	err  *StepError
}

// reaches tells whether there is a delivery for the sink.
func (r *result) reaches(sink component.Address) bool {
	return slices.ContainsFunc(r.outs, func(o output) bool { return o.sink == sink })
}

func (c *chunk) last() journal.Position { return c.first + journal.Position(len(c.results)) - 1 }

func (c *chunk) record(p journal.Position) *journal.Record { return &c.frame.Events[p-c.frame.First] }

type chunkKey struct {
	source string
	first  journal.Position
}

// memo holds the last chunks of a flow that not all of its lanes have taken, so that
// lanes at the same place share one pass through the steps.
type memo struct {
	mu     sync.Mutex
	chunks map[chunkKey]*chunk
	order  []chunkKey
}

// chunk gives the results for the events of frame from p on, at most chunkEvents.
// The pulse is that of the lane that asks: it rests while another evaluates them.
func (f *flow) chunk(ctx context.Context, pulse *pulse, frame *journal.Frame, p journal.Position) *chunk {
	key := chunkKey{frame.Source, p}
	f.memo.mu.Lock()
	if c := f.memo.chunks[key]; c != nil {
		if c.takers++; c.takers == len(f.Program.Sinks()) {
			f.memo.remove(key)
		}
		f.memo.mu.Unlock()
		pulse.rest()
		<-c.ready
		pulse.beat()
		return c
	}
	c := &chunk{frame: frame, first: p, takers: 1, ready: make(chan struct{}), recording: make(chan struct{}, 1)}
	if len(f.Program.Sinks()) > 1 {
		f.memo.put(key, c)
	}
	f.memo.mu.Unlock()
	defer close(c.ready)
	n := min(chunkEvents, int(frame.Last()-p)+1)
	c.results = f.evaluate(ctx, pulse, frame.Source, frame.Events[p-frame.First:][:n])
	return c
}

func (m *memo) put(key chunkKey, c *chunk) {
	if m.chunks == nil {
		m.chunks = map[chunkKey]*chunk{}
	}
	if len(m.order) == memoChunks {
		m.remove(m.order[0])
	}
	m.chunks[key] = c
	m.order = append(m.order, key)
}

func (m *memo) remove(key chunkKey) {
	delete(m.chunks, key)
	m.order = slices.DeleteFunc(m.order, func(k chunkKey) bool { return k == key })
}

// evaluate takes stored events through the steps. The events, their ids and what
// comes out of them are each in one piece of memory.
func (f *flow) evaluate(ctx context.Context, pulse *pulse, source string, records []journal.Record) []result {
	results, events := make([]result, len(records)), make([]stored, len(records))
	ids := idTexts(records)
	x := &pass{ctx: ctx, pulse: pulse}
	for i := range records {
		e, err := events[i].restore(source, ids[i*idLength:][:idLength], &records[i], &f.shape)
		if err != nil {
			results[i].err = &StepError{"decode", err}
			continue
		}
		results[i] = f.pass(x, e)
	}
	return results
}

// idLength is that of an id as text.
const idLength = 2 * len(journal.ID{})

// idTexts are the ids of the records, one behind the other.
func idTexts(records []journal.Record) string {
	text := make([]byte, 0, len(records)*idLength)
	for i := range records {
		text = hex.AppendEncode(text, records[i].ID[:])
	}
	return string(text)
}

func (f *flow) pass(x *pass, e *component.Event) result {
	var r result
	if f.OrderBy.IsSet() {
		key, err := f.OrderBy.Str(e.Input())
		if err != nil {
			return result{err: &StepError{"order_by", err}}
		}
		r.key = key
	}
	outs, err := x.through(f.Program.nodes, e)
	if err != nil {
		return result{key: r.key, err: err.(*StepError)}
	}
	r.outs = outs
	return r
}
