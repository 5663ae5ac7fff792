package journal

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"github.com/syncd/syncd/engine/component"
)

// dedupeScope follows a source's address in the name of the scope that holds the
// ids it has seen: an address cannot contain it.
const dedupeScope = "\x00id"

// discarded begins the names of scopes that are to be deleted; no address does.
const discarded = "\x00gone "

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

// keeps tells whether there is something in the scope.
func (w *writer) keeps(scope string) (bool, error) {
	n, err := w.conn.integer("SELECT EXISTS (SELECT 1 FROM state WHERE scope = (SELECT id FROM scopes WHERE name = ?))", scope)
	if err != nil {
		return false, fmt.Errorf("look into scope: %w", err)
	}
	return n != 0, nil
}

// discard makes the scopes empty. What they held, which may be much, upkeep deletes
// by and by.
func (w *writer) discard(scopes ...string) error {
	for _, name := range scopes {
		delete(w.model.scopes, name)
		if err := w.conn.exec("UPDATE scopes SET name = ? || id WHERE name = ?", discarded, name); err != nil {
			return fmt.Errorf("discard scope: %w", err)
		}
	}
	w.due.discarded = true
	return nil
}

// sweep deletes a slice of what was discarded.
func (w *writer) sweep() error {
	id, err := w.conn.integer("SELECT id FROM scopes WHERE name >= ? AND name < ? LIMIT 1", discarded, discarded+"~")
	if err != nil || id == 0 {
		w.due.discarded = false
		return err
	}
	err = w.conn.exec("DELETE FROM state WHERE scope = ? AND key IN (SELECT key FROM state WHERE scope = ? LIMIT ?)", id, id, expireRows)
	if err != nil {
		return fmt.Errorf("delete discarded state: %w", err)
	}
	return w.conn.exec("DELETE FROM scopes WHERE id = ? AND NOT EXISTS (SELECT 1 FROM state WHERE scope = scopes.id)", id)
}

// setTask is a Set on its way.
type setTask struct {
	job
	scope string
	puts  []put
}

// Set implements Journal.
func (j *SQLite) Set(ctx context.Context, scope string, puts []component.Put) (err error) {
	t := &setTask{job: newJob(), scope: scope}
	if t.puts, err = encodePuts(nil, puts); err == nil {
		err = j.submit(ctx, t)
	}
	if err != nil {
		return fmt.Errorf("set state of %s: %w", scope, err)
	}
	return nil
}

func (t *setTask) run(w *writer) error {
	return w.alone(func() error { return w.put(t.scope, t.puts) })
}

// Get implements Journal.
func (j *SQLite) Get(ctx context.Context, scope, key string) (value json.RawMessage, found bool, err error) {
	const query = "SELECT value FROM state WHERE scope = (SELECT id FROM scopes WHERE name = ?) AND key = ? AND (expires = 0 OR expires > ?)"
	err = j.read(ctx, func(c *conn) error {
		return c.query(query, []any{j.name(scope), key, nanos(j.o.Now())}, func(r []driver.Value) error {
			value, found = blob(r[0]), true
			return nil
		})
	})
	if err != nil {
		return nil, false, fmt.Errorf("get state %q: %w", key, err)
	}
	return value, found, nil
}
