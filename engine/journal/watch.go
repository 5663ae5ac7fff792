package journal

import (
	"maps"
	"sync"
)

// watchers are those who wait for events of sources.
type watchers struct {
	mu       sync.Mutex
	bySource map[string]map[chan struct{}]bool
}

// Watch implements Journal.
func (j *SQLite) Watch(sources []string) (wake <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	c <- struct{}{}
	w := &j.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range sources {
		s = j.name(s)
		if w.bySource[s] == nil {
			w.bySource[s] = map[chan struct{}]bool{}
		}
		w.bySource[s][c] = true
	}
	return c, func() { w.remove(c) }
}

// remove looks everywhere: a source may have moved.
func (w *watchers) remove(c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s, set := range w.bySource {
		if delete(set, c); len(set) == 0 {
			delete(w.bySource, s)
		}
	}
}

// rename makes those who watch a source that moved go on watching it.
func (w *watchers) rename(m Move) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if set := w.bySource[m.To]; set != nil {
		maps.Copy(set, w.bySource[m.From])
	} else if set := w.bySource[m.From]; set != nil {
		w.bySource[m.To] = set
	}
	delete(w.bySource, m.From)
}

func (w *watchers) notify(source string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.bySource[source] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
