package journal

import (
	"crypto/sha256"
	"database/sql/driver"
	"fmt"
	"sync"
	"weak"
)

// shared remembers the parts of envelopes that somebody has, so that each is in memory once.
type shared struct {
	mu   sync.Mutex
	byID map[int64]weak.Pointer[Shared]
}

func (s *shared) read(c *conn, id int64) (*Shared, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if part := s.byID[id].Value(); part != nil {
		return part, nil
	}
	part := &Shared{}
	err := c.query("SELECT body FROM shared WHERE id = ?", []any{id}, func(r []driver.Value) error {
		part.Body = blob(r[0])
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what exceptions share: %w", err)
	}
	if s.byID == nil {
		s.byID = map[int64]weak.Pointer[Shared]{}
	}
	for id, part := range s.byID {
		if part.Value() == nil {
			delete(s.byID, id)
		}
	}
	s.byID[id] = weak.Make(part)
	return part, nil
}

// share gives the number of the stored part, nil for none.
func (w *writer) share(part *Shared) (any, error) {
	if part == nil {
		return nil, nil
	}
	hash, known := w.txn.hashes[part]
	if !known {
		sum := sha256.Sum256(part.Body)
		hash = sum[:]
		w.txn.hashes[part] = hash
	}
	const find = "SELECT id FROM shared WHERE hash = ?"
	id, err := w.conn.integer(find, hash)
	if err == nil && id == 0 {
		id, err = w.conn.insert("INSERT INTO shared (hash, body) VALUES (?, ?)", hash, part.Body)
	}
	if err != nil {
		return nil, fmt.Errorf("store what exceptions share: %w", err)
	}
	return id, nil
}
