package journal

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// maxFailures is how many failed attempts an exception tells of.
const maxFailures = 10

const exceptionColumns = "SELECT e.id, e.track, s.address, e.position, e.path, ifnull(f.flow, ''), ifnull(t.sink, ''), " +
	"e.event_id, e.event_time, e.step, e.envelope, e.order_key, e.attempts, e.since, e.next, e.dead, e.errors, e.shared, e.blob " +
	"FROM exceptions e JOIN sources s ON s.id = e.source LEFT JOIN tracks t ON t.id = e.track LEFT JOIN feeds f ON f.id = t.feed "

// readException reads a row of exceptionColumns, but for what stands elsewhere, and the
// number of its track.
func readException(r []driver.Value) (Exception, int64, error) {
	e := Exception{
		ID: num(r[0]), Key: Key{Source: text(r[2]), Position: pos(r[3]), Path: text(r[4])}, Lane: Lane{text(r[5]), text(r[6])},
		EventID: text(r[7]), EventTime: fromNanos(num(r[8])), Step: text(r[9]), Envelope: blob(r[10]), OrderKey: text(r[11]),
		Attempts: int(num(r[12])), Since: fromNanos(num(r[13])), Next: fromNanos(num(r[14])), Dead: num(r[15]) != 0,
	}
	if err := json.Unmarshal([]byte(text(r[16])), &e.Errors); err != nil {
		return e, 0, fmt.Errorf("read exception %d: %w", e.ID, err)
	}
	return e, num(r[1]), nil
}

// Exceptions implements Journal.
func (j *SQLite) Exceptions(ctx context.Context, q ExceptionQuery) (list []Exception, err error) {
	query, args := j.current(q).sql()
	list, err = j.listExceptions(ctx, query, args)
	if errors.Is(err, fs.ErrNotExist) { // it may have gone before its envelope was read
		list, err = j.listExceptions(ctx, query, args)
	}
	if err != nil {
		return nil, fmt.Errorf("list exceptions: %w", err)
	}
	return list, nil
}

func (j *SQLite) listExceptions(ctx context.Context, query string, args []any) (list []Exception, err error) {
	var files []string
	err = j.read(ctx, func(c *conn) error {
		var parts []int64
		err := c.query(query, args, func(r []driver.Value) error {
			e, _, err := readException(r)
			list, parts, files = append(list, e), append(parts, num(r[17])), append(files, text(r[18]))
			return err
		})
		for i, id := range parts {
			if err == nil && id != 0 {
				list[i].Shared, err = j.shared.read(c, id)
			}
		}
		return err
	})
	for i, name := range files {
		if err == nil && name != "" {
			list[i].Envelope, err = j.blobs.read(name)
		}
	}
	return list, err
}

// current is q by the names of now.
func (j *SQLite) current(q ExceptionQuery) *ExceptionQuery {
	if q.Lane != nil {
		l := j.lane(*q.Lane)
		q.Lane = &l
	}
	if q.Key != nil {
		k := *q.Key
		k.Source = j.name(k.Source)
		q.Key = &k
	}
	return &q
}

func (q *ExceptionQuery) sql() (string, []any) {
	where, args := []string{"e.id > ?"}, []any{q.After}
	if q.ID != 0 {
		where, args = append(where, "e.id = ?"), append(args, q.ID)
	}
	switch {
	case q.Lane != nil && *q.Lane == Lane{}:
		where = append(where, "e.track = 0")
	case q.Lane != nil:
		where, args = append(where, "f.flow = ? AND t.sink = ?"), append(args, q.Lane.Flow, q.Lane.Sink)
	}
	if q.Key != nil {
		where, args = append(where, "s.address = ? AND e.position = ? AND e.path = ?"), append(args, q.Key.Source, int64(q.Key.Position), q.Key.Path)
	}
	if q.DeadOnly {
		where = append(where, "e.dead = 1")
	}
	if q.AliveOnly {
		where = append(where, "e.dead = 0")
	}
	limit := -1
	if q.Limit > 0 {
		limit = q.Limit
	}
	columns := exceptionColumns
	if q.Bare {
		columns = strings.NewReplacer("e.envelope", "NULL", "e.shared", "NULL", "e.blob", "NULL").Replace(columns)
	}
	return columns + "WHERE " + strings.Join(where, " AND ") + " ORDER BY e.id LIMIT ?", append(args, limit)
}

// values are what is stored of e after its key; file, if it has one, has its envelope.
func (w *writer) values(e *Exception, file string) ([]any, error) {
	part, err := w.share(e.Shared)
	if err != nil {
		return nil, err
	}
	errs, err := json.Marshal(e.Errors[max(0, len(e.Errors)-maxFailures):])
	if err != nil {
		return nil, own(fmt.Errorf("encode failures: %w", err))
	}
	var envelope, blob any = e.Envelope, nil
	if file != "" {
		envelope, blob = nil, file
	}
	return []any{e.EventID, nanos(e.EventTime), e.Step, envelope, e.OrderKey, e.Attempts, nanos(e.Since), nanos(e.Next), e.Dead, string(errs), part, blob}, nil
}

const (
	exceptionInsert = "INSERT INTO exceptions (track, source, position, path, event_id, event_time, step, envelope, order_key, attempts, since, next, dead, errors, shared, blob) " +
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	exceptionUpdate = "UPDATE exceptions SET event_id = ?, event_time = ?, step = ?, envelope = ?, order_key = ?, attempts = ?, since = ?, next = ?, dead = ?, errors = ?, shared = ?, blob = ? WHERE id = ?"
	exceptionFind   = "SELECT id FROM exceptions WHERE " + ofTrack + " AND position = ? AND path = ?"
)

// ofTrack selects the exceptions of one track. SQLite uses exceptions_key, an index of
// those that have one, only where a statement says that it wants no others.
const ofTrack = "track = ? AND track <> 0"

// raise stores a failed delivery of t; it tells whether it is a new one.
func (w *writer) raise(t *track, e *Exception, file string) (added bool, err error) {
	values, err := w.values(e, file)
	if err != nil {
		return false, err
	}
	id, err := w.conn.integer(exceptionFind, t.id, e.Position, e.Path)
	if err != nil {
		return false, err
	}
	if id != 0 {
		return false, w.conn.exec(exceptionUpdate, append(values, id)...)
	}
	return true, w.conn.exec(exceptionInsert, append([]any{t.id, t.feed.source.id, e.Position, e.Path}, values...)...)
}

// bury stores a dead letter of a source; with an ID, in place of that one.
func (w *writer) bury(s *source, e *Exception) error {
	values, err := w.values(e, "")
	if err != nil {
		return err
	}
	if e.ID != 0 {
		if err := w.buried(s, e.ID); err != nil {
			return err
		}
		err = w.conn.exec(exceptionUpdate, append(values, e.ID)...)
	} else {
		err = w.conn.exec(exceptionInsert, append([]any{0, s.id, e.Position, e.Path}, values...)...)
	}
	if err != nil {
		return fmt.Errorf("store dead letter: %w", err)
	}
	return nil
}

// buried is nil if the source has that dead letter.
func (w *writer) buried(s *source, id int64) error {
	n, err := w.conn.integer("SELECT EXISTS (SELECT 1 FROM exceptions WHERE id = ? AND track = 0 AND source = ?)", id, s.id)
	if err == nil && n == 0 {
		err = own(ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("find dead letter %d of %s: %w", id, s.address, err)
	}
	return nil
}

// exception finds one by id, with its track's number and the file, pinned, that has its
// envelope, if there is one.
func (w *writer) exception(id int64) (e Exception, track int64, file string, err error) {
	var part int64
	err = w.conn.query(exceptionColumns+"WHERE e.id = ?", []any{id}, func(r []driver.Value) (err error) {
		e, track, err = readException(r)
		part, file = num(r[17]), text(r[18])
		return err
	})
	if err == nil && e.ID == 0 {
		err = own(fmt.Errorf("find exception %d: %w", id, ErrNotFound))
	}
	if err == nil && part != 0 {
		e.Shared, err = w.j.shared.read(w.conn, part)
	}
	if err == nil && file != "" {
		w.j.blobs.pin(file)
	}
	return e, track, file, err
}

// excepts tells whether the event has an open exception on t.
func (w *writer) excepts(t *track, p Position) (bool, error) {
	n, err := w.conn.integer("SELECT EXISTS (SELECT 1 FROM exceptions WHERE "+ofTrack+" AND position = ?)", t.id, p)
	return n != 0, err
}
