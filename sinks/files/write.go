package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/format"
)

// maxBuffer is how much is gathered before it is written.
const maxBuffer = 1 << 20

// writing is one call's work on one path. Only when all of it is on disk does the
// target take over its progress; until then a failure changes nothing that counts.
type writing struct {
	ctx    context.Context
	s      *sink
	t      *target
	p      progress
	f      files.Writer // nil: not open
	buf    []byte       // the end of p.Size bytes that is not written yet
	record []byte
	intent string // name of the file that was begun

	writer format.Writer // for records of these columns
	layout []string
}

// write appends the group's records. Its error is that of the place; a record
// that cannot be written has its own.
func (s *sink) write(ctx context.Context, g *group) error {
	t, err := s.target(ctx, g.path)
	if err != nil {
		return err
	}
	if err := s.publish(ctx, t); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := s.makeRoom(ctx, t); err != nil {
		return err
	}
	w := &writing{ctx: ctx, s: s, t: t, p: t.now.clone(), buf: s.buf[:0], record: s.record[:0]}
	defer func() {
		w.close()
		s.buf, s.record = keep(w.buf), keep(w.record)
	}()
	for i, body := range g.bodies {
		bad, err := w.add(body)
		if err != nil {
			return err
		}
		if bad != nil {
			*g.results[i] = component.Permanent(bad)
		}
	}
	if err := w.sync(); err != nil {
		return err
	}
	t.now = w.p
	if w.intent != "" {
		t.intent = w.intent
	}
	s.parts.note(t)
	return nil
}

// keep gives a buffer for the next call, unless a giant made it grow.
func keep(b []byte) []byte {
	if cap(b) > 2*maxBuffer {
		return nil
	}
	return b
}

// add appends one record; bad is what is wrong with it.
func (w *writing) add(body any) (bad, err error) {
	columns, bad := w.columns(body)
	if bad != nil {
		return bad, nil
	}
	if w.isOver(columns) {
		if err := w.end(); err != nil {
			return nil, err
		}
	}
	if w.writer == nil || !slices.Equal(columns, w.layout) {
		w.writer, w.layout = w.s.cfg.writer(w.s.cfg.Format.Name(), columns), columns
	}
	if w.record, bad = w.writer.Append(w.record[:0], w.p.Rows, body); bad != nil {
		return bad, nil
	}
	if w.f == nil {
		if err := w.open(columns); err != nil {
			return nil, err
		}
		// The file that was to go on may be gone, and this be the first record of another.
		if w.record, bad = w.writer.Append(w.record[:0], w.p.Rows, body); bad != nil {
			return bad, nil
		}
	}
	w.append(w.record)
	w.p.Rows++
	if len(w.buf) >= maxBuffer {
		if err := w.flush(); err != nil {
			return nil, err
		}
	}
	if w.isFull() {
		return nil, w.end()
	}
	return nil, nil
}

// columns that a record is to have; where the format is no table, its layout.
func (w *writing) columns(body any) (columns []string, bad error) {
	columns, table := w.s.cfg.Format.Layout()
	if !table || len(columns) > 0 {
		return columns, nil
	}
	fields := w.s.fields
	if begun := w.p.Columns; w.p.File != "" && w.p.Format == w.s.cfg.Format.Name() && len(begun) >= len(fields) && slices.Equal(begun[:len(fields)], fields) {
		return begun, nil
	}
	m, ok := body.(map[string]any)
	if !ok || len(m) == 0 {
		return nil, errors.New("write row: the first record must be an object, for its fields are the columns")
	}
	columns = slices.Clone(fields)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(fields, name) { // a step behind the map has added it
			columns = append(columns, name)
		}
	}
	return columns, nil
}

// isOver tells whether the next record belongs into another file.
func (w *writing) isOver(columns []string) bool {
	if w.p.File == "" {
		return false
	}
	if w.p.Format != w.s.cfg.Format.Name() || !slices.Equal(w.p.Columns, columns) {
		return true
	}
	r := w.s.cfg.Roll
	return r != nil && w.p.Rows > 0 && r.Every > 0 && w.s.now().Sub(w.p.Opened) >= r.Every
}

func (w *writing) isFull() bool {
	r := w.s.cfg.Roll
	return r != nil && (r.Rows > 0 && w.p.Rows >= r.Rows || r.Size > 0 && w.p.Size >= int64(r.Size))
}

// end completes the file. A part is sealed, any other file is left as it is.
func (w *writing) end() error {
	if w.s.cfg.Roll == nil {
		err := w.sync()
		w.p.File = "" // the rest is kept: the next file must not have the same name
		return err
	}
	if w.f == nil {
		if err := w.reopen(); err != nil || w.f == nil {
			return err
		}
	}
	tail, err := w.tail()
	if err != nil {
		return err
	}
	w.append(tail)
	if err := w.sync(); err != nil {
		return err
	}
	w.p.Sealed = append(w.p.Sealed, part{w.p.File, w.p.Size})
	w.p = w.p.end()
	return nil
}

// tail is what stands behind the last record of the file.
func (w *writing) tail() (tail []byte, err error) {
	writer := w.s.cfg.writer(w.p.Format, w.p.Columns)
	whole, ok := writer.(format.Finisher)
	if !ok {
		return writer.End(nil), nil
	}
	if err := w.flush(); err != nil {
		return nil, err
	}
	f, err := w.s.fs.Open(w.ctx, path.Join(w.t.dir, w.p.File), 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return whole.Finish(io.LimitReader(f, w.p.Size))
}

func (w *writing) append(b []byte) {
	w.buf = append(w.buf, b...)
	w.p.Size += int64(len(b))
}

func (w *writing) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.f.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// sync writes and closes what is open; then it is on disk.
func (w *writing) sync() error {
	if w.f == nil {
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return err
	}
	return w.close()
}

func (w *writing) close() error {
	if w.f == nil {
		return nil
	}
	err := w.f.Close()
	w.f = nil
	return err
}

// open makes the file ready for the next record.
func (w *writing) open(columns []string) error {
	if w.p.File != "" {
		if err := w.reopen(); err != nil || w.f != nil {
			return err
		}
	}
	if err := w.s.fs.MakeDir(w.ctx, w.t.dir); err != nil {
		return err
	}
	if w.s.cfg.Roll != nil {
		return w.newPart(columns)
	}
	return w.newFile(columns)
}

// reopen goes on with the file on record, cut to what counts of it. When it is
// gone and another is to be begun, no file is open afterwards.
func (w *writing) reopen() error {
	f, err := w.s.fs.Append(w.ctx, path.Join(w.t.dir, w.p.File), w.p.Size)
	var short *files.ShortError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return w.gone()
	case errors.As(err, &short):
		return w.shrunk(short.Size)
	case err != nil:
		return err
	}
	w.f = f
	return nil
}

// gone: a part has been published by the timer just before a stop; a file has
// been taken away, by a rotation, say.
func (w *writing) gone() error {
	if isPart(w.p.File) {
		w.s.log.Info("a part is no longer there: it was published", "path", w.t.path, "part", w.p.File)
		if err := w.s.markDone(w.ctx, w.t, part{File: w.p.File}); err != nil {
			return err
		}
		w.p = w.p.end()
		return nil
	}
	return w.shrunk(0)
}

// shrunk is the error for a file with fewer bytes than are on record, unless
// another is to be begun.
func (w *writing) shrunk(size int64) error {
	if w.p.Size == 0 {
		w.p = w.p.end()
		return nil
	}
	if w.s.cfg.OnShrunk == "new" {
		w.s.log.Warn("file shorter than recorded: beginning anew", "file", w.p.File, "recorded", w.p.Size, "found", size)
		if isPart(w.p.File) {
			w.p.Sealed = append(w.p.Sealed, part{w.p.File, size})
		}
		w.p = w.p.end()
		return nil
	}
	return component.Unwell(fmt.Errorf(
		"%s is shorter than what was written to it: %d bytes on record, %d found; put it back, or set on_shrunk = \"new\" to begin anew",
		path.Join(w.t.dir, w.p.File), w.p.Size, size))
}
