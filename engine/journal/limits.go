package journal

import (
	"context"
	"time"
)

// limits are how much is kept.
type limits struct {
	maxSize   int64 // 0: no limit
	retention time.Duration
}

// limitsTask makes the writer look at limits that have changed.
type limitsTask struct{ job }

// SetLimits implements Journal.
func (j *SQLite) SetLimits(maxSize int64, retention time.Duration) {
	j.limits.Store(&limits{maxSize, retention})
	// If this fails, the journal is closed, or looks again when it can be written.
	_ = j.submit(context.Background(), &limitsTask{newJob()})
}

func (t *limitsTask) run(w *writer) error {
	w.space.relimit(w)
	w.due.purge = w.purgeable(w.overdue(w.txn.now)) != nil || w.purgeWaits()
	return nil
}
