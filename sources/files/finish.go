package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/syncd/syncd/engine/expr"
)

// moveError is why one file cannot be moved or deleted; others may be.
type moveError struct{ error }

func (e *moveError) Unwrap() error { return e.error }

// aim finds out where f is to go to, before anything of it is read.
func (r *run) aim(f *file) (err error) {
	now := r.env.Now()
	if f.goal, err = r.goal(f, "move", r.config.After.Move, f.input(now)); err != nil {
		return err
	}
	f.failedGoal, err = r.goal(f, "failed", r.config.After.Failed, f.input(now))
	return err
}

func (r *run) goal(f *file, name string, t expr.Template, in *expr.Input) (string, error) {
	if !t.IsSet() {
		return "", nil
	}
	to, err := t.Eval(in)
	if err != nil {
		return "", &moveError{fmt.Errorf("after.%s: %w", name, err)}
	}
	to = path.Clean(to)
	if below, ok := strings.CutPrefix(to, r.config.Path+"/"); ok && r.taken(below) {
		return "", &moveError{fmt.Errorf("after.%s leads to %s, which would be read again: choose a directory of its own, or a name that does not match %q", name, to, r.config.Match)}
	}
	return to, nil
}

// taken tells whether a file at that path below the source's would be read.
func (r *run) taken(below string) bool {
	for _, dir := range r.ours {
		if strings.HasPrefix(below, dir+"/") {
			return false
		}
	}
	if !r.hidden && (below[0] == '.' || strings.Contains(below, "/.")) {
		return false
	}
	return doublestar.MatchUnvalidated(r.config.Match, below)
}

// free gives the first name for a goal that nothing has yet.
func (r *run) free(ctx context.Context, goal string) (string, error) {
	for n := 1; ; n++ {
		to := numbered(goal, n)
		switch _, err := r.fs.Stat(ctx, to); {
		case errors.Is(err, fs.ErrNotExist):
			return to, nil
		case err != nil:
			return "", err
		}
	}
}

// numbered is the n-th choice of a path: "orders.csv", "orders-2.csv", "orders-3.csv".
func numbered(at string, n int) string {
	if n == 1 {
		return at
	}
	dir, name := path.Split(at)
	ext := path.Ext(name)
	if ext == name { // a hidden file
		ext = ""
	}
	return fmt.Sprintf("%s%s-%d%s", dir, strings.TrimSuffix(name, ext), n, ext)
}

// finish moves or deletes a file that has been read. The ledger says where it goes
// to; whether it got there is found out by looking, so that nothing is done twice
// and no other file that has its name by now is taken for it.
func (r *run) finish(ctx context.Context, f *file) error {
	switch stands, err := r.stands(ctx, f); {
	case err != nil:
		return err
	case !stands: // it has been moved already, or what has its name is another upload
		return r.forget(ctx, f)
	}
	if f.marker != "" {
		if err := r.remove(ctx, path.Join(path.Dir(f.full), f.marker)); err != nil {
			return err
		}
	}
	if f.entry.To == "" {
		if err := r.remove(ctx, f.full); err != nil {
			return err
		}
		return r.forget(ctx, f)
	}
	return r.move(ctx, f)
}

// stands tells whether the file that was read is still where it was.
func (r *run) stands(ctx context.Context, f *file) (bool, error) {
	i, err := r.fs.Stat(ctx, f.full)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !f.entry.of(i) || f.entry.To == "" {
		return err == nil && f.entry.of(i), err
	}
	i, err = r.fs.Stat(ctx, f.entry.To)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil || !f.entry.of(i) {
		return err == nil, err
	}
	// It has been moved, and what has its name looks the same; or the place was cut off
	// between the halves of renaming, and is to do the other one.
	err = r.fs.Rename(ctx, f.full, f.entry.To)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return false, err
}

func (r *run) remove(ctx context.Context, at string) error {
	err := r.fs.Remove(ctx, at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return &moveError{fmt.Errorf("delete: %w", err)}
	}
	return err
}

func (r *run) move(ctx context.Context, f *file) error {
	for {
		err := r.fs.Rename(ctx, f.full, f.entry.To)
		if errors.Is(err, fs.ErrNotExist) {
			if err := r.fs.MakeDir(ctx, path.Dir(f.entry.To)); err != nil {
				return r.blocked(ctx, f, err)
			}
			err = r.fs.Rename(ctx, f.full, f.entry.To)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return r.blocked(ctx, f, err)
		}
		e := *f.entry
		if e.To, err = r.free(ctx, e.Goal); err != nil {
			return err
		}
		if err := r.store(ctx, f, e); err != nil {
			return err
		}
	}
	if err := r.restore(ctx, f); err != nil {
		return err
	}
	return r.forget(ctx, f)
}

// blocked is why a move fails. What befalls a connection befalls the other files as
// well; all else is this file's.
func (r *run) blocked(ctx context.Context, f *file, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := r.fs.Stat(ctx, f.full); errors.Is(err, fs.ErrNotExist) {
			return r.forget(ctx, f) // somebody took it away
		}
	}
	err = fmt.Errorf("it has been read, but cannot be moved to %s: %w", f.entry.To, err)
	if r.local() || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return &moveError{err}
	}
	return err
}

// restore puts a file back that took the name of the one that was to be moved in the
// moment before.
func (r *run) restore(ctx context.Context, f *file) error {
	i, err := r.fs.Stat(ctx, f.entry.To)
	if err != nil || f.entry.of(i) {
		return nil //nolint:nilerr // it was there a moment ago, and whoever took it knows
	}
	if err := r.fs.Rename(ctx, f.entry.To, f.full); err != nil {
		r.env.Log.Error("a file that took the name of one that had been read was moved in its place, unread", "file", f.path, "to", f.entry.To, "error", err)
	}
	return nil
}
