package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// patience is how long a settlement may wait for an append to share a commit
// with, while appends keep coming: those that come faster share their commits, and
// for slower ones another sync is cheap.
const patience = 2 * time.Millisecond

// Bounds of one transaction.
const (
	maxTasks    = 4096
	maxTxnBytes = 16 << 20
)

// writer is the one goroutine that changes the database. Whatever waits for it
// shares a transaction and its sync.
type writer struct {
	j     *SQLite
	log   *slog.Logger
	conn  *conn // nil while the database cannot be opened
	model *model

	txn     txn
	due     due
	space   space
	spare   []task
	lastAdd time.Time // of the last commit with an append
	failing bool      // the last transaction failed
	stopped bool

	uncollected bool // payloads that are not needed could not be removed
}

// run is the goroutine: it ends when the queue is closed and empty, or when the
// journal is abandoned.
func (w *writer) run() {
	defer close(w.j.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		ticked, closed := w.await(tick.C)
		if ticked {
			w.tick()
		}
		if w.j.killed.Load() || w.stopped {
			w.refuse()
			return
		}
		w.round()
		if closed && w.j.queue.size.Load() == 0 {
			if w.j.ports.refused.Load() {
				w.transact(nil)
			}
			return
		}
	}
}

// await returns when there is something to commit, or after a tick.
func (w *writer) await(tick <-chan time.Time) (ticked, closed bool) {
	for {
		tasks, urgent, closed := w.j.queue.look()
		if urgent > 0 || closed || w.j.killed.Load() {
			return false, closed
		}
		var company <-chan time.Time
		if tasks > 0 {
			wait := patience - time.Since(w.lastAdd)
			if wait <= 0 {
				return false, false
			}
			company = time.After(wait)
		} else if w.due.more {
			return false, false
		}
		select {
		case <-w.j.queue.wake:
		case <-company:
			return false, false
		case <-tick:
			return true, false
		}
	}
}

// round commits what waits, and if nothing does, some upkeep.
func (w *writer) round() {
	w.gather()
	all := w.j.queue.swap(w.spare[:0])
	if len(all) == 0 {
		if w.due.any() {
			w.transact(nil)
		}
		w.spare = all
		return
	}
	for rest := all; len(rest) > 0; {
		n := w.portion(rest)
		w.transact(rest[:n])
		rest = rest[n:]
	}
	clear(all)
	w.spare = all
}

// gather lets submitters that are about to submit do so: it costs a lone one
// nothing, and many a sync less.
func (w *writer) gather() {
	for last := int64(-1); ; runtime.Gosched() {
		n := w.j.queue.size.Load()
		if n == last || n >= maxTasks {
			return
		}
		last = n
	}
}

// portion is how many of the tasks go into one transaction. One that configures ends
// it: what comes later is not to be read before that has been taken.
func (w *writer) portion(tasks []task) int {
	size := 0
	for i, t := range tasks {
		if a, ok := t.(*appendTask); ok {
			size += len(a.buf)
		}
		if i > 0 && (i == maxTasks || size > maxTxnBytes) {
			return i
		}
		if _, configures := t.(*configureTask); configures {
			return i + 1
		}
	}
	return len(tasks)
}

// refuse answers all that waits, and all to come, with ErrClosed.
func (w *writer) refuse() {
	w.j.queue.close()
	for _, t := range w.j.queue.swap(nil) {
		if j := t.base(); j.take() {
			j.err = ErrClosed
			j.answer()
		}
	}
}

// transact carries out the tasks in one transaction and answers them.
func (w *writer) transact(tasks []task) {
	mine := w.claim(tasks)
	if len(mine) == 0 && len(tasks) > 0 {
		return
	}
	err := w.perform(mine)
	if err == nil && (w.j.killed.Load() || w.stopped) {
		err = ErrClosed
	}
	if err != nil {
		w.lost(err)
		err = w.explain(err)
	} else {
		w.publish()
	}
	for _, t := range mine {
		j := t.base()
		if j.err == nil {
			j.err = err
		}
		j.answer()
	}
}

// claim leaves out those whose submitters gave up.
func (w *writer) claim(tasks []task) []task {
	mine := tasks[:0]
	for _, t := range tasks {
		if t.base().take() {
			mine = append(mine, t)
			continue
		}
		if a, ok := t.(*appendTask); ok {
			w.j.recycle(a)
		}
	}
	return mine
}

// perform runs the transaction up to its commit, which is on disk when it returns nil.
func (w *writer) perform(tasks []task) error {
	if err := w.ready(); err != nil {
		return err
	}
	w.txn.begin(w.j.o.Now())
	if err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, t := range tasks {
		if err := w.one(t); err != nil {
			return err
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	if h := w.j.o.Hooks.BeforeCommit; h != nil {
		if err := h(); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
	}
	if err := w.conn.exec("COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if h := w.j.o.Hooks.AfterCommit; h != nil && h() != nil {
		w.stopped = true
	}
	return nil
}

// one carries out a task. What concerns it alone becomes its own answer.
func (w *writer) one(t task) error {
	err := t.run(w)
	if err == nil || !isOwn(err) {
		return err
	}
	if mine, ok := err.(ownError); ok {
		err = mine.error
	}
	t.base().err = err
	return nil
}

// alone runs f, which writes tables but not the model, in a savepoint, so that
// nothing of it stays if it fails.
func (w *writer) alone(f func() error) error {
	if err := w.conn.exec("SAVEPOINT alone"); err != nil {
		return err
	}
	err := f()
	if err != nil {
		if !isOwn(err) {
			return err
		}
		clear(w.model.scopes)
		if err := w.conn.exec("ROLLBACK TO alone"); err != nil {
			return err
		}
	}
	if rerr := w.conn.exec("RELEASE alone"); rerr != nil {
		return rerr
	}
	return err
}

// ready opens the connection and loads the model where a failure has closed them.
func (w *writer) ready() error {
	if w.conn == nil {
		c, err := w.j.dialWriter()
		if err != nil {
			return fmt.Errorf("open database: %w", err)
		}
		w.conn = c
	}
	if w.model != nil {
		return nil
	}
	m, err := load(w.conn)
	if err == nil {
		err = m.loadProgress(w.conn)
	}
	if err != nil {
		return err
	}
	w.model = m
	w.arrange(w.j.topology.Load())
	return nil
}

// lost rolls back a failed transaction and forgets what it did to the model.
func (w *writer) lost(cause error) {
	w.due.more = false
	w.txn.restore(&w.j.ports)
	w.model = nil
	if w.conn != nil {
		// An error here means that SQLite has rolled back by itself, or that the
		// connection is beyond use; a new one is right in both cases.
		if err := w.conn.exec("ROLLBACK"); err != nil || code(cause) != 0 && !isFull(cause) {
			w.conn.close()
			w.conn = nil
		}
	}
	if errors.Is(cause, ErrClosed) {
		return
	}
	if isFull(cause) {
		w.space.diskFull(w)
	}
	if !w.failing {
		w.log.Error("the journal cannot be written", "error", cause)
	}
	w.failing = true
}

// explain makes the error that submitters see.
func (w *writer) explain(err error) error {
	switch {
	case errors.Is(err, ErrClosed):
		return ErrClosed
	case isFull(err):
		return &component.LaterError{Reason: reasonDisk, After: laterSpace}
	case isDamaged(err):
		return fmt.Errorf("write journal: %w", damaged(w.j.file(), err))
	}
	return fmt.Errorf("write journal: %w", err)
}
