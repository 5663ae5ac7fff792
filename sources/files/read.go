package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/syncd/syncd/engine/component"
)

// read makes events of f, from where the ledger says that it ended.
func (r *run) read(ctx context.Context, f *file) error {
	r.status.begin(f.path, f.entry.At.Row)
	defer r.status.begin("", 0)
	err := r.readAll(ctx, f)
	var fault contentError
	if !errors.As(err, &fault) {
		return err
	}
	// Not even its first record can be read.
	return r.commit(ctx, f, &chunk{last: true, fault: fault.error, at: f.entry.At})
}

func (r *run) readAll(ctx context.Context, f *file) error {
	a, err := r.documents(ctx, f)
	if err != nil {
		return err
	}
	defer a.Close()
	if f.entry.Hash != "" && f.entry.Hash != a.hash {
		return errChanged
	}
	f.entry.Hash = a.hash
	if r.config.Atomic && !f.entry.Checked {
		if err := r.check(ctx, f, a); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	chunks, spare := make(chan *chunk), make(chan []component.Draft, 1)
	var parsing errgroup.Group
	parsing.Go(func() error {
		defer close(chunks)
		p := &parser{run: r, file: f, has: a, at: f.entry.At, left: r.allowed(f), spare: spare, emit: func(c *chunk) error {
			select {
			case chunks <- c:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		return p.parse(ctx)
	})
	for c := range chunks { // the next one is parsed meanwhile
		if err = r.commit(ctx, f, c); err != nil {
			break
		}
		clear(c.drafts)
		select {
		case spare <- c.drafts[:0]:
		default:
		}
	}
	stop()
	return cmp.Or(err, parsing.Wait())
}

// allowed is how many records may yet be faulty.
func (r *run) allowed(f *file) int64 {
	if r.config.MaxErrors == 0 {
		return math.MaxInt64
	}
	return max(1, r.config.MaxErrors-f.entry.Faults)
}

// commit makes a chunk events, and moves the ledger on with them.
func (r *run) commit(ctx context.Context, f *file, c *chunk) error {
	e := *f.entry
	e.At, e.Faults = c.at, e.Faults+c.faults
	if c.last {
		if err := r.conclude(ctx, f, &e, c); err != nil {
			return err
		}
	}
	if err := r.accept(ctx, c.drafts, r.put(f.path, &e, keepEntry)); err != nil {
		return err
	}
	f.entry = &e
	if c.last {
		r.tellOf(f, c)
	}
	return nil
}

// conclude says what is to become of a file that has been read, or has failed.
func (r *run) conclude(ctx context.Context, f *file, e *entry, c *chunk) error {
	e.Failed = c.fault != nil
	if e.Hash == "" {
		e.Hash = c.hash
	}
	if !e.Failed {
		e.At.Sum, e.At.Hashed = nil, 0
	}
	goal, remove := f.goal, r.config.After.Delete
	if e.Failed {
		goal, remove = f.failedGoal, false
	}
	switch {
	case goal != "":
		to, err := r.free(ctx, goal)
		if err != nil {
			return err
		}
		e.State, e.Goal, e.To = read, goal, to
	case remove:
		e.State = read
	case e.Failed:
		e.State = failed
	default:
		e.State = done
	}
	return nil
}

func (r *run) tellOf(f *file, c *chunk) {
	if c.fault == nil {
		r.env.Log.Debug("file read", "file", f.path, "rows", f.entry.At.Row, "dead", f.entry.Faults)
		return
	}
	r.in.Refused(1)
	r.status.failed(fmt.Sprintf("%q: %v", f.path, c.fault))
	r.env.Log.Error("file failed; what stands behind the place was not read", "file", f.path, "row", f.entry.At.Row, "error", c.fault)
}

// maxTold is how many faults of a file are told one by one.
const maxTold = 5

// check reads all of a file that must be whole, and keeps nothing of it. What it
// finds faulty fails the file.
func (r *run) check(ctx context.Context, f *file, a *archive) error {
	var told []string
	var found int64
	var fault error
	p := &parser{run: r, file: f, has: a, left: math.MaxInt64, emit: func(c *chunk) error {
		found, fault = found+c.faults, c.fault
		for i := range c.drafts {
			if d := &c.drafts[i]; d.Fault != nil && len(told) < maxTold {
				told = append(told, d.Fault.Error())
			}
		}
		return nil
	}}
	if err := p.parse(ctx); err != nil {
		return err
	}
	if fault != nil {
		return faulty("nothing of it is taken in, since it is atomic: %w", fault)
	}
	if found > 0 {
		return faulty("nothing of it is taken in, since it is atomic and %d of its records cannot be read: %s", found, strings.Join(told, "; "))
	}
	f.entry.Checked = true
	return nil
}
