package flow

import (
	"container/heap"
	"time"
)

// queue holds the retries of a lane by the time of their next attempt.
type queue struct{ h retries }

func (q *queue) push(r *retry)   { heap.Push(&q.h, r) }
func (q *queue) len() int        { return len(q.h) }
func (q *queue) next() time.Time { return q.h[0].next }
func (q *queue) each(f func(*retry)) {
	for _, r := range q.h {
		f(r)
	}
}

// due takes a retry whose time has come; nil when there is none.
func (q *queue) due(now time.Time) *retry {
	if len(q.h) == 0 || q.h[0].next.After(now) {
		return nil
	}
	return heap.Pop(&q.h).(*retry)
}

type retries []*retry

func (h retries) Len() int           { return len(h) }
func (h retries) Less(i, j int) bool { return h[i].next.Before(h[j].next) }
func (h retries) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *retries) Push(x any)        { *h = append(*h, x.(*retry)) }
func (h *retries) Pop() any {
	old := *h
	r := old[len(old)-1]
	*h = old[:len(old)-1]
	return r
}

// backoff is the pause before attempt n+1: doubling from initial to at most max,
// between half and all of it.
func backoff(initial, limit time.Duration, n int, jitter float64) time.Duration {
	d := initial
	for ; n > 1 && d < limit; n-- {
		d *= 2
	}
	d = min(d, limit)
	return d/2 + time.Duration(jitter*float64(d/2))
}
