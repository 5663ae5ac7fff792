package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// state is a component's view of its keyed state.
type state struct {
	journal journal.Journal
	scope   string
}

func (s state) Get(ctx context.Context, key string, v any) (bool, error) {
	raw, ok, err := s.journal.Get(ctx, s.scope, key)
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return false, fmt.Errorf("decode state %q of %s: %w", key, s.scope, err)
	}
	return true, nil
}

// store is what a connection keeps by itself.
type store struct {
	state
	turn chan struct{}
}

var _ component.Store = store{}

// Set implements component.Store.
func (s store) Set(ctx context.Context, puts []component.Put) error {
	return s.journal.Set(ctx, s.scope, puts)
}

// Lock implements component.Store.
func (s store) Lock(ctx context.Context) (unlock func(), err error) {
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// turns has one turn for each address, whichever configuration it stands in.
type turns struct {
	mu  sync.Mutex
	all map[component.Address]chan struct{}
}

func (t *turns) of(a component.Address) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[component.Address]chan struct{}{}
	}
	if t.all[a] == nil {
		t.all[a] = make(chan struct{}, 1)
	}
	return t.all[a]
}
