package journal

import "sync"

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
		if w.bySource[s] == nil {
			w.bySource[s] = map[chan struct{}]bool{}
		}
		w.bySource[s][c] = true
	}
	return c, func() { w.remove(sources, c) }
}

func (w *watchers) remove(sources []string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range sources {
		delete(w.bySource[s], c)
		if len(w.bySource[s]) == 0 {
			delete(w.bySource, s)
		}
	}
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
