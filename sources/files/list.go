package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/expr"
)

// file is one that matches, as it was seen last.
type file struct {
	path   string // below the source's path
	full   string // where it is opened: no symbolic link is in it
	info   files.Info
	since  time.Time // since when it has been as info says
	marker string    // its companion, in the same directory; "": none is asked for
	marked bool      // which is there
	loaded bool
	entry  *entry // of the ledger; nil: none
	// Where it is to go to when it has been read or has failed; "": nowhere.
	goal, failedGoal string
}

func same(a, b files.Info) bool {
	return a.Size == b.Size && a.ModTime.Equal(b.ModTime) && a.ID == b.ID
}

// What a source looks through at most.
const (
	maxFiles = 100_000
	maxDepth = 64
)

// listing is what was found below a path.
type listing struct {
	files []*file // in the order of their paths
	dirs  []string
	// locked are the directories below the path that cannot be looked into, by why.
	locked map[string]error
	// markers are paths of companions that files have or wait for: no files of their own.
	markers map[string]bool
}

// list looks for files that match, and notes since when each has been as it is.
func (r *run) list(ctx context.Context) (*listing, error) {
	root, err := r.fs.RealPath(ctx, r.config.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no directory %s", r.config.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("look into %s: %w", r.config.Path, err)
	}
	l := &listing{markers: map[string]bool{}, locked: map[string]error{}}
	if err := r.walk(ctx, l, root, "", 0); err != nil {
		return nil, err
	}
	l.files = slices.DeleteFunc(l.files, func(f *file) bool { return l.markers[f.path] })
	slices.SortFunc(l.files, func(a, b *file) int { return cmp.Compare(a.path, b.path) })
	return l, nil
}

func (r *run) walk(ctx context.Context, l *listing, dir, below string, depth int) error {
	infos, err := r.fs.ReadDir(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) && depth > 0 {
		return nil // it has gone since its parent was listed
	}
	if err != nil {
		err = fmt.Errorf("look into %s: %w", dir, err)
		if depth > 0 && errors.Is(err, fs.ErrPermission) { // the others may be read
			l.locked[below] = err
			return nil
		}
		return err
	}
	l.dirs = append(l.dirs, dir)
	slices.SortFunc(infos, func(a, b files.Info) int { return cmp.Compare(a.Name, b.Name) })
	var mine []*file
	for _, i := range infos {
		at := path.Join(below, i.Name)
		switch {
		case i.Name[0] == '.' && !r.hidden || !r.nameable(below, i.Name):
		case i.Mode.IsDir():
			if depth < r.depth && !slices.Contains(r.ours, at) {
				if err := r.walk(ctx, l, path.Join(dir, i.Name), at, depth+1); err != nil {
					return err
				}
			}
		case doublestar.MatchUnvalidated(r.config.Match, at):
			if !i.Mode.IsRegular() {
				r.tell(at, "left alone: it is "+files.Describe(i.Mode)+", not a file")
				continue
			}
			if len(l.files)+len(mine) >= maxFiles {
				return fmt.Errorf("more than %d files below %s match %q: move what has been read away by after, or match fewer", maxFiles, r.config.Path, r.config.Match)
			}
			mine = append(mine, r.sighted(at, path.Join(dir, i.Name), i))
		}
	}
	l.files = append(l.files, mine...)
	return r.mark(l, mine, below, infos)
}

// hides tells whether a path lies in a directory that could not be looked into.
func (l *listing) hides(at string) bool {
	for dir := range l.locked {
		if strings.HasPrefix(at, dir+"/") {
			return true
		}
	}
	return false
}

// nameable refuses names that no file of ours can have, or that would be another
// one once they were written down.
func (r *run) nameable(below, name string) bool {
	switch {
	case name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
		r.tell(path.Join(below, "?"), fmt.Sprintf("left alone: the server calls it %q, which is no name of a file", name))
	case !utf8.ValidString(name):
		r.tell(path.Join(below, name), fmt.Sprintf("left alone: its name %q is not UTF-8; rename it", name))
	default:
		return true
	}
	return false
}

// tell says something of a path, one time.
func (r *run) tell(path, text string) {
	if r.said[path] == text || len(r.said) > 1000 {
		return
	}
	r.said[path] = text
	r.env.Log.Warn(text, "file", path)
}

// sighted is the file at a path as it was known, unless it has changed.
func (r *run) sighted(at, full string, i files.Info) *file {
	f := r.seen[at]
	if f == nil {
		f = &file{path: at, since: time.Now()}
	} else if !same(f.info, i) {
		f.since = time.Now()
	}
	f.full, f.info = full, i
	return f
}

// mark finds the markers of files of one directory, which holds what infos says.
func (r *run) mark(l *listing, mine []*file, below string, infos []files.Info) error {
	if !r.config.DoneMarker.IsSet() || len(mine) == 0 {
		return nil
	}
	there := make(map[string]bool, len(infos))
	for _, i := range infos {
		there[i.Name] = true
	}
	for _, f := range mine {
		if f.marker == "" {
			name, err := r.config.DoneMarker.Eval(f.input(r.env.Now()))
			if err != nil {
				return fmt.Errorf("done_marker of %s: %w", f.path, err)
			}
			f.marker = name
		}
		f.marked = there[f.marker]
		l.markers[path.Join(below, f.marker)] = true
	}
	return nil
}

// input is what templates see of f.
func (f *file) input(now time.Time) *expr.Input {
	return &expr.Input{
		Meta:  map[string]any{"file": f.meta("")},
		Event: expr.Event{Time: now},
	}
}

// meta is what events know of the file; member is one of an archive.
func (f *file) meta(member string) map[string]any {
	m := map[string]any{
		"name": f.info.Name, "path": f.path, "size": f.info.Size,
		"modified": f.info.ModTime.UTC().Format(time.RFC3339),
	}
	if member != "" {
		m["member"] = member
	}
	return m
}
