package admin

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a Daemon that keeps dead letters in memory.
type fake struct {
	mu      sync.Mutex
	status  Status
	dead    []DeadLetter
	retried []int64
	dropped []int64
	lanes   map[[2]string]error
	// failAfter, when set, fails every page of Dead beyond this id.
	failAfter int64
	failure   error
	refuse    func(id int64) bool

	outcome     Reload
	plan        Plan
	generations []Generation // the newest first
}

func (f *fake) Status(context.Context) (Status, error) { return f.status, f.failure }

func (f *fake) Dead(_ context.Context, sel Filter, after int64, limit int) ([]DeadLetter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failure != nil && after >= f.failAfter {
		return nil, f.failure
	}
	var page []DeadLetter
	for _, d := range f.dead {
		if d.ID > after && len(page) < limit && sel.takes(d) {
			page = append(page, d)
		}
	}
	return page, nil
}

func (f Filter) takes(d DeadLetter) bool {
	return (f.Source == "" || f.Source == d.Source) && (f.Flow == "" || f.Flow == d.Flow) && (f.Sink == "" || f.Sink == d.Sink)
}

func (f *fake) DeadLetter(_ context.Context, id int64) (DeadLetter, error) {
	i := f.index(id)
	if i < 0 {
		return DeadLetter{}, ErrNotFound
	}
	return f.dead[i], nil
}

func (f *fake) index(id int64) int {
	return slices.IndexFunc(f.dead, func(d DeadLetter) bool { return d.ID == id })
}

func (f *fake) Retry(_ context.Context, id int64) error { return f.take(id, &f.retried) }
func (f *fake) Drop(_ context.Context, id int64) error  { return f.take(id, &f.dropped) }

func (f *fake) take(id int64, to *[]int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil && f.refuse(id) {
		return fmt.Errorf("no running flow: %w", ErrInUse)
	}
	i := f.index(id)
	if i < 0 {
		return ErrNotFound
	}
	f.dead = slices.Delete(f.dead, i, i+1)
	*to = append(*to, id)
	return nil
}

func (f *fake) DropLane(_ context.Context, flow, sink string) error {
	err, ok := f.lanes[[2]string{flow, sink}]
	if !ok {
		return ErrNotFound
	}
	return err
}

func (f *fake) Reload(_ context.Context, o ReloadOptions) (Reload, error) {
	out := f.outcome
	if o.Confirm > 0 {
		by := time.Unix(0, 0).Add(o.Confirm)
		out.KeepBy = &by
	}
	return out, nil
}

func (f *fake) Keep(context.Context) error { return ErrNothingToKeep }

func (f *fake) Plan(_ context.Context, path string) (Plan, error) {
	p := f.plan
	if path != "" {
		p.Error = "planned for " + path
	}
	return p, nil
}

func (f *fake) Generations(context.Context) ([]Generation, error) { return f.generations, nil }

func (f *fake) Generation(_ context.Context, number int64) (Generation, error) {
	if number <= 0 {
		number += int64(len(f.generations))
	}
	for _, g := range f.generations {
		if g.Number == number {
			return g, nil
		}
	}
	return Generation{}, ErrNotFound
}

func (f *fake) Rollback(_ context.Context, number int64) (Reload, error) {
	out := f.outcome
	out.Generation = number
	return out, nil
}
