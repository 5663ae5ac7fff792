package journal

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
)

// Read implements Journal.
func (j *SQLite) Read(ctx context.Context, source string, after Position, maxBytes int) ([]*Frame, error) {
	if j.closed.Load() {
		return nil, ErrClosed
	}
	source = j.name(source)
	if list, ok := j.recent.read(source, after, maxBytes); ok {
		return list, nil
	}
	list, err := j.readDisk(ctx, source, after, maxBytes)
	if errors.Is(err, fs.ErrNotExist) { // the frame may have gone before its payload was read
		list, err = j.readDisk(ctx, source, after, maxBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("read events of %s after %d: %w", source, after, err)
	}
	return list, nil
}

// largeFrame is the size of frames that are few in memory: one is read, decoded and
// worked on in several copies.
const largeFrame = recentBytes

// readDisk fetches rows first and decodes them when the read transaction is over,
// since that holds up checkpoints.
func (j *SQLite) readDisk(ctx context.Context, source string, after Position, maxBytes int) ([]*Frame, error) {
	type row struct {
		info frameInfo
		body []byte
		blob string // the file that holds the payload; "": none
	}
	var rows []row
	err := j.read(ctx, func(c *conn) error {
		id, err := c.integer("SELECT id FROM sources WHERE address = ?", source)
		if err != nil || id == 0 {
			return err
		}
		from, err := c.integer("SELECT max(id) FROM frames WHERE id >= ? AND id <= ?", frameID(id, 0), frameID(id, after+1))
		if err != nil {
			return err
		}
		const query = "SELECT id, count, size, bytes, time, body, blob FROM frames WHERE id >= ? AND id < ? ORDER BY id"
		size := 0
		return c.query(query, []any{max(from, frameID(id, 0)), frameID(id+1, 0)}, func(r []driver.Value) error {
			info := readFrameInfo(r)
			if info.last() <= after {
				return nil
			}
			rows = append(rows, row{info, blob(r[5]), text(r[6])})
			if size += int(info.size); size >= maxBytes {
				return errEnough
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	list := make([]*Frame, 0, len(rows))
	for _, r := range rows {
		if r.info.size > largeFrame {
			runtime.GC() // what the one before took is free; the heap would grow by as much first
		}
		f, err := decodeFrame(source, r.info.first, r.info.count, r.body)
		if err != nil {
			return nil, err
		}
		if r.blob != "" {
			if f.Events[0].Payload.Raw, err = j.blobs.read(r.blob); err != nil {
				return nil, err
			}
			f.Bytes = int(r.info.size)
		}
		list = append(list, f)
	}
	return list, nil
}

// maxReaders is how many connections read at a time: more of them slow the writer.
const maxReaders = 2

// readers lends connections that cannot write. A nil one is to be opened.
type readers struct{ free chan *conn }

func newReaders() *readers {
	r := &readers{free: make(chan *conn, maxReaders)}
	for range maxReaders {
		r.free <- nil
	}
	return r
}

// read runs f in a read transaction.
func (j *SQLite) read(ctx context.Context, f func(c *conn) error) (err error) {
	var c *conn
	select {
	case c = <-j.readers.free:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { j.readers.free <- c }()
	if j.closed.Load() {
		return ErrClosed
	}
	if c == nil {
		if c, err = dial(j.file(), "query_only(1)"); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
	}
	if err = c.exec("BEGIN"); err == nil {
		err = f(c)
		if cerr := c.exec("ROLLBACK"); err == nil {
			err = cerr
		}
	}
	if err != nil && code(err) != 0 {
		c.close()
		c = nil
	}
	if isDamaged(err) {
		err = damaged(j.file(), err)
	}
	return err
}

// close waits for those who read, and closes all connections.
func (r *readers) close() {
	for range maxReaders {
		if c := <-r.free; c != nil {
			c.close()
		}
	}
	for range maxReaders {
		r.free <- nil
	}
}
