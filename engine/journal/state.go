package journal

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// dedupeScope follows a source's address in the name of the scope that holds the
// ids it has seen: an address cannot contain it.
const dedupeScope = "\x00id"

const putState = "INSERT INTO state (scope, key, value, expires) VALUES (?, ?, ?, ?) " +
	"ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, expires = excluded.expires"

// scope is the number of that scope, made if need be.
func (w *writer) scope(name string) (int64, error) {
	if id, ok := w.model.scopes[name]; ok {
		return id, nil
	}
	id, err := w.conn.integer("SELECT id FROM scopes WHERE name = ?", name)
	if err == nil && id == 0 {
		id, err = w.conn.insert("INSERT INTO scopes (name) VALUES (?)", name)
	}
	if err != nil {
		return 0, fmt.Errorf("write scope: %w", err)
	}
	w.model.scopes[name] = id
	return id, nil
}

// put stores keyed state.
func (w *writer) put(scope string, puts []put) error {
	if len(puts) == 0 {
		return nil
	}
	id, err := w.scope(scope)
	if err != nil {
		return err
	}
	for _, p := range puts {
		if p.value == nil {
			err = w.conn.exec("DELETE FROM state WHERE scope = ? AND key = ?", id, p.key)
		} else {
			err = w.conn.exec(putState, id, p.key, p.value, p.expires)
		}
		if err != nil {
			return fmt.Errorf("put state %q: %w", p.key, err)
		}
	}
	return nil
}

// Get implements Journal.
func (j *SQLite) Get(ctx context.Context, scope, key string) (value json.RawMessage, found bool, err error) {
	const query = "SELECT value FROM state WHERE scope = (SELECT id FROM scopes WHERE name = ?) AND key = ? AND (expires = 0 OR expires > ?)"
	err = j.read(ctx, func(c *conn) error {
		return c.query(query, []any{scope, key, nanos(j.o.Now())}, func(r []driver.Value) error {
			value, found = blob(r[0]), true
			return nil
		})
	})
	if err != nil {
		return nil, false, fmt.Errorf("get state %q: %w", key, err)
	}
	return value, found, nil
}
