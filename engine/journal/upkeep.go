package journal

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Bounds of what one transaction does beside its tasks, so that nobody waits long.
const (
	purgeFrames  = 100
	purgeBytes   = 2 << 20 // of frames as stored
	foldEvents   = 4000
	foldAt       = 2000 // settled events that are worth folding
	expireRows   = 500
	letGoFiles   = 100
	vacuumPages  = 256
	vacuumAt     = 16 << 20 // bytes of free pages, and a quarter of the file
	pageSize     = 4096
	measureEvery = 1 << 20
)

// due is what upkeep has to do, as a look at the model or a clock tells.
type due struct {
	purge, expire, vacuum bool
	refused, discarded    bool
	unneeded              bool // files of exceptions
	more                  bool // the last slice left something: go on when idle
}

func (d *due) any() bool {
	return d.purge || d.expire || d.vacuum || d.refused || d.discarded || d.unneeded || d.more
}

// tick is run about once a second.
func (w *writer) tick() {
	w.collect()
	w.space.recover(w)
	w.space.measure(w)
	if w.model == nil || w.conn == nil {
		w.due.refused = true // an empty transaction opens the database again
		return
	}
	w.due.purge = w.purgeable(w.overdue(w.j.o.Now())) != nil || w.purgeWaits()
	w.due.expire = w.anyExpired(w.j.o.Now())
	w.due.vacuum = w.shouldVacuum()
	w.due.refused = w.j.ports.refused.Load()
	n, err := w.conn.integer("SELECT EXISTS (SELECT 1 FROM unneeded)")
	w.due.unneeded = err == nil && n != 0
}

// overdue is the time of storage before which settled frames go.
func (w *writer) overdue(now time.Time) int64 {
	return now.Add(-w.j.limits.Load().retention).UnixNano()
}

// upkeep does a slice of what is due, within the transaction at hand.
func (w *writer) upkeep() error {
	w.due.more, w.due.refused = false, false
	if err := w.fold(); err != nil {
		return err
	}
	if err := w.purge(); err != nil {
		return err
	}
	if w.due.expire {
		if err := w.expire(); err != nil {
			return err
		}
	}
	if w.due.discarded {
		if err := w.sweep(); err != nil {
			return err
		}
	}
	if w.due.unneeded {
		if err := w.letGo(); err != nil {
			return err
		}
	}
	if w.due.vacuum {
		w.due.vacuum = false
		if err := w.conn.exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages)); err != nil {
			return fmt.Errorf("vacuum: %w", err)
		}
		w.due.vacuum = w.shouldVacuum()
	}
	w.due.more = w.due.more || w.due.purge || w.due.expire || w.due.discarded || w.due.unneeded || w.due.vacuum
	return nil
}

// anyExpired tells whether keyed state waits to be removed.
func (w *writer) anyExpired(now time.Time) bool {
	n, err := w.conn.integer("SELECT EXISTS (SELECT 1 FROM state WHERE expires <> 0 AND expires <= ?)", nanos(now))
	return err == nil && n != 0
}

// expire removes a slice of keyed state whose time is over.
func (w *writer) expire() error {
	type entry struct {
		scope int64
		key   string
	}
	var gone []entry
	const query = "SELECT scope, key FROM state WHERE expires <> 0 AND expires <= ? LIMIT ?"
	err := w.conn.query(query, []any{nanos(w.txn.now), expireRows}, func(r []driver.Value) error {
		gone = append(gone, entry{num(r[0]), text(r[1])})
		return nil
	})
	if err != nil {
		return fmt.Errorf("find expired state: %w", err)
	}
	for _, e := range gone {
		if err := w.conn.exec("DELETE FROM state WHERE scope = ? AND key = ?", e.scope, e.key); err != nil {
			return fmt.Errorf("delete expired state: %w", err)
		}
	}
	w.due.expire = len(gone) == expireRows
	return nil
}

// shouldVacuum tells whether so many pages are free that the file may shrink.
func (w *writer) shouldVacuum() bool {
	free, err := w.conn.integer("PRAGMA freelist_count")
	if err != nil || free == 0 {
		return false
	}
	if w.space.disk {
		return true
	}
	pages, err := w.conn.integer("PRAGMA page_count")
	return err == nil && free*pageSize >= vacuumAt && free*4 >= pages
}
