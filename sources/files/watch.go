package files

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// hub watches directories of this machine for all sources: a system gives few
// watchers, each of which takes many directories.
type hub struct {
	mu      sync.Mutex
	watcher *fsnotify.Watcher
	ended   chan struct{}
	by      map[string][]*source // who watches a directory
}

// follow makes dirs the directories that s is nudged for. The first call makes the
// watcher, the last that takes all away closes it.
func (h *hub) follow(s *source, dirs []string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watcher == nil && len(dirs) > 0 {
		if err := h.open(); err != nil {
			return err
		}
	}
	var errs []error
	for dir, who := range h.by {
		if slices.Contains(who, s) && !slices.Contains(dirs, dir) {
			errs = append(errs, h.leave(s, dir))
		}
	}
	for _, dir := range dirs {
		if err := h.watcher.Add(dir); err != nil { // each time: it may be another one by now
			return err
		}
		if !slices.Contains(h.by[dir], s) {
			h.by[dir] = append(h.by[dir], s)
		}
	}
	if h.watcher != nil && len(h.by) == 0 {
		errs = append(errs, h.close())
	}
	return errors.Join(errs...)
}

func (h *hub) leave(s *source, dir string) error {
	h.by[dir] = slices.DeleteFunc(slices.Clone(h.by[dir]), func(o *source) bool { return o == s })
	if len(h.by[dir]) > 0 {
		return nil
	}
	delete(h.by, dir)
	if err := h.watcher.Remove(dir); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
		return err
	}
	return nil
}

func (h *hub) open() error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	h.watcher, h.by, h.ended = w, map[string][]*source{}, make(chan struct{})
	go h.pass(w, h.ended)
	return nil
}

func (h *hub) close() error {
	err := h.watcher.Close()
	ended := h.ended
	h.watcher = nil
	h.mu.Unlock() // pass may want it
	<-ended
	h.mu.Lock()
	return err
}

// pass nudges the sources of directories in which something happens.
func (h *hub) pass(w *fsnotify.Watcher, ended chan struct{}) {
	defer close(ended)
	for {
		select {
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			if e.Op != fsnotify.Chmod {
				h.nudge(e.Name)
			}
		case _, ok := <-w.Errors: // events were lost, perhaps
			if !ok {
				return
			}
			h.nudge("")
		}
	}
}

// nudge tells the sources of a path's directory, all of them for "".
func (h *hub) nudge(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for dir, who := range h.by {
		if name == "" || name == dir || filepath.Dir(name) == dir {
			for _, s := range who {
				signal(s.nudge)
				signal(s.wake)
			}
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// watching makes what happens in the directories begin a run, where that is asked
// for: a cron schedule says when files are to be read, and so does a server.
func (s *source) watching(ctx context.Context) (stop func()) {
	if !s.local() || s.config.Cron != "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-s.wake:
				s.trigger(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-done
		if err := s.hub.follow(s, nil); err != nil {
			s.env.Log.Warn("directories stay watched", "error", err)
		}
	}
}

// trigger begins a run once what happens has had a moment to go on, and the run
// that is under way has ended.
func (s *source) trigger(ctx context.Context) {
	for wait := calm; pause(ctx, wait) == nil; wait = between {
		if s.Trigger() == nil {
			return
		}
	}
}

// calm is how long something may go on before it is looked at.
const calm = 100 * time.Millisecond

// watch follows the directories that a look has found.
func (r *run) watch(dirs []string) {
	if !r.local() || r.config.Cron != "" {
		return
	}
	if err := r.hub.follow(r.source, dirs); err != nil {
		r.tell("", "directories cannot be watched; they are looked at by the schedule alone: "+err.Error())
	}
}
