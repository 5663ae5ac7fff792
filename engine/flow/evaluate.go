package flow

import (
	"context"
	"fmt"
	"sync"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
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

	recording chan struct{} // held by the lane that records the failures
	recorded  bool
}

// result is what the steps made of one event: deliveries, or an error.
type result struct {
	outs []output
	key  string // of order_by
	err  *StepError
}

func (c *chunk) last() journal.Position { return c.first + journal.Position(len(c.results)) - 1 }

func (c *chunk) record(p journal.Position) *journal.Record { return &c.frame.Events[p-c.frame.First] }

type chunkKey struct {
	source string
	first  journal.Position
}

// memo holds the last chunks of a flow, so that lanes at the same place share
// one pass through the steps.
type memo struct {
	mu     sync.Mutex
	chunks map[chunkKey]*chunk
	order  []chunkKey
}

// chunk gives the results for the events of frame from p on, at most chunkEvents.
func (f *flow) chunk(ctx context.Context, frame *journal.Frame, p journal.Position) *chunk {
	key := chunkKey{frame.Source, p}
	f.memo.mu.Lock()
	if c := f.memo.chunks[key]; c != nil {
		f.memo.mu.Unlock()
		<-c.ready
		return c
	}
	c := &chunk{frame: frame, first: p, ready: make(chan struct{}), recording: make(chan struct{}, 1)}
	f.memo.put(key, c)
	f.memo.mu.Unlock()
	defer close(c.ready)
	n := min(chunkEvents, int(frame.Last()-p)+1)
	c.results = make([]result, n)
	for i := range c.results {
		c.results[i] = f.evaluate(ctx, frame.Source, c.record(p+journal.Position(i)))
	}
	return c
}

func (m *memo) put(key chunkKey, c *chunk) {
	if m.chunks == nil {
		m.chunks = map[chunkKey]*chunk{}
	}
	if len(m.order) == memoChunks {
		delete(m.chunks, m.order[0])
		m.order = append(m.order[:0], m.order[1:]...)
	}
	m.chunks[key] = c
	m.order = append(m.order, key)
}

// evaluate takes one stored event through the steps.
func (f *flow) evaluate(ctx context.Context, source string, rec *journal.Record) result {
	e, err := restore(source, rec)
	if err != nil {
		return result{err: &StepError{"decode", err}}
	}
	return f.pass(ctx, e)
}

func (f *flow) pass(ctx context.Context, e *component.Event) result {
	var r result
	if f.OrderBy.IsSet() {
		key, err := f.OrderBy.Str(e.Input())
		if err != nil {
			return result{err: &StepError{"order_by", err}}
		}
		r.key = key
	}
	outs, err := f.Program.run(ctx, e)
	if err != nil {
		return result{err: err.(*StepError)}
	}
	r.outs = outs
	return r
}

// restore makes an event of what the journal keeps of it.
func restore(source string, rec *journal.Record) (*component.Event, error) {
	e := &component.Event{ID: rec.ID.String(), Source: source, Time: rec.Time, Key: rec.Key}
	if rec.Meta != nil {
		m, err := format.DecodeJSON(rec.Meta)
		if err != nil {
			return nil, fmt.Errorf("decode meta: %w", err)
		}
		e.Meta, _ = m.(map[string]any)
	}
	body, err := payload(&rec.Payload)
	if err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	e.Body = body
	return e, nil
}

func payload(p *journal.Payload) (any, error) {
	if p.Names == nil {
		return format.Decode(p.ContentType, p.Raw)
	}
	body := make(map[string]any, len(p.Names))
	for i, name := range p.Names {
		body[name] = p.Values[i]
	}
	return body, nil
}
