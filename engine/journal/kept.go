package journal

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// Kept is one entry of keyed state.
type Kept struct {
	Key     string
	Value   json.RawMessage
	Expires time.Time // zero: never
}

// KeptQuery selects entries of a scope by their keys.
type KeptQuery struct {
	Prefix string // what they begin with; "": all
	After  string // those behind this one
	Limit  int    // at most so many
}

// beyond ends the keys that begin with a prefix: no text goes on with these bytes.
const beyond = "\xff\xff"

// Kept implements Journal.
func (j *SQLite) Kept(ctx context.Context, scope string, q KeptQuery) (list []Kept, err error) {
	const query = "SELECT key, value, expires FROM state WHERE scope = (SELECT id FROM scopes WHERE name = ?) " +
		"AND key > ? AND key >= ? AND key < ? AND (expires = 0 OR expires > ?) ORDER BY key LIMIT ?"
	args := []any{j.name(scope), q.After, q.Prefix, q.Prefix + beyond, nanos(j.o.Now()), int64(q.Limit)}
	err = j.read(ctx, func(c *conn) error {
		return c.query(query, args, func(r []driver.Value) error {
			e := Kept{Key: text(r[0]), Value: blob(r[1])}
			if at := num(r[2]); at != 0 {
				e.Expires = time.Unix(0, at).UTC()
			}
			list = append(list, e)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list state of %s: %w", scope, err)
	}
	return list, nil
}

// CountKept implements Journal.
func (j *SQLite) CountKept(ctx context.Context, scope, prefix string) (n int64, err error) {
	const query = "SELECT count(*) FROM state WHERE scope = (SELECT id FROM scopes WHERE name = ?) AND key >= ? AND key < ? AND (expires = 0 OR expires > ?)"
	err = j.read(ctx, func(c *conn) error {
		return c.query(query, []any{j.name(scope), prefix, prefix + beyond, nanos(j.o.Now())}, func(r []driver.Value) error {
			n = num(r[0])
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("count state of %s: %w", scope, err)
	}
	return n, nil
}

// forgetTask is a Forget on its way.
type forgetTask struct {
	job
	source string
}

// Forget implements Journal.
func (j *SQLite) Forget(ctx context.Context, source string) error {
	if err := j.submit(ctx, &forgetTask{job: newJob(), source: j.name(source)}); err != nil {
		return fmt.Errorf("forget state of %s: %w", source, err)
	}
	return nil
}

func (t *forgetTask) run(w *writer) error {
	return w.alone(func() error { return w.discard(t.source, t.source+dedupeScope) })
}
