package files

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// index remembers which paths have parts, so that after a start those that no
// event asks for are published in time as well.
type index struct {
	loaded  bool
	waiting map[string]bool
	changed bool // since it was last handed over for commit
}

const indexKey = "parts"

// load reads the index and the paths in it.
func (x *index) load(ctx context.Context, s *sink) error {
	if x.loaded || s.cfg.Roll == nil {
		return nil
	}
	var paths []string
	if _, err := s.state.Get(ctx, indexKey, &paths); err != nil {
		return fmt.Errorf("read which files wait: %w", err)
	}
	x.loaded, x.waiting = true, map[string]bool{}
	for _, path := range paths {
		x.waiting[path] = true
	}
	for _, path := range paths {
		t, err := s.target(ctx, path)
		if err != nil {
			s.log.Error("a file that waits for its end cannot be read yet", "path", path, "error", s.explain(path, err))
			continue
		}
		x.note(t)
	}
	return nil
}

// note takes over whether t has parts.
func (x *index) note(t *target) {
	if is := t.isWaiting(); is != x.waiting[t.path] && x.waiting != nil {
		x.changed = true
		if is {
			x.waiting[t.path] = true
		} else {
			delete(x.waiting, t.path)
		}
	}
}

func (x *index) put() []component.Put {
	if !x.changed {
		return nil
	}
	x.changed = false
	paths := make([]string, 0, len(x.waiting))
	for path := range x.waiting {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return []component.Put{{Key: indexKey, Value: paths}}
}

// makeRoom keeps the number of waiting files bounded: the oldest is complete when
// t begins one more.
func (s *sink) makeRoom(ctx context.Context, t *target) error {
	if s.cfg.Roll == nil || t.isWaiting() || len(s.parts.waiting) < maxParts {
		return nil
	}
	var oldest *target
	for _, other := range s.targets {
		if isPart(other.now.File) && (oldest == nil || other.now.Opened.Before(oldest.now.Opened)) {
			oldest = other
		}
	}
	if oldest == nil {
		return nil
	}
	return s.seal(ctx, oldest)
}

// pause is how long the timer may sleep when nothing is due.
func (r *Roll) pause() time.Duration {
	if r.Every == 0 {
		return time.Hour
	}
	return r.Every
}

// startTimer publishes files whose time has come though no event arrives.
func (s *sink) startTimer() {
	ctx, cancel := s.life, s.stop
	done := make(chan struct{})
	s.stop = func() { cancel(); <-done }
	go func() {
		defer close(done)
		for {
			timer := time.NewTimer(s.tick(ctx))
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			case <-s.wake:
				timer.Stop()
			}
		}
	}()
}

// nudge has the timer look again.
func (s *sink) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// retryPause is how long the timer waits before it tries again what failed.
const retryPause = 10 * time.Second

// tick publishes what is due and tells when to come again. While a call is not
// settled nothing is: its settlement nudges.
func (s *sink) tick(ctx context.Context) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.parts.load(ctx, s); err != nil {
		if ctx.Err() == nil {
			s.log.Error("files that wait for their end are not known yet", "error", err)
		}
		return retryPause
	}
	next := s.cfg.Roll.pause()
	if len(s.sent) > 0 {
		return next
	}
	for path := range s.parts.waiting {
		next = min(next, s.publishDue(ctx, path))
	}
	return next
}

// publishDue publishes the path's part if its time has come, else tells how long that is.
func (s *sink) publishDue(ctx context.Context, path string) time.Duration {
	t, err := s.target(ctx, path)
	if err != nil {
		return retryPause
	}
	if every := s.cfg.Roll.Every; every > 0 && isPart(t.now.File) {
		if left := t.now.Opened.Add(every).Sub(s.now()); left > 0 {
			return left
		}
		if err := s.seal(ctx, t); err != nil {
			s.log.Error("a file whose time has come cannot be completed yet", "path", path, "error", s.explain(path, err))
			return retryPause
		}
	}
	if err := s.publish(ctx, t); err != nil {
		s.log.Error("a complete file cannot be published yet", "path", path, "error", s.explain(path, err))
		return retryPause
	}
	return s.cfg.Roll.pause()
}

// seal completes the part of t; all it holds is on record.
func (s *sink) seal(ctx context.Context, t *target) error {
	w := &writing{ctx: ctx, s: s, t: t, p: t.now.clone()}
	defer w.close()
	if err := w.end(); err != nil {
		return err
	}
	t.now = w.p
	return nil
}
