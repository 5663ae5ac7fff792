package journal

import (
	"sync"
	"sync/atomic"
)

// task is a submission to the writer.
type task interface {
	base() *job
	// run carries the task out within a transaction. An error that isOwn becomes its
	// answer, and nothing of it may have been done; any other fails the transaction.
	run(w *writer) error
}

// job is what every task has: its place in the queue and the way to its answer.
type job struct {
	state   atomic.Int32
	done    chan struct{} // gets one token with the answer
	err     error
	patient bool // may wait a little for company
}

// States of a job.
const (
	queued int32 = iota
	taken
	givenUp
)

func newJob() job { return job{done: make(chan struct{}, 1)} }

func (j *job) base() *job { return j }

// take is the writer's claim; false when the submitter has given up.
func (j *job) take() bool { return j.state.CompareAndSwap(queued, taken) }

// giveUp is the submitter's; false when the writer has it.
func (j *job) giveUp() bool { return j.state.CompareAndSwap(queued, givenUp) }

func (j *job) answer() { j.done <- struct{}{} }

// queue hands tasks to the writer.
type queue struct {
	wake chan struct{} // holds a token when the writer should look

	mu     sync.Mutex
	tasks  []task
	urgent int // tasks that are not patient
	closed bool

	size atomic.Int64 // of tasks, to be watched without the lock
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) put(t task) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	q.tasks = append(q.tasks, t)
	n := len(q.tasks)
	first := n == 1
	if !t.base().patient {
		q.urgent++
		first = first || q.urgent == 1
	}
	q.size.Store(int64(n))
	q.mu.Unlock()
	if first {
		q.rouse()
	}
	return nil
}

func (q *queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// swap takes all tasks and leaves the empty slice in exchange.
func (q *queue) swap(empty []task) []task {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.tasks
	q.tasks, q.urgent = empty, 0
	q.size.Store(0)
	return all
}

// look tells what waits.
func (q *queue) look() (tasks, urgent int, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.tasks), q.urgent, q.closed
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.rouse()
}
