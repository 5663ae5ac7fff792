package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
)

// run is one run: it ends when all that is there has been seen to, and nothing has
// yet to settle.
type run struct {
	*source
	in component.Intake
}

// between is the shortest time between two looks.
const between = time.Second

func (r *run) all(ctx context.Context) error {
	defer r.status.looking(false)
	for {
		began := time.Now()
		drain(r.nudge)
		wait, err := r.look(ctx)
		if err != nil || wait == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		case <-r.nudge:
			if err := pause(ctx, between-time.Since(began)); err != nil {
				return err
			}
		}
	}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// look lists what is there and reads what is ready, one file after the other. wait
// is how long it is until another file may be, 0 if none has to settle.
func (r *run) look(ctx context.Context) (wait time.Duration, err error) {
	l, err := r.list(ctx)
	if err != nil {
		return 0, err
	}
	r.status.looking(true)
	if err := r.keep(ctx, l); err != nil {
		return 0, err
	}
	r.watch(l.dirs)
	var wants tally
	for _, dir := range slices.Sorted(maps.Keys(l.locked)) {
		wants.fault(l.locked[dir])
	}
	for _, f := range l.files {
		ready, err := r.ready(ctx, f, &wants)
		if err != nil {
			return 0, err
		}
		if !ready {
			continue
		}
		err = r.handle(ctx, f)
		if errors.Is(err, errChanged) {
			f.since = time.Now()
			wants.settle(max(r.config.Settle, between))
		} else if err = wants.went(f, err); err != nil || ctx.Err() != nil {
			return 0, cmp.Or(ctx.Err(), err)
		}
	}
	r.status.counted(wants)
	return wants.wait, wants.trouble()
}

// tally is what a look has left for later.
type tally struct {
	settling, unmarked, faults int
	wait                       time.Duration
	first                      error
	inARow                     int // files that have failed by a trouble of the place
}

func (t *tally) settle(d time.Duration) {
	t.settling++
	if t.wait == 0 || d < t.wait {
		t.wait = d
	}
}

// patience is how many files may fail one after the other of the same place's trouble
// before the others are left alone.
const patience = 3

// went notes how it went with a file. The answer is an error that the next one would
// meet as well.
func (t *tally) went(f *file, err error) error {
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist): // it has been taken away
		t.inARow = 0
		return nil
	case errors.As(err, new(*component.LaterError)):
		return err
	}
	err = fmt.Errorf("%s: %w", f.path, err)
	t.fault(err)
	if own(err) {
		return nil
	}
	if t.inARow++; t.inARow == patience {
		return err
	}
	return nil
}

// fault counts a file or directory that fails.
func (t *tally) fault(err error) {
	t.first = cmp.Or(t.first, err)
	t.faults++
}

// own tells whether an error is of a file alone.
func own(err error) bool {
	var special *files.NotRegularError
	return errors.Is(err, fs.ErrPermission) || errors.As(err, &special) || errors.As(err, new(*moveError))
}

func (t *tally) trouble() error {
	switch {
	case t.first == nil || t.wait > 0: // it comes again with the next look
		return nil
	case t.faults == 1:
		return t.first
	}
	return fmt.Errorf("%w (and %d more fail)", t.first, t.faults-1)
}

// ready tells whether something is to be done with f now.
func (r *run) ready(ctx context.Context, f *file, t *tally) (bool, error) {
	if err := r.load(ctx, f); err != nil {
		return false, err
	}
	if e := f.entry; e != nil && e.of(f.info) {
		return !e.settled(), nil
	}
	if f.marker != "" && !f.marked {
		t.unmarked++
		return false, nil
	}
	if d := f.unsettled(r.config.Settle); d > 0 {
		t.settle(d)
		return false, nil
	}
	return true, nil
}

// unsettled is how long f must stay as it is to count as complete; 0: it does.
func (f *file) unsettled(settle time.Duration) time.Duration {
	return max(0, settle-time.Since(f.since))
}

// handle does what is to be done with f, as far as it can be done now.
func (r *run) handle(ctx context.Context, f *file) error {
	i, err := r.fs.Stat(ctx, f.full)
	if err != nil {
		return err
	}
	if !same(i, f.info) {
		f.info = i
		return errChanged
	}
	if f.entry != nil && !f.entry.of(f.info) {
		if err := r.compare(ctx, f); err != nil {
			return err
		}
	}
	if f.entry == nil {
		f.entry = &entry{State: reading}
		f.entry.becomes(f.info)
	}
	if f.entry.State == reading {
		if err := r.aim(f); err != nil {
			return err
		}
		if err := r.read(ctx, f); err != nil {
			return err
		}
	}
	if f.entry.State == read {
		return r.finish(ctx, f)
	}
	return nil
}

// keep makes the ledger and what is known of files follow the listing: what is gone
// is kept for a while, what is there for good.
func (r *run) keep(ctx context.Context, l *listing) error {
	seen := make(map[string]*file, len(l.files))
	var puts []component.Put
	for _, f := range l.files {
		seen[f.path] = f
		if e := f.entry; e != nil && e.settled() && time.Unix(e.Until, 0).Sub(r.env.Now()) < renewAt {
			puts = append(puts, r.put(f.path, e, keepEntry))
		}
	}
	for at, f := range r.seen {
		if l.hides(at) {
			seen[at] = f
		}
		if seen[at] == nil && f.entry != nil {
			puts = append(puts, r.put(at, f.entry, keepGone))
		}
	}
	r.seen = seen
	for len(puts) > 0 {
		n := min(len(puts), 500)
		if err := r.accept(ctx, nil, puts[:n:n]...); err != nil {
			return err
		}
		puts = puts[n:]
	}
	return nil
}

// accept commits records of one file with what the ledger says of it from then on.
func (r *run) accept(ctx context.Context, drafts []component.Draft, puts ...component.Put) error {
	_, err := r.in.Accept(ctx, component.Batch{Drafts: drafts, State: puts, Silent: true})
	return err
}
